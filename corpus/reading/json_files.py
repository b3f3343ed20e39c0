"""Reading of files that hold one JSON value, such as settings and records of earlier commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..json_values import MAX_NESTING, is_too_deep
from .bounded import MAX_ARTICLE_BYTES, read_bytes


def decode_json(content: bytes, location: str) -> Any:
    """Return the value of a JSON text in UTF-8, with or without a byte order mark.

    Args:
        content: the text.
        location: its file, for messages.

    Raises:
        InputError: if it is not JSON, is nested more than `MAX_NESTING` levels deep, or has a
            number of more than 4,300 digits.
    """
    too_deep = f"{location}: nested more than {MAX_NESTING} levels deep; export it again"
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        fault = f"not UTF-8 at byte {error.start}; convert it to UTF-8"
        raise InputError(f"{location}: {fault}") from error
    except json.JSONDecodeError as error:
        fault = f"invalid JSON ({error.msg}, line {error.lineno}); export it again"
        raise InputError(f"{location}: {fault}") from error
    except RecursionError as error:
        raise InputError(too_deep) from error
    except ValueError as error:
        fault = "a number has too many digits; write it as a string"
        raise InputError(f"{location}: {fault}") from error
    if is_too_deep(value):
        raise InputError(too_deep)
    return value


def read_json_file(path: Path, limit: int = MAX_ARTICLE_BYTES) -> Any:
    """Return the value in a JSON file.

    Raises:
        InputError: if it cannot be read, is larger than the limit in bytes, or as
            :func:`decode_json`.
    """
    return decode_json(read_bytes(path, limit), str(path))


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        InputError: as :func:`read_json_file`, or if the value is no object.
    """
    value = read_json_file(path)
    if not isinstance(value, dict):
        raise InputError(f"{path}: not a JSON object; restore the file")
    return value
