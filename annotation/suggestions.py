"""Suggested spans for annotators, and how accurate they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..corpus.document import Document, Span
from ..corpus.labels import DEFAULT_LABELS
from ..corpus.tagger import Tagger, TrainedTagger, count_seen
from ..evaluation.metrics import Evaluation, evaluate
from ..evaluation.report.tables import score_table
from ..ui import DataTable, OnProgress, Progress, ignore_progress

DEFAULT_GOLD = DEFAULT_LABELS.parents[1] / "articles" / "dev.jsonl"
"""Gold documents of the default label set, to measure suggestions on."""


def suggest(
    documents: Iterable[Document],
    taggers: Sequence[Tagger],
    labels: Iterable[str],
    on_progress: OnProgress = ignore_progress,
) -> list[Document]:
    """Add suggested spans to the documents that have no spans.

    Args:
        documents: those that have spans already are returned unchanged.
        taggers: in order of precedence: where spans of two taggers overlap, that of the earlier
            tagger is kept.
        labels: spans with other labels are dropped.
        on_progress: called as documents are tagged.
    """
    documents = list(documents)
    unlabeled = [document for document in documents if not document.spans]
    tagged = _combine(unlabeled, taggers, set(labels))
    suggested = {d.id: d for d in _report(tagged, "Suggesting spans", len(unlabeled), on_progress)}
    return [suggested.get(document.id, document) for document in documents]


def _combine(
    documents: Sequence[Document], taggers: Sequence[Tagger], labels: set[str]
) -> Iterator[Document]:
    tagged = (tagger.tag(documents) for tagger in taggers)
    for document, *predictions in zip(documents, *tagged, strict=True):
        spans: list[Span] = []
        for predicted in predictions:
            spans += [
                span
                for span in predicted.spans
                if span.label in labels
                and all(span.end <= other.start or other.end <= span.start for other in spans)
            ]
        yield document.with_spans(spans)


def measure_suggestions(
    gold: Iterable[Document],
    taggers: Sequence[Tagger],
    labels: Sequence[str],
    on_progress: OnProgress = ignore_progress,
) -> Evaluation:
    """Evaluate the spans that :func:`suggest` would add to gold documents.

    Args:
        gold: documents with gold spans, which the taggers do not see.
        taggers: in order of precedence.
        labels: spans with other labels are dropped.
        on_progress: called as documents are tagged.
    """
    documents = list(gold)
    unlabeled = [document.with_spans(()) for document in documents]
    tagged = _combine(unlabeled, taggers, set(labels))
    steps = _report(tagged, "Measuring the suggestions", len(documents), on_progress)
    return evaluate(documents, steps, labels)


def _report(
    documents: Iterable[Document], task: str, total: int, on_progress: OnProgress
) -> Iterator[Document]:
    """Yield documents, and report each as progress of a task."""
    on_progress(Progress(task, 0, total))
    for number, document in enumerate(documents, start=1):
        yield document
        on_progress(Progress(task, number, total))


def suggestion_table(
    evaluation: Evaluation, gold: Path, documents: Iterable[Document], model: TrainedTagger | None
) -> DataTable:
    """Return the accuracy of suggestions as a table.

    Args:
        evaluation: of the suggestions.
        gold: the file of the gold documents.
        documents: the gold documents.
        model: the trained model among the taggers. The table warns if its training data
            contain gold documents.
    """
    note = f"measured on the documents of {gold.name}"
    seen = 0 if model is None else count_seen(model, documents)
    if seen:
        note += (
            f"; the model was trained or selected on {seen} of them, so these scores are too high"
        )
    return score_table(evaluation, "Accuracy of the suggestions", note)
