"""Gazetteer audits: how often each phrase and pattern matches, and how often it is right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...corpus.document import Document
from ...corpus.gazetteer import iterate_patterns, load_phrases
from ...ui import DataTable
from ..tagger.gazetteer import EXCEPTION, Gazetteer, longest_spans
from ..tagger.words import find_words


@dataclass(frozen=True)
class EntryMatches:
    """The matches of one phrase or pattern.

    Only matches that are kept count: those that no exception overlaps, and of overlapping ones the
    longest. A match that several entries have counts for each of them.

    Attributes:
        label: the label of the entry.
        kind: how a phrase is matched (`exact`, `caseless` or `before_name`), or `pattern`.
        entry: the phrase; of a pattern its file, its line and an example.
        matches: number of matches in the gold documents.
        correct: those that are gold spans of the label.
        partial: those that are not, but overlap a gold span of the label.
        unlabeled_matches: number of matches in the unlabeled documents.
    """

    label: str
    kind: str
    entry: str
    matches: int
    correct: int
    partial: int
    unlabeled_matches: int

    @property
    def precision(self) -> float | None:
        """Share of the matches that are correct; None without matches."""
        return self.correct / self.matches if self.matches else None


@dataclass(frozen=True)
class GazetteerAudit:
    """The result of a gazetteer audit.

    Attributes:
        entries: the entries that match anywhere, those with the most false matches first.
        unmatched: number of entries that match nowhere.
        gold: number of gold documents.
        unlabeled: number of unlabeled documents.
    """

    entries: tuple[EntryMatches, ...]
    unmatched: int
    gold: int
    unlabeled: int


def audit_gazetteer(
    gold: Iterable[Document],
    unlabeled: Iterable[Document] = (),
    *,
    gazetteer: Path | None = None,
    labels: Iterable[str] | None = None,
) -> GazetteerAudit:
    """Count the matches of each phrase and pattern of a gazetteer, and those that are correct.

    Args:
        gold: documents with gold spans.
        unlabeled: documents whose spans are ignored. If they contain hardly any entity, matches
            in them are false.
        gazetteer: a TOML file; None for the gazetteer that ships with orbat.
        labels: phrases and patterns of other labels are skipped; None keeps all.

    Raises:
        InputError: if a file of the gazetteer is missing or broken.
        ValueError: if a pattern is not supported.
    """
    entries, finder = _number_entries(gazetteer, labels)
    matches, correct, partial, unlabeled_matches = (Counter[str]() for _ in range(4))
    gold_documents = unlabeled_documents = 0
    for document in gold:
        gold_documents += 1
        spans = {(span.start, span.end, span.label) for span in document.spans}
        for start, end, number in _find_kept(finder, document.text):
            label = entries[number][0]
            matches[number] += 1
            if (start, end, label) in spans:
                correct[number] += 1
            elif any(a < end and start < b and label == other for a, b, other in spans):
                partial[number] += 1
    for document in unlabeled:
        unlabeled_documents += 1
        unlabeled_matches.update(number for *_, number in _find_kept(finder, document.text))
    found = [
        EntryMatches(
            *entry,
            matches[number],
            correct[number],
            partial[number],
            unlabeled_matches[number],
        )
        for number, entry in entries.items()
        if matches[number] or unlabeled_matches[number]
    ]
    found.sort(key=lambda e: (e.correct - e.matches, -e.unlabeled_matches, e.label, e.entry))
    return GazetteerAudit(
        tuple(found), len(entries) - len(found), gold_documents, unlabeled_documents
    )


def _number_entries(
    path: Path | None, labels: Iterable[str] | None
) -> tuple[dict[str, tuple[str, str, str]], Gazetteer]:
    """Return label, kind and text of each entry by its number, and a gazetteer.

    The labels of the gazetteer are the numbers.
    """
    labels = None if labels is None else list(labels)
    entries: dict[str, tuple[str, str, str]] = {}
    phrases: dict[str, dict[str, Sequence[str]]] = defaultdict(dict)
    for kind, phrases_by_label in vars(load_phrases(path, labels)).items():
        for label, texts in phrases_by_label.items():
            for text in sorted(texts):
                number = str(len(entries))
                entries[number] = (label, kind, text)
                phrases[kind][number] = [text]
    patterns = []
    for location, pattern in iterate_patterns(path, labels):
        if pattern["label"] == EXCEPTION:
            patterns.append(pattern)
            continue
        number = str(len(entries))
        name = f"{Path(location).name} {pattern.get('span', '')}".strip()
        entries[number] = (pattern["label"], "pattern", name)
        patterns.append({**pattern, "label": number})
    return entries, Gazetteer(phrases, patterns)


def _find_kept(finder: Gazetteer, text: str) -> set[tuple[int, int, str]]:
    """Return the longest of overlapping matches, each once for every entry that has it."""
    candidates = finder.candidates(text, find_words(text).tolist())
    kept = {(start, end) for start, end, _ in longest_spans(text, candidates)}
    return {match for match in candidates if match[:2] in kept}


def audit_table(audit: GazetteerAudit) -> DataTable:
    """Return the entries with a false or an unlabeled match as a table, most false ones first."""
    rows = tuple(
        (e.label, e.entry, e.matches, e.correct, e.partial, e.precision,
         e.unlabeled_matches)
        for e in audit.entries
        if e.correct < e.matches or e.unlabeled_matches
    )  # fmt: skip
    columns = ("label", "entry", "matches", "correct", "partial", "precision", "unlabeled")
    right = len(audit.entries) - len(rows)
    return DataTable(
        "Gazetteer entries by false matches",
        columns,
        rows,
        note=f"{right:,} more entries have correct matches only; {audit.unmatched:,} match nowhere",
    )


def audit_to_json(audit: GazetteerAudit) -> dict[str, Any]:
    """Return an audit as a JSON object."""
    return {
        "gold_documents": audit.gold,
        "unlabeled_documents": audit.unlabeled,
        "unmatched_entries": audit.unmatched,
        "entries": [{**asdict(e), "precision": e.precision} for e in audit.entries],
    }
