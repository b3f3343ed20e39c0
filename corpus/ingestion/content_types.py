"""What the bytes of a file are, where they are not the text of an article."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile

from ...errors import InputError
from ..reading.bounded import UNREADABLE_ZIP, unpacks_whole_blocks
from .messages import MESSAGE_EXTENSIONS, looks_like_message, read_message
from .raw_article import HTML_EXTENSIONS, RawArticle, ReaderOptions
from .text import looks_like_html

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "a rich text document (RTF); save it as text or HTML"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office or Outlook file; save it as text or HTML"),
    (b"%!PS", "PostScript; convert it to PDF"),
    (b"\x89PNG", "an image; give its text"),
    (b"\xff\xd8\xff", "an image; give its text"),
    (b"GIF8", "an image; give its text"),
    (b"II*\0", "an image; give its text"),
    (b"MM\0*", "an image; give its text"),
    (b"\x1f\x8b", "compressed (gzip); name it with its type and .gz, or decompress it"),
    (b"BZh", "compressed (bzip2); decompress it"),
    (b"\xfd7zXZ\0", "compressed (xz); decompress it"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd); decompress it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it"),
    (b"SQLite format 3\0", "an SQLite database; export its table as CSV"),
    (b"PAR1", "a Parquet file; name it .parquet"),
    (b"ARROW1", "an Arrow or Feather file; save it as Parquet"),
    (b"FEA1", "a Feather file; save it as Parquet"),
    (b"Obj\x01", "an Avro file; save it as Parquet or JSON Lines"),
    (b"\x89HDF", "an HDF5 file; save it as Parquet or JSON Lines"),
    (b"\x93NUMPY", "a NumPy array; save it as JSON Lines"),
    (b"bplist00", "a binary property list, such as a .webarchive; save it as HTML"),
    (b"WARC/", "a WARC file; name it .warc"),
    (b"filedesc://", "an ARC file; name it .arc"),
)
_ZLIB = b"x\x9c"
"""The beginning of spaCy's DocBin."""
_TAG = re.compile(rb"O|[BILUESMW]-[^\d\s]\S*")
_TAGGED_LINES = 3
"""Fewest lines of words and tags by which a file is one of them."""
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_OFFICE = (
    ("word/", "a Word document (.docx); save it as text, HTML or PDF"),
    ("xl/", "an Excel workbook (.xlsx); save its table as CSV"),
    ("ppt/", "a PowerPoint file (.pptx); save it as text or PDF"),
)
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument"
_JSON_OBJECT = re.compile(r"\s*(?:\[\s*)?\{\s*[\"'][^\"'\n]{0,200}[\"']\s*:")
_ROOT = re.compile(rb"\s*(?:<!--.*?-->\s*)*+<([A-Za-z_][\w:.-]*)(?:\s[^<>]*)?>", re.S)
_XML_START = re.compile(rb"\s*<(?:\?xml\b|!doctype\s+(?!html))", re.I)


def recognize(raw: RawArticle, options: ReaderOptions) -> RawArticle:
    """Return the article that a file of one article holds, by the file's content.

    E-mails and MHTML are read. All else is returned unchanged: text, HTML and PDF.

    Args:
        raw: the file's bytes and the extension of its name.
        options: whom to tell what was not read.

    Raises:
        InputError: if the content is JSON, XML or of another known type that is not read.
    """
    if raw.extension in MESSAGE_EXTENSIONS:
        return read_message(raw, options)
    if raw.extension == ".pdf":
        return raw
    foreign = _name_binary(raw.content)
    if foreign is None and raw.extension not in HTML_EXTENSIONS:
        if looks_like_message(raw.content):
            options.notify(f"{raw.location}: read as an e-mail or saved page")
            return read_message(raw, options)
        foreign = _name_source(raw.content)
        if foreign is None and (raw.content.startswith(_ZLIB) or _has_tags(raw.content)):
            foreign = (
                "labeled documents, not text; convert them with orbat annotate convert "
                f"{shlex.quote(raw.location)} documents.jsonl"
            )
    if foreign is not None:
        raise InputError(f"{raw.location}: {foreign}")
    return raw


def _name_binary(content: bytes) -> str | None:
    """Return what bytes with a known signature are, and what to give instead."""
    for signature, name in _SIGNATURES:
        if content.startswith(signature):
            return name
    if content.startswith(b"PK\x03\x04"):
        return _name_zip(content)
    if content[257:262] == b"ustar":
        return "a tar archive; unpack it"
    if content.startswith(b"RIFF") or content[4:8] == b"ftyp":
        return "an image, sound or video; give its text"
    if _PICKLE.match(content):
        return "a Python pickle; save it as JSON Lines or Parquet"
    return None


def _name_source(content: bytes) -> str | None:
    """Return what text is that is written for programs, and what to do with it."""
    if looks_like_json(content):
        return "JSON, not text; name it .json or .jsonl"
    if not looks_like_html(content) and _is_xml(content):
        return "XML, not text; give the text of its articles, or name it .html if it is HTML"
    return None


def looks_like_json(content: bytes) -> bool:
    """Return whether bytes are JSON, or begin as JSON with named fields does."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            content = content.decode(encoding, "replace").encode("utf-8", "replace")
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not content.startswith((b"{", b"[")):
        return False
    if _JSON_OBJECT.match(content[:1000].decode("utf-8", "replace")):
        return True
    try:
        json.loads(content)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _has_tags(content: bytes) -> bool:
    """Return whether the first lines are words with tags such as `O` and `B-PER`, or CoNLL-U."""
    lines = [line.strip() for line in content[:20_000].split(b"\n")[:-1]]
    rows = [line for line in lines if line and not line.startswith((b"#", b"-DOCSTART-"))]
    tagged = sum(map(_is_tagged, rows))
    return tagged >= _TAGGED_LINES and tagged >= 0.9 * len(rows)


def _is_tagged(line: bytes) -> bool:
    first, *others = line.split()
    is_conllu = line.count(b"\t") == 9 and first[:1].isdigit()
    return is_conllu or (bool(others) and _TAG.fullmatch(others[-1]) is not None)


def _is_xml(content: bytes) -> bool:
    """Return whether bytes begin as XML does, or are one element as a whole."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if _XML_START.match(content):
        # XHTML may begin with a declaration of XML.
        return not re.search(rb"<(?:!doctype\s+)?html\b", content[:4096], re.I)
    root = _ROOT.match(content)
    return root is not None and content.rstrip().endswith(b"</" + root[1] + b">")


def _name_zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            kind = b""
            if "mimetype" in names and not unpacks_whole_blocks(archive.getinfo("mimetype")):
                with archive.open("mimetype") as file:
                    kind = file.read(64)
    except UNREADABLE_ZIP:
        names, kind = [], b""
    if kind.startswith(_OPEN_DOCUMENT):
        return "an OpenDocument file (.odt and the like); save it as text, HTML or PDF"
    if kind.startswith(b"application/epub"):
        return "an e-book (EPUB); save it as text or HTML"
    for folder, name in _OFFICE:
        if any(entry.startswith(folder) for entry in names):
            return name
    return "a zip archive; name it .zip, or unpack it"
