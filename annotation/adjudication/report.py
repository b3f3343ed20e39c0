"""What readings disputed and how it was settled: what the guidelines leave unclear."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...corpus.document import Document
from ...ui import DataTable

_Marks = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class ResolvedConflict:
    """A conflict of a gold document, as `meta.adjudication` records it.

    Attributes:
        document: the gold document.
        readings: by name, what each marked there as start, end and label.
        gold: what stands in gold.
        decided_by: who, or which policy.
    """

    document: Document
    readings: dict[str, _Marks]
    gold: _Marks
    decided_by: str

    @property
    def words(self) -> str:
        """The text in dispute, from the first to the last character that a reading marked."""
        marks = [mark for marks in (*self.readings.values(), self.gold) for mark in marks]
        covered = self.document.text[min(m[0] for m in marks) : max(m[1] for m in marks)]
        return " ".join(covered.split())

    @property
    def kind(self) -> str:
        """What stands against what: labels, or where the same label begins and ends."""
        sides = sorted(
            {
                " + ".join(label for *_, label in marks) or "nothing"
                for marks in self.readings.values()
            }
        )
        if len(sides) == 1:
            return f"{sides[0]}: where it begins or ends"
        return " or ".join(sorted(sides, key=lambda side: (side == "nothing", side)))


def find_resolved_conflicts(gold: Iterable[Document]) -> Iterator[ResolvedConflict]:
    """Yield the conflicts that gold documents record, in order."""

    def marks(entries: Iterable[Any]) -> _Marks:
        return tuple((int(start), int(end), str(label)) for start, end, label in entries)

    for document in gold:
        record = document.meta.get("adjudication") or {}
        for decision in record.get("decisions", ()):
            readings = {name: marks(found) for name, found in decision["annotations"].items()}
            yield ResolvedConflict(
                document, readings, marks(decision["gold"]), record["decided_by"]
            )


def conflict_tables(gold: Iterable[Document]) -> list[DataTable]:
    """Return what was disputed most, which words more than once, and whom gold follows."""
    disputes = list(find_resolved_conflicts(gold))
    kinds: dict[str, list[ResolvedConflict]] = defaultdict(list)
    words: dict[str, list[ResolvedConflict]] = defaultdict(list)
    asked: Counter[str] = Counter()
    followed: Counter[str] = Counter()
    for dispute in disputes:
        kinds[dispute.kind].append(dispute)
        words[dispute.words.lower()].append(dispute)
        asked.update(list(dispute.readings))
        followed.update(name for name, marks in dispute.readings.items() if marks == dispute.gold)
    return [
        DataTable(
            "What was disputed",
            ("kind", "times", "gold has", "for example"),
            tuple(
                (kind, len(found), _settled(found), _example(found[0]))
                for kind, found in sorted(kinds.items(), key=lambda item: -len(item[1]))
            ),
        ),
        DataTable(
            "Words disputed more than once",
            ("words", "times", "gold has", "kinds"),
            tuple(
                (found[0].words, len(found), _settled(found), _most(each.kind for each in found))
                for _, found in sorted(words.items(), key=lambda item: -len(item[1]))
                if len(found) > 1
            ),
            note="The guidelines should say what holds for these.",
        ),
        DataTable(
            "Whom gold follows",
            ("reading", "conflicts", "followed", "share"),
            tuple((name, n, followed[name], followed[name] / n) for name, n in asked.items()),
            bar=3,
        ),
    ]


def _settled(disputes: Iterable[ResolvedConflict]) -> str:
    return _most(" + ".join(label for *_, label in d.gold) or "nothing" for d in disputes)


def _most(values: Iterable[str]) -> str:
    return ", ".join(f"{value} {n}" for value, n in Counter(values).most_common(3))


def _example(dispute: ResolvedConflict) -> str:
    sides = " / ".join(
        " + ".join(f"{label} “{_quote(dispute, s, e)}”" for s, e, label in marks) or "nothing"
        for marks in dispute.readings.values()
    )
    return f"{sides} ({dispute.document.id})"


def _quote(dispute: ResolvedConflict, start: int, end: int) -> str:
    return " ".join(dispute.document.text[start:end].split())
