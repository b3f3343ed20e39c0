"""Files and folders that appear whole or not at all.

They are written to a hidden draft beside them, which is renamed at the end. A draft is locked while
its process lives; the next process that writes the same path removes those that killed ones left.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ...errors import InputError

DRAFT_SUFFIX = ".orbat-draft"
"""The ending of drafts."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of a disk, a quota or a file that is full, which do not name the file."""


@contextmanager
def name_full_disk(path: Path) -> Iterator[None]:
    """Name the file that is written in a block, if there is no room for it.

    Raises:
        InputError: if the disk or a quota is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); make room, then run the command again"
        ) from error


@contextmanager
def open_atomic(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Open a file for atomic writing.

    The bytes go to a draft in the same folder, which replaces `path` when the block ends without
    an error (POSIX rename is atomic). After an error, `path` is unchanged.

    Args:
        path: the file to write; missing folders are created.
        private: make the file readable by its owner only (mode 0600).

    Yields:
        The open draft.

    Raises:
        InputError: if `path` is a folder or cannot be written.
    """
    path = Path(path)
    draft, handle = _create_draft(path, is_folder=False)
    try:
        with name_full_disk(path), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # The mode of a new temporary file is 0600.
            if not private:
                draft.chmod(0o666 & ~current_umask())
            draft.replace(path)
    except IsADirectoryError as error:
        draft.unlink(missing_ok=True)
        raise InputError(f"{path}: is a folder; name a file") from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def open_folder_atomic(
    path: Path, *, replace: bool = False, keep_modes: bool = False
) -> Iterator[Path]:
    """Open a hidden sibling folder that is renamed to `path` when the block ends without error.

    Args:
        path: the folder to write. An empty folder may be there already.
        replace: remove an existing folder first.
        keep_modes: leave the modes of the folder, which nobody else can enter at first, and of what
            is in it.

    Yields:
        The sibling folder, to write the files to.

    Raises:
        InputError: if `path` exists and `replace` is not set, or it cannot be written.
    """
    path = Path(path)
    if not replace and path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: exists already; remove it or name another folder")
    draft, handle = _create_draft(path, is_folder=True)
    try:
        with name_full_disk(path):
            yield draft
            # Temporary folders have the mode 0700, and some libraries write files with 0600.
            mask = current_umask()
            for part in () if keep_modes else (draft, *draft.rglob("*")):
                part.chmod((0o777 if part.is_dir() else 0o666) & ~mask)
            if replace:
                shutil.rmtree(path, ignore_errors=True)
            draft.replace(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        os.close(handle)


@contextmanager
def open_scratch_folder() -> Iterator[Path]:
    """Open a folder in the system's temporary folder that is removed when the block ends.

    Those that killed processes of this user have left are removed first.

    Raises:
        InputError: if it cannot be created.
    """
    draft, handle = _create_draft(
        Path(tempfile.gettempdir()) / f"orbat-{os.getuid()}", is_folder=True
    )
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(handle)


def current_umask() -> int:
    """Return the permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _create_draft(path: Path, *, is_folder: bool) -> tuple[Path, int]:
    """Create a draft of a path; return it and its open, locked handle."""
    prefix = "." + os.fsencode(path.name)[:200].decode(errors="ignore") + "."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent, prefix)
        while True:
            if is_folder:
                name = tempfile.mkdtemp(DRAFT_SUFFIX, prefix, path.parent)
                handle = os.open(name, os.O_RDONLY)
            else:
                handle, name = tempfile.mkstemp(DRAFT_SUFFIX, prefix, path.parent)
            with suppress(OSError):  # some network drives have no locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            if Path(name).exists():
                return Path(name), handle
            # Another process took it for abandoned before it was locked.
            os.close(handle)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the drafts that no living process has locked."""
    for draft in folder.glob(f"{glob.escape(prefix)}*{DRAFT_SUFFIX}"):
        with suppress(OSError):
            handle = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if draft.is_dir():
                    shutil.rmtree(draft)
                else:
                    draft.unlink()
            finally:
                os.close(handle)
