"""The choice between spaCy's `doc.ents` and a group of `doc.spans`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ...errors import InputError
from .conversion_report import ConversionReport

_Item = TypeVar("_Item")


class SpanGroups:
    """Chooses the same spans in all documents of a source, and counts the others.

    Args:
        wanted: the key of a span group; None for the entities.
        report: records what is dropped.
    """

    def __init__(self, wanted: str | None, report: ConversionReport) -> None:
        self._wanted = wanted
        self._report = report
        self._keys: set[str] = set()

    def choose(
        self, ents: Sequence[_Item], groups: Mapping[str, Sequence[_Item]]
    ) -> Sequence[_Item]:
        """Return the spans of the wanted group, or the entities."""
        self._keys |= set(groups)
        for key, group in groups.items():
            if key != self._wanted:
                kind = f"spans of the span group '{key}' (read it with --layer)"
                self._report.drop(kind, len(group))
        if self._wanted is None:
            return ents
        self._report.drop("entities outside of the span group", len(ents))
        return groups.get(self._wanted, ())

    def check(self, source: Path) -> None:
        """Refuse a source without the wanted group.

        Raises:
            InputError: naming the groups that there are.
        """
        if self._wanted is not None and self._wanted not in self._keys:
            keys = ", ".join(sorted(self._keys)) or "(none)"
            raise InputError(
                f"{source}: no span group '{self._wanted}'; choose --layer from {keys}"
            )
