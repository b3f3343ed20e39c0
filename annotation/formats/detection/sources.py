"""The format of a file, folder or zip archive, found from names and contents."""

from __future__ import annotations

import gzip
import itertools
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath

from ....corpus.reading.bounded import open_decompressed, refuse_pipe
from ....errors import InputError, first_line
from ..conversion_report import describes_others
from ..imported import DEFAULT_OPTIONS
from ..registry import FORMATS
from ..sources import is_hidden
from ..tokens.column_choice import find_layout
from ..tokens.columns import BOMS_UTF16, DOCUMENT_START, read_lines, split_fields
from .records import FoundFormat, find_json_format

_HEAD_BYTES = 4096
_HEAD_LINES = 2000
_MAX_NAMES = 10_000
_MAX_OPENED = 20
"""A folder's format is found from this number of names, and the contents of so many files."""
_BY_ENDING = {
    ".spacy": "docbin",
    ".parquet": "datasets",
    ".arrow": "datasets",
    ".xmi": "xmi",
    ".conll": "conll",
    ".conllu": "conll",
    ".conllup": "conll",
    ".iob": "iob",
    ".iob2": "iob",
    ".bio": "iob",
}
_BY_NAME = {"dataset_dict.json": "datasets", "state.json": "datasets", "documents.json": "re3d"}
_FOLDERS = ("brat", "words-tags", "re3d")
"""Formats that are not read from an archive."""
_BY_BYTES = {b"PAR1": "datasets", b"ARROW1": "datasets", b"x\x9c": "docbin"}
"""Formats by the first bytes of a file; a DocBin is packed by zlib."""
_JSON = (".jsonl", ".json", ".jsonl.gz", ".json.gz")
_COLUMNS = (".tsv", ".txt", ".tsv.gz", ".txt.gz")
_WEBANNO = b"#FORMAT=WebAnno TSV"
_SAME_WIDTH = 0.9
"""Lines of prose have different numbers of words; of a table, most lines have the same number."""


def find_format(path: Path) -> FoundFormat:
    """Find the format of an annotated corpus.

    Args:
        path: a file, folder or zip archive.

    Raises:
        InputError: if there is no such file, or its format is not certain.
    """
    path = Path(path)
    refuse_pipe(path)
    if path.is_dir():
        found = _find_in_folder(path)
    elif not path.exists():
        raise InputError(f"{path}: does not exist; check the path")
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [PurePosixPath(name) for name in archive.namelist()]
        found = _find_by_names([name for name in names if not is_hidden(name)])
        if found and found.name in _FOLDERS:
            raise InputError(
                f"{path}: an archive with {found.evidence}; unpack it and name the folder"
            )
    else:
        found = _find_in_file(path)
    if found is None:
        raise InputError(
            f"{path}: the format is not certain; name it with --from, one of {', '.join(FORMATS)}"
        )
    return found


def _find_in_folder(folder: Path) -> FoundFormat | None:
    names = itertools.islice(folder.rglob("*"), _MAX_NAMES)
    paths = sorted(
        path for path in (name.relative_to(folder) for name in names) if not is_hidden(path)
    )
    if not paths:
        raise InputError(f"{folder}: an empty folder; check the path")
    found = _find_by_names([PurePosixPath(path) for path in paths])
    if found is not None:
        return found
    readable = [
        path
        for path in paths
        if path.name.endswith((*_JSON, *_COLUMNS)) and not describes_others(path)
    ]
    refused = None
    for path in readable[:_MAX_OPENED]:
        try:
            if found := _find_in_file(folder / path):
                return found
        except InputError as error:
            refused = refused or error
    if refused:
        raise refused
    return None


def _find_by_names(paths: Sequence[PurePosixPath]) -> FoundFormat | None:
    """Return the format of the files of a folder or archive, if their names tell it."""
    names = {path.name for path in paths}
    endings = {_ending(path) for path in paths}
    if name := next((name for name in _BY_NAME if name in names), None):
        return FoundFormat(_BY_NAME[name], f"the file {name}")
    if any(name.endswith("words.txt") for name in names) and any(
        name.endswith("tags.txt") for name in names
    ):
        return FoundFormat("words-tags", "the files words.txt and tags.txt")
    if ".ann" in endings:
        return FoundFormat("brat", "files *.ann")
    if ending := next((ending for ending in _BY_ENDING if ending in endings), None):
        return FoundFormat(_BY_ENDING[ending], f"files *{ending}")
    return None


def _ending(path: PurePath) -> str:
    """Return the ending of a name, without that of gzip if a reader of columns unpacks it."""
    inner = PurePath(path.stem).suffix if path.suffix == ".gz" else path.suffix
    return inner if _BY_ENDING.get(inner) in ("conll", "iob") else path.suffix


def _find_in_file(path: Path) -> FoundFormat | None:
    if (ending := _ending(path)) in _BY_ENDING:
        return FoundFormat(_BY_ENDING[ending], f"the ending {ending}")
    if path.suffix == ".ann":
        raise InputError(f"{path}: brat has a folder of texts and *.ann; name {path.parent}")
    if path.suffix == ".csv":
        raise InputError(
            f"{path}: columns between commas; convert them with orbat annotate convert {path} "
            "gold.jsonl --from conll --separator ,"
        )
    try:
        with open_decompressed(path) as file:
            head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = first_line(error)
        raise InputError(f"{path}: damaged or truncated ({reason}); fetch it again") from error
    if begin := next((begin for begin in _BY_BYTES if head.startswith(begin)), None):
        return FoundFormat(_BY_BYTES[begin], "the first bytes of such a file")
    if path.name.endswith(_JSON) or head.startswith((b"{", b"[")):
        return find_json_format(path)
    if head.startswith(b"%PDF") or (b"\0" in head and not head.startswith(BOMS_UTF16)):
        raise InputError(
            f"{path}: no text, and of no known format of labeled documents; orbat corpus add reads "
            "articles of many types"
        )
    if head.startswith(_WEBANNO):
        return FoundFormat("webanno", "a first line of WebAnno TSV")
    if head.startswith(b"<") and b"xmi:" in head:
        return FoundFormat("xmi", "XML with names of XMI")
    return _find_columns(path)


def _find_columns(path: Path) -> FoundFormat | None:
    """Return `iob` for two columns of words and tags, `conll` for more.

    Raises:
        InputError: if the file is text without tags, or its columns are not certain.
    """
    lines = list(itertools.islice(read_lines(path), _HEAD_LINES))
    texts = [line.text for line in lines if line.text.strip()]
    # Comments and marks of documents have other numbers of words than rows.
    rows = [text for text in texts if not text.startswith(("#", DOCUMENT_START))] or texts
    fields = [len(split_fields(text, None)) for text in rows]
    width, count = Counter(fields).most_common(1)[0]
    if width == 1 or count < _SAME_WIDTH * len(fields):
        raise InputError(
            f"{path}: text without annotations; orbat corpus add reads it, and orbat annotate push "
            "sends it to annotators. If it is annotated, name its format with --from, one of "
            f"{', '.join(FORMATS)}"
        )
    layout = find_layout(path, lines, DEFAULT_OPTIONS)
    columns = "two columns" if layout.width == 2 else f"{width} columns"
    name = "iob" if layout.width == 2 else "conll"
    return FoundFormat(name, f"{columns} of words and tags")
