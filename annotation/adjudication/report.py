"""Report of resolved conflicts: which cases the guidelines leave unclear."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...corpus.document import Document
from ...errors import InputError
from ...ui import DataTable

_Spans = tuple[tuple[int, int, str], ...]
NO_SPAN = "no span"


@dataclass(frozen=True)
class ResolvedConflict:
    """A conflict of a gold document, as its `meta.adjudication` records it.

    Attributes:
        document: the gold document.
        annotations: the spans of each annotator as (start, end, label), by annotator.
        gold: the gold spans.
        decided_by: the adjudicator or policy.
    """

    document: Document
    annotations: dict[str, _Spans]
    gold: _Spans
    decided_by: str

    @property
    def phrase(self) -> str:
        """The text from the first to the last character that an annotator or gold has marked."""
        spans = [span for spans in (*self.annotations.values(), self.gold) for span in spans]
        covered = self.document.text[min(s[0] for s in spans) : max(s[1] for s in spans)]
        return " ".join(covered.split())

    @property
    def kind(self) -> str:
        """The conflicting labels; `LABEL: boundary` if the annotators have the same labels."""
        sides = {
            " + ".join(label for *_, label in spans) or NO_SPAN
            for spans in self.annotations.values()
        }
        if len(sides) == 1:
            return f"{sides.pop()}: boundary"
        return " or ".join(sorted(sides, key=lambda side: (side == NO_SPAN, side)))


def find_resolved_conflicts(gold: Iterable[Document]) -> Iterator[ResolvedConflict]:
    """Yield the conflicts that gold documents record, in order.

    Raises:
        InputError: for a record of an older version of orbat.
    """

    def parse(entries: Iterable[Any]) -> _Spans:
        return tuple((int(start), int(end), str(label)) for start, end, label in entries)

    for document in gold:
        record = document.meta.get("adjudication") or {}
        for decision in record.get("decisions", ()):
            if "annotations" not in decision:
                raise InputError(
                    f"document '{document.id}': adjudicated with an older version of orbat; "
                    "adjudicate it again"
                )
            annotations = {name: parse(spans) for name, spans in decision["annotations"].items()}
            yield ResolvedConflict(
                document, annotations, parse(decision["gold"]), record["decided_by"]
            )


def conflict_tables(gold: Iterable[Document]) -> list[DataTable]:
    """Return tables of the conflicts by kind and by phrase, and of whose spans became gold."""
    conflicts = list(find_resolved_conflicts(gold))
    return [_kind_table(conflicts), _phrase_table(conflicts), _annotator_table(conflicts)]


def _kind_table(conflicts: Iterable[ResolvedConflict]) -> DataTable:
    kinds: dict[str, list[ResolvedConflict]] = defaultdict(list)
    for conflict in conflicts:
        kinds[conflict.kind].append(conflict)
    return DataTable(
        "Conflicts by kind",
        ("kind", "conflicts", "gold", "example"),
        tuple(
            (kind, len(group), _gold_labels(group), _example(group[0]))
            for kind, group in sorted(kinds.items(), key=lambda item: -len(item[1]))
        ),
    )


def _phrase_table(conflicts: Iterable[ResolvedConflict]) -> DataTable:
    phrases: dict[str, list[ResolvedConflict]] = defaultdict(list)
    for conflict in conflicts:
        phrases[conflict.phrase.lower()].append(conflict)
    return DataTable(
        "Phrases with more than one conflict",
        ("phrase", "conflicts", "gold", "kinds"),
        tuple(
            (
                group[0].phrase,
                len(group),
                _gold_labels(group),
                _most_common(conflict.kind for conflict in group),
            )
            for _, group in sorted(phrases.items(), key=lambda item: -len(item[1]))
            if len(group) > 1
        ),
        note="The guidelines should say how to annotate these.",
    )


def _annotator_table(conflicts: Iterable[ResolvedConflict]) -> DataTable:
    total: Counter[str] = Counter()
    followed: Counter[str] = Counter()
    for conflict in conflicts:
        total.update(list(conflict.annotations))
        followed.update(
            name for name, spans in conflict.annotations.items() if spans == conflict.gold
        )
    return DataTable(
        "Conflicts resolved as each annotator had it",
        ("annotator", "conflicts", "as annotator", "share"),
        tuple((name, n, followed[name], followed[name] / n) for name, n in total.items()),
        bar_column=3,
    )


def _gold_labels(conflicts: Iterable[ResolvedConflict]) -> str:
    return _most_common(" + ".join(label for *_, label in c.gold) or NO_SPAN for c in conflicts)


def _most_common(values: Iterable[str]) -> str:
    return ", ".join(f"{value} {n}" for value, n in Counter(values).most_common(3))


def _example(conflict: ResolvedConflict) -> str:
    sides = " / ".join(
        " + ".join(f"{label} “{_quote(conflict, start, end)}”" for start, end, label in spans)
        or NO_SPAN
        for spans in conflict.annotations.values()
    )
    return f"{sides} ({conflict.document.id})"


def _quote(conflict: ResolvedConflict, start: int, end: int) -> str:
    return " ".join(conflict.document.text[start:end].split())
