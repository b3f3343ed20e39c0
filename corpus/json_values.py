"""Strings and objects that a JSON Lines file in UTF-8 can hold.

Python's `json` reads and writes more: half of a surrogate pair, NaN, and infinite numbers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from ..errors import InputError

MAX_NESTING = 100
"""Deepest nesting of an object. Python's JSON reader and writer allow some hundred levels more."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def check_encoding(text: str, field: str, location: str) -> None:
    """Refuse a string that UTF-8 cannot encode: one with half of a surrogate pair.

    Args:
        text: the string.
        field: its field, such as `'text' of 'june-1'`.
        location: the position of the record.

    Raises:
        InputError: naming the location, the field and the character.
    """
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{location}: field {field} contains an unpaired surrogate at character "
            f"{error.start}; replace it with U+FFFD"
        ) from error


def check_json(value: Mapping[str, Any], name: str, location: str) -> None:
    """Refuse an object that cannot be written as JSON in UTF-8 and read again.

    Args:
        value: the object.
        name: the name of its field.
        location: the position of the record.

    Raises:
        InputError: naming the location, the field and the fault.
    """
    too_deep = f"is nested more than {MAX_NESTING} levels deep; remove the inner ones"
    try:
        encoded = _encode_json(value)
        encoded.encode()
        if encoded.count("{") + encoded.count("[") <= MAX_NESTING or not is_too_deep(value):
            return
        fault = too_deep
    except UnicodeEncodeError:
        fault = "contains an unpaired surrogate; replace it with U+FFFD"
    except RecursionError:
        fault = too_deep
    except ValueError:
        fault = "contains NaN, an infinite or a very long number; write null, or a string"
    except TypeError as error:
        fault = f"is not JSON ({error}); write strings, numbers, lists and objects"
    raise InputError(f"{location}: field '{name}' {fault}")


def is_too_deep(value: object) -> bool:
    """Return whether lists and objects are nested more than :data:`MAX_NESTING` levels deep."""
    level = [value]
    for _ in range(MAX_NESTING):
        objects = [
            child for parent in level if isinstance(parent, dict) for child in parent.values()
        ]
        lists = [child for parent in level if isinstance(parent, list | tuple) for child in parent]
        level = objects + lists
    return bool(level)


def encode_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON; NaN and infinite numbers, which JSON does not have, become null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:
        finite = without_nan(value)
        return json.dumps(finite, ensure_ascii=False, allow_nan=False, indent=indent)


def without_nan(value: Any) -> Any:
    """Return a value whose NaN and infinite numbers are None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: without_nan(child) for key, child in value.items()}
    return list(map(without_nan, value)) if isinstance(value, list | tuple) else value


def to_json_value(value: Any, location: str, depth: int = 1) -> Any:
    """Return a value that can be written as JSON in UTF-8.

    Dates, decimals and the like become strings, numbers that are not finite null, and unpaired
    surrogates U+FFFD.

    Args:
        value: lists and objects, and values of any type in them.
        location: the position of the record, for messages.
        depth: the nesting of this value.

    Raises:
        InputError: if it is nested too deeply.
    """
    if depth > MAX_NESTING:
        raise InputError(f"{location}: more than {MAX_NESTING} lists and objects in one another")
    if isinstance(value, list | tuple):
        return [to_json_value(item, location, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {
            replace_surrogates(str(name)): to_json_value(item, location, depth + 1)
            for name, item in value.items()
        }
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return replace_surrogates(str(value))


def replace_surrogates(text: str) -> str:
    """Return a text that UTF-8 can encode: unpaired surrogates become U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
