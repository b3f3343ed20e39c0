"""Names of classes, which data sets of Hugging Face store beside tags that are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ....corpus.reading.bounded import read_bytes
from ....corpus.reading.json_files import read_json_file
from ....errors import InputError

_INFO_FILES = ("dataset_info.json", "dataset_infos.json")
_NO_COLUMNS = {"class_label", "dtype", "feature", "features", "list", "sequence", "struct"}
"""Keys of a description of features that are no names of columns."""


class ClassNames:
    """The names of the classes of each column, as far as a data set has them."""

    def __init__(self) -> None:
        self._names: dict[str, set[tuple[str, ...]]] = {}

    def add(self, description: Any) -> None:
        """Add the names of a description of features.

        Args:
            description: as `Features.to_dict()` of `datasets`, `dataset_info.json` or the YAML of a
                `README.md` have it (https://huggingface.co/docs/hub/datasets-cards).
        """
        for column, names in _walk(description, ""):
            self._names.setdefault(column, set()).add(names)

    def add_files(self, folder: Path) -> None:
        """Add the names from the `README.md` and the `dataset_info.json` of a folder, if any.

        Raises:
            InputError: naming the file that cannot be read.
        """
        for name in _INFO_FILES:
            path = folder / name
            if path.is_file():
                self.add(read_json_file(path))
        if (folder / "README.md").is_file():
            self.add(_read_front_matter(folder / "README.md").get("dataset_info"))

    def get(self, column: str, where: str) -> list[str] | None:
        """Return the names of a column by number; None if there are none.

        Raises:
            InputError: if several configurations of the data set differ.
        """
        found = self._names.get(column, set())
        if len(found) > 1:
            raise InputError(
                f"{where}: the classes of {column} differ between the configurations of the data "
                "set; give the folder of one, with a dataset_info.json"
            )
        return list(next(iter(found))) if found else None


def _walk(node: Any, column: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, column)
    elif isinstance(node, dict):
        names = node.get("names")
        if isinstance(names, list):
            yield column, tuple(map(str, names))
            return
        if isinstance(names, dict) and all(str(key).isdecimal() for key in names):
            yield column, tuple(str(names[key]) for key in sorted(names, key=int))
            return
        own = node.get("name")
        for key, value in node.items():
            if isinstance(value, dict | list):
                inner = own if isinstance(own, str) else column
                yield from _walk(value, inner if key in _NO_COLUMNS else key)


def _read_front_matter(path: Path) -> dict[str, Any]:
    """Return the YAML at the head of a Markdown file; empty if there is none."""
    import yaml

    try:
        text = read_bytes(path).decode("utf-8-sig")
        if not text.startswith("---"):
            return {}
        # Values stay strings: a label NO would become False.
        value = yaml.load(text.split("\n---", 1)[0], yaml.BaseLoader)
    except RecursionError as error:
        raise InputError(f"{path}: its YAML is nested too deeply; flatten it") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: its YAML cannot be read ({reason}); correct it") from error
    return value if isinstance(value, dict) else {}
