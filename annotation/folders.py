"""Folders that are whole or absent, and file names made of document ids."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a neighbour folder, and rename it to `path` when the block ends well.

    Raises:
        InputError: if there is something at `path` already, or it cannot be written.
    """
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: is there already; remove it or name another folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        yield draft
        draft.chmod(0o755)
        draft.replace(path)
    except BaseException:
        shutil.rmtree(draft)
        raise


def file_name(identity: str) -> str:
    """Return an id as a relative path without ending; what no path may have becomes `_`."""
    parts = [re.sub(r"[^\w.@+=,-]", "_", part)[:100] for part in identity.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)
