"""The files of a source: one file, a folder of files, or a zip archive of them."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath

from ...corpus.output.atomic import name_full_disk, open_scratch_folder
from ...corpus.reading.bounded import check_archive, refuse_pipe
from ...errors import InputError
from .conversion_report import ConversionReport

MAX_UNPACKED_BYTES = 4 * 2**30
"""Largest size of an archive's files together."""
_ZIP_ERRORS = (
    *(OSError, EOFError, RuntimeError, UnicodeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What the library raises for damaged, encrypted and unknown data, and names that are not UTF-8."""


@contextmanager
def open_source(
    path: Path, suffixes: Sequence[str], report: ConversionReport
) -> Iterator[list[tuple[Path, str]]]:
    """Find the files of a source.

    A zip archive is unpacked into a temporary folder, which exists inside the block.

    Args:
        path: a file of any name, a folder, or a zip archive.
        suffixes: endings of the names to read in a folder or archive, such as `.jsonl`.
        report: records the files with other names.

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
            _unpack(path, folder, suffixes, report)
            yield _find_files(folder, path, suffixes, report)
    elif path.is_dir():
        yield _find_files(path, path, suffixes, report)
    else:
        yield [(path, "")]


def visible_files(folder: Path) -> list[Path]:
    """Return the files of a folder and its subfolders, sorted; systems and editors hide some."""
    return sorted(
        path
        for path in Path(folder).rglob("*")
        if path.is_file() and not is_hidden(path.relative_to(folder))
    )


def is_hidden(path: PurePath) -> bool:
    """Return whether a path within a folder has a hidden part, such as `.DS_Store`."""
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)


def report_unread(folder: Path, read: Iterable[Path], report: ConversionReport) -> None:
    """Record the visible files of a folder that are not among those read."""
    known = set(read)
    report.leave_unread(
        path.relative_to(folder).as_posix() for path in visible_files(folder) if path not in known
    )


def _find_files(
    folder: Path, source: Path, suffixes: Sequence[str], report: ConversionReport
) -> list[tuple[Path, str]]:
    files = [path for path in visible_files(folder) if path.name.endswith(tuple(suffixes))]
    report_unread(folder, files, report)
    if not files:
        raise InputError(f"{source}: no file *{', *'.join(suffixes)}; check --from")
    if len(files) == 1:
        return [(files[0], "")]
    return [(path, path.relative_to(folder).with_suffix("").as_posix()) for path in files]


def _unpack(path: Path, folder: Path, suffixes: Sequence[str], report: ConversionReport) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            files = [
                member
                for member in archive.infolist()
                if not (member.is_dir() or is_hidden(PurePath(member.filename)))
            ]
            members = [member for member in files if member.filename.endswith(tuple(suffixes))]
            chosen = {member.filename for member in members}
            report.leave_unread(file.filename for file in files if file.filename not in chosen)
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
