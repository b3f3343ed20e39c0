"""The values of a mention: what is known, what stays open, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Norm:
    """The values of a mention. A field that is in neither mapping is unknown.

    Attributes:
        id: identifier of the entity in the value tables; None if it is not settled.
        values: settled values by field. A field has several only if the mention names several
            things, such as the numbers of "14 and 34 Brigades".
        open: fields with several possible values, between which the document does not decide.
        reasons: where the settled and open values of each field come from.
    """

    id: str | None
    values: Mapping[str, tuple[str, ...]]
    open: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object with `id`, `values`, `open` and `reasons`.

        A single settled value is a string, several are a list.
        """
        values = {name: v[0] if len(v) == 1 else list(v) for name, v in self.values.items()}
        open_values = {name: list(options) for name, options in self.open.items()}
        return {"id": self.id, "values": values, "open": open_values, "reasons": dict(self.reasons)}
