"""Files that another file names, such as the lists of a gazetteer: they lie in its folder.

Gazetteers and label sets are passed on, and what they name is read into models or shown to others.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, Field

from ..errors import InputError


def _check_name(name: str) -> str:
    windows = PureWindowsPath(name)
    if PurePosixPath(name).is_absolute() or windows.anchor or ".." in windows.parts:
        raise ValueError(f"'{name}' is outside of the file's folder; put it beside the file")
    return name


InnerFile = Annotated[str, Field(min_length=1), AfterValidator(_check_name)]
"""The path of a file in the folder of the file that names it."""


def find_inner(folder: Path, name: str) -> Path:
    """Return the path of a file that another one names.

    Args:
        folder: the folder of the file that names it.
        name: its path in that folder.

    Raises:
        InputError: if symbolic links lead out of the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: a link that leads out of {folder}; put the file there itself")
    return path
