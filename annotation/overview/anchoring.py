"""How annotators treat suggestions: kept or changed, and wrong ones kept on control documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...corpus.document import Document
from .work import WorkedDocument


@dataclass(frozen=True)
class SuggestionUse:
    """What an annotator did with the suggestions in the documents that they confirmed.

    Attributes:
        documents: number of confirmed documents with a suggestion.
        unchanged: number of those whose spans are exactly the suggestions.
        suggested: number of suggestions.
        kept: number of suggestions that are still there with the same offsets and label.
        wrong: number of suggestions on control documents that the gold lacks.
        wrong_kept: number of those that the annotator kept.
    """

    documents: int
    unchanged: int
    suggested: int
    kept: int
    wrong: int
    wrong_kept: int

    @property
    def share_unchanged(self) -> float | None:
        """Share of the documents that were confirmed as suggested; None without any."""
        return self.unchanged / self.documents if self.documents else None

    @property
    def share_kept(self) -> float | None:
        """Share of the suggestions that were kept; None without any."""
        return self.kept / self.suggested if self.suggested else None

    @property
    def share_wrong_kept(self) -> float | None:
        """Share of the wrong suggestions that were kept; None without any."""
        return self.wrong_kept / self.wrong if self.wrong else None


def measure_suggestion_use(
    confirmed: Iterable[WorkedDocument], control: Mapping[str, Document]
) -> SuggestionUse:
    """Compare confirmed documents with the suggestions that they were pushed with.

    Args:
        confirmed: an annotator's confirmed documents.
        control: the session's control documents with their gold spans, by id.
    """
    documents = unchanged = suggested = kept = wrong = wrong_kept = 0
    for worked in confirmed:
        before, after = set(worked.document.spans), set(worked.spans)
        if not before:
            continue
        documents += 1
        unchanged += before == after
        suggested += len(before)
        kept += len(before & after)
        if gold := control.get(worked.document.id):
            errors = before - set(gold.spans)
            wrong += len(errors)
            wrong_kept += len(errors & after)
    return SuggestionUse(documents, unchanged, suggested, kept, wrong, wrong_kept)
