"""Files of any name whose content is not the text of an article."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shlex
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import ReaderOptions
from orbat.corpus.ingestion.readers import read_file
from orbat.corpus.rejected import Rejected
from tests.corpus.test_ingestion import PAGE

TEXT = "The 4th Brigade took the port on Monday, said Gen. Doe."


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def read(path: Path, content: bytes) -> tuple[list[Document | str], list[str]]:
    """Return the documents or reasons for their rejection, and the notices."""
    path.write_bytes(content)
    notices: list[str] = []
    results = [
        str(raw) if isinstance(raw, Rejected) else make_document(raw, clean=False)
        for raw in read_file(path, ReaderOptions(None, notices.append))
    ]
    return results, notices


FOREIGN = [
    ("a.docx", zipped({"word/document.xml": "x"}), "a Word document (.docx)"),
    ("a.xlsx", zipped({"xl/workbook.xml": "x"}), "an Excel workbook (.xlsx)"),
    ("a.odt", zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "an OpenDocument"),
    ("a.epub", zipped({"mimetype": "application/epub+zip"}), "an e-book (EPUB)"),
    ("a.bin", zipped({"a.txt": "x"}), "a zip archive; name it .zip"),
    ("a.txt", zipped({"word/document.xml": "x"}), "a Word document (.docx)"),
    ("a.html", zipped({"word/document.xml": "x"}), "a Word document (.docx)"),
    ("a.rtf", rb"{\rtf1\ansi Gen. Doe}", "a rich text document (RTF)"),
    ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an old Office or Outlook file"),
    ("a.png", b"\x89PNG\r\n\x1a\n", "an image"),
    ("a.jpg", b"\xff\xd8\xff\xe0", "an image"),
    ("a.db", b"SQLite format 3\0", "an SQLite database"),
    ("a.pkl", pickle.dumps([TEXT]), "a Python pickle"),
    ("a.tgz", gzip.compress(b"x", mtime=0), "compressed (gzip)"),
    ("a.tar.gz", gzip.compress(bytes(257) + b"ustar", mtime=0), "a tar archive"),
    ("a.bz2", b"BZh91AY", "compressed (bzip2)"),
    ("a.feather", b"ARROW1\0\0", "an Arrow or Feather file"),
    ("a.txt", json.dumps([{"text": TEXT}]).encode(), "JSON, not text; name it .json or .jsonl"),
    ("a", json.dumps({"text": TEXT}, indent=1).encode(), "JSON, not text"),
    ("a.ipynb", json.dumps({"cells": []}).encode("utf-16"), "JSON, not text"),
    ("a.txt", b'{"text": "cut off', "JSON, not text"),
    ("a.txt", b"{'text': 'as Python prints it'}", "JSON, not text"),
    ("a.txt", b"[" * 100_000, "JSON, not text"),
    ("a.nitf", f"<?xml version='1.0'?><nitf>{TEXT}</nitf>".encode(), "XML, not text"),
    ("a.sgm", f"<DOC>\n<TEXT>{TEXT}</TEXT>\n</DOC>\n".encode(), "XML, not text"),
]


@pytest.mark.parametrize(
    ("name", "content", "kind"), FOREIGN, ids=[f"{n}-{k[:12]}" for n, _, k in FOREIGN]
)
def test_what_is_no_text_is_named(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (line,), _ = read(tmp_path / name, content)
    assert isinstance(line, str)
    assert line.startswith(f"{tmp_path / name}: {kind}")
    assert "\n" not in line


def test_a_refusal_is_one_line_of_the_command_line(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "in" / "a.docx"
    path.parent.mkdir()
    path.write_bytes(zipped({"word/document.xml": "x"}))
    line = refused("corpus", "add", path, "--output", tmp_path / "out.jsonl")
    assert line == f"{path}: a Word document (.docx); save it as text, HTML or PDF"
    line = refused("corpus", "add", path.parent, "--output", tmp_path / "out.jsonl")
    assert line.endswith("file in this folder; passed over: 1 *.docx")


@pytest.mark.parametrize(
    "text",
    [
        "[1] Smith, The Port.",
        "[sic] he said",
        "{redacted} of the 4th Brigade",
        "<ann@desk.test> wrote: hello",
        "<b>Bold</b> claims were made.",
        "PK is short for Peacekeeper.",
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a", "a.xyz"])
def test_text_of_any_name_is_read(tmp_path: Path, name: str, text: str) -> None:
    (document,), _ = read(tmp_path / name, text.encode())
    assert isinstance(document, Document)
    assert document.text == text


def test_a_page_of_any_name_is_read(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.aspx", PAGE.encode())
    assert isinstance(document, Document)
    assert document.text.startswith("Brigade leaves Kidal")


def test_all_readable_files_of_a_zip_file_are_read(tmp_path: Path) -> None:
    lines = '{"id": "q", "text": "Line."}\n{}\n'
    files = {"a.txt": "One.", "in/b.json": '[{"text": "Two."}]', "c.csv": "id,text\n1,Three.\n"}
    files |= {"d.jsonl": lines, "e.docx": "x", "notes": "x", ".hidden.txt": "x", "in/f.txt": "[]"}
    path = tmp_path / "z.zip"
    results, notices = read(path, zipped(files))
    texts = [item.text if isinstance(item, Document) else item for item in results]
    assert texts == [
        *("One.", "Two.", "Three.", "Line."),
        f"{path}!d.jsonl:2: an empty object, not an object with fields",
        f"{path}!in/f.txt: JSON, not text; name it .json or .jsonl",
    ]
    assert notices == [f"{path}: passed over: 1 without ending, 1 *.docx"]
    origins = [raw.origin["file"] for raw in read_file(path) if not isinstance(raw, Rejected)]
    assert origins == ["z.zip!a.txt", "z.zip!in/b.json: item 1", "z.zip!c.csv:2", "z.zip!d.jsonl:1"]


@pytest.mark.parametrize("files", [{}, {"a.docx": "x"}])
def test_a_zip_file_without_a_readable_file_is_refused(
    tmp_path: Path, files: dict[str, str]
) -> None:
    (line,), _ = read(tmp_path / "z.zip", zipped(files))
    assert isinstance(line, str)
    assert line.startswith(f"{tmp_path / 'z.zip'}: no readable file in it")


def arc() -> list[bytes]:
    """Return the records of an ARC file: its description and a page."""
    names = b"1 0 Org\nURL IP-address Archive-date Content-type Archive-length\n"
    page = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{PAGE}".encode()
    return [
        b"filedesc://x.arc 0.0.0.0 20240101000000 text/plain %d\n%b\n" % (len(names), names),
        b"http://a.test/1 1.2.3.4 20240102030405 text/html %d\n%b\n" % (len(page), page),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.arc", b"".join(arc())),
        ("x.arc.gz", b"".join(gzip.compress(part, mtime=0) for part in arc())),
    ],
    ids=["plain", "compressed"],
)
def test_the_pages_of_an_arc_file_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    (document,), _ = read(tmp_path / name, content)
    assert isinstance(document, Document)
    assert document.text.startswith("Brigade leaves Kidal")
    assert document.meta["url"] == "http://a.test/1"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my a.conll", "# newdoc\nIn O\nBonn B-ORT\n\nEs O\nregnet O\n"),
        ("a.txt", "In\tADP\tO\nBonn\tPROPN\tS-ORT\ntagt\tVERB\tO\n"),
        ("a.conllu", "".join(f"{n}\tIn\tin\tADP\t_\t_\t0\tcase\t_\t_\n" for n in (1, 2, 3))),
        ("a.spacy", zlib.compress(b"{}" * 99)),
    ],
)
def test_labeled_documents_are_not_the_text_of_an_article(
    name: str, content: str | bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    (reason,), _ = read(path, content.encode() if isinstance(content, str) else content)
    assert isinstance(reason, str)
    assert reason.startswith(f"{path}: labeled documents, not text; convert them with orbat annot")
    assert reason.endswith(f"convert {shlex.quote(str(path))} documents.jsonl")


@pytest.mark.parametrize(
    "content",
    [
        "Blood types:\nThe rare type O\nAnd the type B\nThe commonest is O\nNot so many\n",
        "Boeing B-52\nBoeing B-17\nNorthrop B-2\nRockwell B-1B\n",
    ],
)
def test_text_whose_lines_end_like_tags_is_text(content: str, tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.txt", content.encode())
    assert isinstance(document, Document)
