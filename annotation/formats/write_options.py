"""How to write a format that leaves room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How to write a format that leaves room.

    Attributes:
        labels: for formats that list the labels, in this order; None for the labels that occur.
        scheme: the tagging scheme of formats of tokens and tags, `bio` or `bilou`.
    """

    labels: tuple[str, ...] | None = None
    scheme: str = "bio"
