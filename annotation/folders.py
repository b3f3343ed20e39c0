"""Folders that are written completely or not at all, and file names for document ids."""

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
    """Yield a temporary folder, and rename it to `path` if the block succeeds.

    Raises:
        InputError: if `path` exists and is not an empty folder, or cannot be written.
    """
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: already exists; remove it or name another folder")
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


def file_name(doc_id: str) -> str:
    """Return a document id as a relative path without suffix; unsafe characters become `_`."""
    parts = [re.sub(r"[^\w.@+=,-]", "_", part)[:100] for part in doc_id.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)
