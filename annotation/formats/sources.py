"""The files of a source: one file, a folder of files, or a zip archive of them."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...corpus.output.atomic import name_full_disk, open_scratch_folder
from ...corpus.reading.bounded import check_archive, refuse_pipe
from ...errors import InputError

MAX_UNPACKED_BYTES = 4 * 2**30
"""Largest size of an archive's files together."""
_ZIP_ERRORS = (
    *(OSError, EOFError, RuntimeError, UnicodeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What the library raises for damaged, encrypted and unknown data, and names that are not UTF-8."""


@contextmanager
def open_source(path: Path, suffixes: Sequence[str]) -> Iterator[list[tuple[Path, str]]]:
    """Find the files of a source.

    A zip archive is unpacked into a temporary folder, which exists inside the block.

    Args:
        path: a file of any name, a folder, or a zip archive.
        suffixes: endings of the names to read in a folder or archive, such as `.jsonl`.

    Yields:
        The files, sorted by name, and each one's relative path without suffix; "" for a single
        file, which needs no name of its own.

    Raises:
        InputError: if there is no such file, or it is a pipe.
    """
    path = Path(path)
    refuse_pipe(path)
    if path.is_file() and zipfile.is_zipfile(path):
        # Messages name the files of this folder, so that it has the archive's name.
        with open_scratch_folder() as scratch:
            folder = scratch / path.name
            _unpack(path, folder, suffixes)
            yield _find_files(folder, path, suffixes)
    elif path.is_dir():
        yield _find_files(path, path, suffixes)
    else:
        yield [(path, "")]


def _find_files(folder: Path, source: Path, suffixes: Sequence[str]) -> list[tuple[Path, str]]:
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith(tuple(suffixes)) and not path.name.startswith(".")
    )
    if not files:
        raise InputError(f"{source}: no file *{', *'.join(suffixes)}; check --from")
    if len(files) == 1:
        return [(files[0], "")]
    return [(path, path.relative_to(folder).with_suffix("").as_posix()) for path in files]


def _unpack(path: Path, folder: Path, suffixes: Sequence[str]) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and member.filename.endswith(tuple(suffixes))
            ]
            check_archive(members, str(path))
            size = sum(member.file_size for member in members)
            if size > MAX_UNPACKED_BYTES:
                raise InputError(
                    f"{path}: {size >> 20} MB unpacked; unpack it, and give the folder"
                )
            with name_full_disk(folder):
                for member in members:
                    # Paths outside the folder are cut by the library.
                    archive.extract(member, folder)
    except _ZIP_ERRORS as error:
        raise InputError(f"{path}: not a zip archive that can be unpacked ({error})") from error
