"""Label issues: likely errors in gold, found with out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..corpus.document import Document, Span
from ..evaluation.span_alignment import ErrorKind
from ..ui import DataTable, format_value
from .agreement.disagreements import Disagreement, find_disagreements, quote
from .word_probabilities import WordProbabilities

Prediction = tuple[Document, WordProbabilities]
"""A document with predicted spans, and the label probabilities of its words."""


@dataclass(frozen=True)
class LabelIssue:
    """A difference between gold and prediction, where gold is likely wrong.

    Attributes:
        document: the gold document.
        kind: how gold differs from the prediction, with the prediction as reference: `missed` is
            a span that gold lacks.
        gold: the gold span; None if gold has none.
        predicted: the predicted span; None if there is none.
        error_probability: the model's probability that gold is wrong, from 0 to 1.
        nll: mean negative log-likelihood of gold under the model, in nats. It ranks issues of
            the same probability, such as those of an overconfident model.
        text: the text of both spans.
        context: the text around the spans.
    """

    document: Document
    kind: ErrorKind
    gold: Span | None
    predicted: Span | None
    error_probability: float
    nll: float
    text: str
    context: str


def find_label_issues(
    gold: Iterable[Document], predictions: Iterable[Prediction], *, top: int | None = None
) -> list[LabelIssue]:
    """Rank the differences between gold and predictions by the probability that gold is wrong.

    The probability is one minus the mean probability of the gold label, over the words that have
    different labels in gold and prediction. This applies the self-confidence score of confident
    learning (Northcutt et al. 2021) to spans instead of tokens.

    Args:
        gold: documents with gold spans.
        predictions: for the same documents in the same order, by models that were not trained on
            them (`out_of_fold_predictions` of the training room).
        top: the maximum number of issues; None for all.

    Returns:
        The issues, most likely errors first.
    """
    issues = [
        _make_issue(document, disagreement, probabilities)
        for document, (predicted, probabilities) in zip(gold, predictions, strict=True)
        for disagreement in find_disagreements(document, predicted)
    ]
    issues.sort(key=lambda issue: (-issue.error_probability, -issue.nll, issue.document.id))
    return issues[:top]


def _make_issue(
    document: Document, disagreement: Disagreement, probabilities: WordProbabilities
) -> LabelIssue:
    gold, predicted = disagreement.first, disagreement.second
    likelihood = _gold_likelihood(gold, predicted, probabilities)
    return LabelIssue(
        document,
        disagreement.kind.reversed,
        gold,
        predicted,
        error_probability=float(1 - likelihood.mean()),
        nll=float(-np.log(np.maximum(likelihood, 1e-300)).mean()),
        text=quote(disagreement),
        context=disagreement.context,
    )


def _gold_likelihood(
    gold: Span | None, predicted: Span | None, probabilities: WordProbabilities
) -> Any:
    """Return the probability of gold's label for each word that the two spans label differently.

    Returns:
        *Shape:* (words,). A single 1 if the spans differ inside a word only.
    """
    spans = [span for span in (gold, predicted) if span]
    first, last = np.searchsorted(
        probabilities.words[:, 0], (min(s.start for s in spans), max(s.end for s in spans))
    )
    # A span that starts inside a word covers that word.
    first = min(first, max(last - 1, 0))
    gold_classes = probabilities.classes([gold] if gold else [])[first:last]
    predicted_classes = probabilities.classes([predicted] if predicted else [])[first:last]
    different = gold_classes != predicted_classes
    if not different.any():
        return np.ones(1)
    values = probabilities.values[first:last]
    return values[np.arange(len(gold_classes)), gold_classes][different]


def review_documents(issues: Sequence[LabelIssue]) -> list[Document]:
    """Return the documents with issues, most likely errors first, for review by annotators.

    The documents keep their gold spans; `meta.review` describes the issues.
    """
    by_document: dict[str, list[LabelIssue]] = {}
    for issue in issues:
        by_document.setdefault(issue.document.id, []).append(issue)
    documents = []
    for group in by_document.values():
        review = {f"issue {n}": _describe(issue) for n, issue in enumerate(group, start=1)}
        document = group[0].document
        documents.append(replace(document, meta={**document.meta, "review": review}))
    return documents


def _describe(issue: LabelIssue) -> str:
    def show(span: Span | None) -> str:
        return "no span" if span is None else f"{span.label} {span.start}-{span.end}"

    return (
        f"{issue.kind} ({issue.error_probability:.0%}): gold {show(issue.gold)}, "
        f"model {show(issue.predicted)}: {issue.text}"
    )


def label_issue_to_json(issue: LabelIssue) -> dict[str, Any]:
    """Return a label issue as a JSON object."""

    def to_json(span: Span | None) -> dict[str, Any] | None:
        if span is None:
            return None
        return {"start": span.start, "end": span.end, "label": span.label}

    return {
        "document": issue.document.id,
        "kind": issue.kind,
        "error_probability": round(issue.error_probability, 4),
        "nll": round(issue.nll, 4),
        "gold": to_json(issue.gold),
        "predicted": to_json(issue.predicted),
        "text": issue.text,
        "context": issue.context,
    }


def label_issue_table(issues: Iterable[LabelIssue]) -> DataTable:
    """Return label issues as a table. Its last column, the context, is long."""

    def label(span: Span | None) -> str:
        return format_value(span and span.label)

    return DataTable(
        "Likely label errors",
        ("error probability", "kind", "gold", "model", "document", "text", "context"),
        tuple(
            (
                *(issue.error_probability, issue.kind, label(issue.gold), label(issue.predicted)),
                *(issue.document.id, issue.text, issue.context),
            )
            for issue in issues
        ),
    )
