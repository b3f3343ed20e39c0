"""Spans that overlap, which formats allow and documents do not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Literal, get_args

from ...errors import InputError

OverlapPolicy = Literal["longest", "refuse"]
"""`longest` keeps the longest of spans that overlap, `refuse` refuses the document."""


def parse_flatten(flatten: str | None) -> OverlapPolicy:
    """Return the policy that the option `--flatten` names; without it, overlaps are refused.

    Raises:
        InputError: if there is no such policy.
    """
    if flatten is None:
        return "refuse"
    if flatten not in get_args(OverlapPolicy) or flatten == "refuse":
        raise InputError(f"--flatten {flatten}: write --flatten longest; there is no other policy")
    return "longest"


def keep_longest(records: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Keep the longest of spans that overlap; of equally long ones the first.

    Args:
        records: spans with `start`, `end` and `label`.

    Returns:
        The spans kept, in the order of the text, and the number of the others.
    """
    longest_first = sorted(records, key=lambda r: (r["start"] - r["end"], r["start"], r["label"]))
    kept: list[dict[str, Any]] = []
    ends: list[int] = []
    for record in longest_first:
        # Those kept are disjoint, so that only the first one that ends later can overlap.
        index = bisect_right(ends, record["start"])
        if index == len(kept) or kept[index]["start"] >= record["end"]:
            kept.insert(index, record)
            ends.insert(index, record["end"])
    return kept, len(longest_first) - len(kept)


def refuse_overlaps(records: Iterable[dict[str, Any]], text: str, where: str) -> None:
    """Refuse spans that overlap.

    Raises:
        InputError: naming the first two, and the option that keeps the longest.
    """
    end, last = 0, None
    for record in sorted(records, key=lambda r: (r["start"], -r["end"])):
        if last is not None and record["start"] < end:
            names = [
                f"'{' '.join(text[r['start'] : r['end']].split())[:60]}' ({r['label']}, "
                f"{r['start']}-{r['end']})"
                for r in (last, record)
            ]
            raise InputError(
                f"{where}: the spans {names[0]} and {names[1]} overlap; keep the longest of such "
                "spans with --flatten longest"
            )
        end, last = record["end"], record
