"""Finds and reads files of articles: one article, records or an archive of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ...errors import InputError
from ..reading.boundary import guard, guard_each
from ..reading.bounded import open_decompressed, read_limited, refuse_pipe
from .archives import ReadFile, read_zip
from .content_types import recognize
from .messages import MAILBOX_EXTENSIONS, MESSAGE_EXTENSIONS, read_mailbox
from .raw_article import (
    ARTICLE_EXTENSIONS,
    RawArticle,
    RawArticles,
    ReaderOptions,
    describe_endings,
    ignore_notice,
)
from .records.csv_files import CSV_EXTENSIONS, read_csv
from .records.json_files import JSON_EXTENSIONS, read_json
from .records.tables import is_dataset_folder, read_parquet
from .web.feeds import FEED_EXTENSIONS
from .web.warc import read_warc


def find_files(
    paths: Iterable[Path], notify: Callable[[str], None] = ignore_notice
) -> Iterator[Path]:
    """Yield the files given, and those of readable types in the folders given, sorted by path.

    Hidden files are skipped. A folder that `Dataset.save_to_disk` wrote is yielded itself.

    Args:
        paths: files and folders.
        notify: called for each folder with the numbers of files of other types in it.

    Raises:
        InputError: if a path does not exist or is a pipe, or a folder contains no readable file.
    """
    for path in map(Path, paths):
        if path.is_dir() and not is_dataset_folder(path):
            yield from _find_in_folder(path, notify)
        elif path.exists():
            refuse_pipe(path)
            yield path
        else:
            raise InputError(f"{path}: does not exist; check the path")


def _find_in_folder(folder: Path, notify: Callable[[str], None]) -> list[Path]:
    files: list[Path] = []
    passed_over: list[str] = []
    for file in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            continue
        if file.is_file():
            is_readable = file.name.lower().endswith((*READABLE_EXTENSIONS, *FEED_EXTENSIONS))
            files.append(file) if is_readable else passed_over.append(file.name)
    counts = describe_endings(passed_over)
    if not files:
        extensions = ", ".join(e for e in READABLE_EXTENSIONS if not e.endswith((".gz", ".zst")))
        found = f"; passed over: {counts}" if counts else ""
        raise InputError(f"{folder}: no {extensions} file in this folder{found}")
    if counts:
        notify(f"{folder}: passed over: {counts}")
    return files


def read_file(path: Path, options: ReaderOptions | None = None) -> RawArticles:
    """Yield the articles of a file; those that cannot be read as :class:`Rejected`.

    The extension of the file's name determines its type. A file with another extension is read as
    an e-mail, a page or text if its content is one, and rejected if it is of another known type.

    Args:
        path: the file.
        options: the field or column that holds the text, and whom to tell what was not read.
    """
    options = options or ReaderOptions()
    name = path.name.lower()
    readers = (read for extension, read in _CONTAINER_READERS.items() if name.endswith(extension))
    read = next(readers, _read_article)
    yield from guard_each(str(path), read(path, options))


def _read_article(path: Path, options: ReaderOptions) -> RawArticles:
    is_compressed = path.suffix.lower() == ".gz"
    with open_decompressed(path) as file:
        content = read_limited(file, str(path))
    inner = Path(path.stem if is_compressed else path.name)
    extension = inner.suffix.lower()
    raw = RawArticle(
        str(path), inner.stem, content, extension=extension, origin={"file": path.name}
    )
    yield guard(str(path), lambda: recognize(raw, options))


def _read_zip(path: Path, options: ReaderOptions) -> RawArticles:
    extensions = tuple(extension for extension in READABLE_EXTENSIONS if extension != ".zip")
    return read_zip(path, options, read_file, extensions)


def _compressed(*extensions: str) -> tuple[str, ...]:
    return tuple(f"{extension}.gz" for extension in extensions)


_CONTAINER_READERS: dict[str, ReadFile] = {
    **dict.fromkeys((*JSON_EXTENSIONS, *_compressed(*JSON_EXTENSIONS)), read_json),
    **dict.fromkeys((*CSV_EXTENSIONS, *_compressed(*CSV_EXTENSIONS)), read_csv),
    ".parquet": read_parquet,
    **dict.fromkeys(MAILBOX_EXTENSIONS, read_mailbox),
    ".zip": _read_zip,
    **dict.fromkeys((".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz"), read_warc),
}
READABLE_EXTENSIONS = (
    *ARTICLE_EXTENSIONS,
    *MESSAGE_EXTENSIONS,
    *_compressed(*ARTICLE_EXTENSIONS, *MESSAGE_EXTENSIONS),
    *_CONTAINER_READERS,
)
"""Extensions of the files that are read in folders."""


def count_articles(paths: Iterable[Path]) -> int | None:
    """Return the number of articles in files and folders; None if they must be read for it."""
    total = 0
    for path in find_files(paths):
        name = path.name.lower()
        if name.endswith(".jsonl"):
            with path.open("rb") as file:
                blocks = iter(lambda: file.read(2**20), b"")
                total += sum(block.count(b"\n") for block in blocks)
        elif name.endswith(".parquet"):
            from pyarrow.parquet import read_metadata

            try:
                total += read_metadata(path).num_rows
            except Exception:  # told when the file is read
                return None
        elif name.endswith((*ARTICLE_EXTENSIONS, *MESSAGE_EXTENSIONS)):
            total += 1
        else:
            return None
    return total
