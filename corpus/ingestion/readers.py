"""Finds and reads files of articles: one article, a table or an archive of many."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ...errors import InputError
from ..files import iterate_json_lines
from ..rejected import Rejected
from .archives import read_zip
from .raw_article import ARTICLE_EXTENSIONS, RawArticle, RawArticles, read_limited
from .tables import is_dataset_folder, make_raw_record, read_csv, read_parquet
from .web.feeds import FEED_EXTENSIONS
from .web.warc import read_warc


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files given, and those of readable types in the folders given, sorted by path.

    Hidden files are skipped. A folder that `Dataset.save_to_disk` wrote is yielded itself.

    Raises:
        InputError: if a path does not exist, or a folder contains no readable file.
    """
    for path in map(Path, paths):
        if path.is_dir() and not is_dataset_folder(path):
            files = sorted(
                file
                for file in path.rglob("*")
                if file.name.lower().endswith((*READABLE_EXTENSIONS, *FEED_EXTENSIONS))
                and file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
            if not files:
                extensions = ", ".join(
                    e for e in READABLE_EXTENSIONS if not e.endswith((".gz", ".zst"))
                )
                raise InputError(f"{path}: no {extensions} file in this folder")
            yield from files
        elif path.exists():
            yield path
        else:
            raise InputError(f"{path}: does not exist; check the path")


def read_file(path: Path, text_column: str = "text") -> RawArticles:
    """Yield the articles of a file; those that cannot be read as :class:`Rejected`.

    Args:
        path: the file; the extension of its name determines its type.
        text_column: the column of CSV and Parquet files that holds the text.
    """
    name = path.name.lower()
    readers = (read for extension, read in _CONTAINER_READERS.items() if name.endswith(extension))
    read = next(readers, _read_article)
    try:
        yield from read(path, text_column)
    except InputError as error:
        yield Rejected.from_error(str(path), error)
    except OSError as error:
        yield Rejected(str(path), f"cannot be read ({error.strerror or error})")


def _read_article(path: Path, text_column: str) -> RawArticles:
    is_compressed = path.suffix.lower() == ".gz"
    with gzip.open(path) if is_compressed else path.open("rb") as file:
        content = read_limited(file, str(path))
    inner = Path(path.stem if is_compressed else path.name)
    origin = {"file": path.name}
    extension = inner.suffix.lower()
    yield RawArticle(str(path), inner.stem, content, extension=extension, origin=origin)


def _read_json_lines(path: Path, text_column: str) -> RawArticles:
    for location, value in iterate_json_lines(path):
        if isinstance(value, Rejected):
            yield value
        else:
            yield make_raw_record(location, value, text_column)


_CONTAINER_READERS: dict[str, Callable[[Path, str], RawArticles]] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".jsonl.gz": _read_json_lines,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".zip": read_zip,
    ".warc": read_warc,
    ".warc.gz": read_warc,
    ".warc.zst": read_warc,
}
READABLE_EXTENSIONS = (
    *ARTICLE_EXTENSIONS,
    *(f"{extension}.gz" for extension in ARTICLE_EXTENSIONS),
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
            from pyarrow import ArrowException
            from pyarrow.parquet import read_metadata

            try:
                total += read_metadata(path).num_rows
            except (OSError, ArrowException):
                return None
        elif name.endswith((".txt", ".html", ".htm", ".pdf")):
            total += 1
        else:
            return None
    return total
