"""Files that another file names, such as the lists of a gazetteer: they lie in its folder.

Gazetteers and label sets are passed on, and what they name is read into models or shown to others.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, Field

from ..errors import InputError, first_line


def check_inner(name: str) -> str:
    """Return a path if it stays inside the folder that it begins in.

    Raises:
        ValueError: if it is absolute, leads upwards or has control characters.
    """
    windows = PureWindowsPath(name)
    if PurePosixPath(name).is_absolute() or windows.anchor or ".." in windows.parts:
        raise ValueError(f"'{name}' is outside of the file's folder; put it beside the file")
    if not name.isprintable():
        raise ValueError("has control characters; rename the file")
    return name


InnerFile = Annotated[str, Field(min_length=1), AfterValidator(check_inner)]
"""The path of a file in the folder of the file that names it."""


def find_inner(folder: Path, name: str) -> Path:
    """Return the path of a file that another one names.

    Args:
        folder: the folder of the file that names it.
        name: its path in that folder.

    Raises:
        InputError: if symbolic links lead out of the folder, or round in a circle.
    """
    path = folder / name
    try:
        is_inside = path.resolve().is_relative_to(folder.resolve())
    # A circle of links, or a null character in the name of an earlier version.
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({first_line(error)}); replace the link"
        ) from error
    if not is_inside:
        raise InputError(f"{path}: a link that leads out of {folder}; put the file there itself")
    return path
