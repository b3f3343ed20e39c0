"""Reader of zip archives of articles."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...errors import InputError
from ..output.atomic import open_scratch_folder
from ..reading.bounded import check_archive, read_limited
from ..rejected import Rejected
from .raw_article import RawArticles, ReaderOptions, describe_endings

ReadFile = Callable[[Path, ReaderOptions], RawArticles]
"""Yields the articles of a file."""


def read_zip(
    path: Path, options: ReaderOptions, read: ReadFile, extensions: tuple[str, ...]
) -> RawArticles:
    """Yield the articles of the files in a zip file; files of other types are counted.

    Args:
        path: the zip file.
        options: the options for reading the files in it.
        read: the reader of a file.
        extensions: the extensions of the files to read.

    Raises:
        InputError: if the file is damaged, or no file in it is of a readable type.
    """
    passed_over: list[str] = []
    is_empty = True
    try:
        with zipfile.ZipFile(path) as archive, open_scratch_folder() as folder:
            check_archive(archive.infolist(), str(path))
            for entry in archive.infolist():
                name = Path(entry.filename)
                if entry.is_dir() or any(part.startswith((".", "__MACOSX")) for part in name.parts):
                    continue
                if not name.name.lower().endswith(extensions):
                    passed_over.append(entry.filename)
                    continue
                is_empty = False
                unpacked = folder / name.name
                yield from _read_entry(archive, entry, f"{path}!{name}", unpacked, options, read)
    # A name that is not UTF-8, and a version of the format that Python does not know.
    except (zipfile.BadZipFile, UnicodeError, NotImplementedError) as error:
        raise InputError(f"{path}: not a complete zip file ({error}); fetch it again") from error
    counts = describe_endings(passed_over) or "it is empty"
    if is_empty:
        raise InputError(f"{path}: no readable file in it ({counts}); unpack it")
    if passed_over:
        options.notify(f"{path}: passed over: {counts}")


def _read_entry(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    location: str,
    unpacked: Path,
    options: ReaderOptions,
    read: ReadFile,
) -> RawArticles:
    """Yield the articles of a file in a zip file, which is unpacked for this."""

    def rename(text: str) -> str:
        return text.replace(str(unpacked), location)

    try:
        with archive.open(entry) as file:
            unpacked.write_bytes(read_limited(file, location))
        inner = replace(options, notify=lambda notice: options.notify(rename(notice)))
        for article in read(unpacked, inner):
            renamed = rename(article.location)
            if isinstance(article, Rejected):
                yield Rejected(renamed, rename(article.reason))
            else:
                name = str(Path(renamed).relative_to(Path(archive.filename or "").parent))
                yield replace(article, location=renamed, origin={**article.origin, "file": name})
    except (RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
        yield Rejected(location, f"cannot be decompressed ({error}); unpack it first")
    # Names too long for a file, and headers that contradict the list of files.
    except Exception as error:
        yield Rejected.from_error(location, error)
    finally:
        with suppress(OSError, ValueError):
            unpacked.unlink()
