"""Spans of Prodigy's tasks, and the tokens that prove them."""

from __future__ import annotations

from typing import Any

from ....errors import InputError
from ..imported import ImportedSpan
from .records import list_of_objects

_ADVICE = "export with prodigy db-out"


def read_spans(task: dict[str, Any], where: str, group: str | None) -> list[ImportedSpan]:
    """Return the spans of a task.

    Offsets that are missing are those of the tokens. A span's quote is its text, else that of its
    tokens.

    Args:
        task: the task.
        where: its position.
        group: the name of one of several groups of spans.

    Raises:
        InputError: if the spans or tokens are no lists of objects, or of several groups `group`
            is none.
    """
    found = task.get("spans")
    if isinstance(found, dict):
        found = _choose_group(found, where, group)
    spans = list_of_objects(found, f"{where}: spans", _ADVICE)
    tokens = list_of_objects(task.get("tokens"), f"{where}: tokens", _ADVICE)
    return [
        _parse_span(span, tokens, f"{where}: spans[{index}]") for index, span in enumerate(spans)
    ]


def _choose_group(groups: dict[str, Any], where: str, name: str | None) -> Any:
    if name is None and len(groups) > 1:
        names = ", ".join(groups)
        raise InputError(f"{where}: several groups of spans ({names}); choose one with --layer")
    if name is not None and name not in groups:
        raise InputError(f"{where}: no group of spans '{name}'; it has {', '.join(groups)}")
    return next(iter(groups.values()), None) if name is None else groups[name]


def _parse_span(span: dict[str, Any], tokens: list[dict[str, Any]], where: str) -> ImportedSpan:
    start, end, quote = span.get("start"), span.get("end"), span.get("text")
    covered = _covered_tokens(span, tokens)
    if covered and start is None and end is None:
        start, end = covered[0].get("start"), covered[-1].get("end")
    if covered and not isinstance(quote, str):
        # Other programs write the token after the last one as `token_end`.
        is_exclusive = len(covered) > 1 and covered[-2].get("end") == end
        quote = "".join(str(token.get("text")) for token in covered[: -1 if is_exclusive else None])
    return ImportedSpan(start, end, span.get("label"), quote, where)


def _covered_tokens(span: dict[str, Any], tokens: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tokens from `token_start` to `token_end`, both included."""
    first, last = span.get("token_start"), span.get("token_end")
    if not isinstance(first, int) or not isinstance(last, int):
        return []
    return tokens[first : last + 1] if 0 <= first <= last < len(tokens) else []
