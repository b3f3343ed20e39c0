"""Locks on folders that a command owns while it runs."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import InputError

LOCK_FILE = ".lock"
"""The lock's file in the folder."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""The errors of a drive that has no locks."""


@contextmanager
def lock_folder(folder: Path, *, wait: float = 0, keep: bool = True) -> Iterator[None]:
    """Keep other processes from a folder until the block ends; the same thread may lock it again.

    The system releases the lock of a killed process. On a drive without locks, as some network
    drives are, nothing is locked.

    Args:
        folder: the folder; created if it does not exist.
        wait: how many seconds to wait for another process that has locked it.
        keep: leave the lock's file in the folder. False is for folders of the user.

    Raises:
        InputError: if another process has locked the folder, or it cannot be created.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.resolve() / LOCK_FILE, is_singleton=True)
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise InputError(
            f"{folder}: another orbat command works in this folder; wait until it has ended"
        ) from error
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        # Before the release: filelock, from 3.24 on, gives nobody the lock of a file that was
        # removed. Its substitute on drives without locks it removes itself.
        if not keep and lock.lock_counter == 1 and type(lock) is FileLock:
            with suppress(OSError):  # Windows removes no open file
                (folder / LOCK_FILE).unlink()
        lock.release()
