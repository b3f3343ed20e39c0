"""Records of an annotation tool's export: JSON Lines, or the items of a JSON array."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....corpus.files import read_json_lines
from ....corpus.reading.json_arrays import is_json_array, iterate_json_array
from ....errors import InputError


def read_records(path: Path, advice: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the position and the fields of each record.

    Args:
        path: the file.
        advice: how to export a file that can be read, for messages.

    Raises:
        InputError: if the file cannot be read, or naming the record that is not a JSON object.
    """
    if is_json_array(path):
        records = iterate_json_array(path)
    elif _is_other_text(path):
        raise InputError(f"{path}: not JSON; {advice}")
    else:
        records = read_json_lines(path)
    for where, record in records:
        if not isinstance(record, dict):
            raise InputError(f"{where}: not a JSON object; {advice}")
        yield where, record


def _is_other_text(path: Path) -> bool:
    """Return whether the first character of a file is not that of a JSON object."""
    try:
        with path.open("rb") as file:
            head = file.read(4096).removeprefix(codecs.BOM_UTF8).lstrip()
    except OSError:
        return False
    return path.suffix != ".gz" and bool(head) and not head.startswith(b"{")


def list_of_objects(value: Any, where: str, advice: str) -> list[dict[str, Any]]:
    """Return a field that is a list of JSON objects; an empty list if it is null.

    Args:
        value: the field's value, of any type.
        where: position and name of the field, for messages.
        advice: what to do if it is something else.

    Raises:
        InputError: if it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError(f"{where}: not a list of JSON objects; {advice}")
    return value


def count_of(value: Any) -> int:
    """Return how many items a field has that may be a list; 1 for any other value but null."""
    if isinstance(value, list | dict | str):
        return len(value) if isinstance(value, list | dict) else int(bool(value))
    return int(value is not None)
