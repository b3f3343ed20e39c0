"""Likely label errors: spans of gold that predictions by models that have not seen them deny."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..corpus.document import Document, Span
from ..evaluation.span_alignment import ErrorKind
from ..ui import DataTable
from .agreement.disagreements import Disagreement, find_disagreements, quote
from .word_probabilities import WordProbabilities

Prediction = tuple[Document, WordProbabilities]
"""A document with a model's spans, and what that model thinks of its words."""


@dataclass(frozen=True)
class LabelIssue:
    """A place where gold is likely wrong.

    Attributes:
        document: the gold document.
        kind: how gold differs from the model, with the model as reference.
        gold: the span in gold; None where one is missed.
        suggested: the span that the model would have; None where gold's is spurious.
        chance: the model's chance that gold is wrong there, from 0 to 1.
        surprise: how little it expects gold, in nats; it decides between equal chances, as a
            model that is too sure of itself gives.
        words: the words of both spans.
        context: the text around them.
    """

    document: Document
    kind: ErrorKind
    gold: Span | None
    suggested: Span | None
    chance: float
    surprise: float
    words: str
    context: str


def find_label_issues(
    gold: Iterable[Document], predictions: Iterable[Prediction]
) -> list[LabelIssue]:
    """Rank the places where gold and predictions differ, the likeliest errors first.

    The chance is one minus the mean chance that the model gives gold's label, over the words
    that gold and prediction label differently, the surprise the mean negative logarithm; so it is
    span by span what confident learning (Northcutt et al. 2021) asks token by token.

    Args:
        gold: documents with gold spans.
        predictions: of the same documents in the same order, by models not trained on them.
    """
    found = [
        _suspect(document, each, chances)
        for document, (predicted, chances) in zip(gold, predictions, strict=True)
        for each in find_disagreements(document, predicted)
    ]
    return sorted(found, key=lambda each: (-each.chance, -each.surprise, each.document.id))


def _suspect(document: Document, found: Disagreement, chances: WordProbabilities) -> LabelIssue:
    spans = [span for span in (found.first, found.second) if span]
    first, last = np.searchsorted(
        chances.words[:, 0], (min(s.start for s in spans), max(s.end for s in spans))
    )
    # A span that begins inside a word stands on that word.
    first = min(first, max(last - 1, 0))
    mine = chances.classes([found.first] if found.first else [])[first:last]
    theirs = chances.classes([found.second] if found.second else [])[first:last]
    values = chances.values[first:last]
    differ = mine != theirs
    # Where only a border inside a word differs, no word does.
    own = values[np.arange(len(mine)), mine][differ] if differ.any() else np.ones(1)
    surprise = float(-np.log(np.maximum(own, 1e-300)).mean())
    return LabelIssue(
        *(document, found.kind.reversed, found.first, found.second),
        *(float(1 - own.mean()), surprise, quote(found), found.context),
    )


def worst_documents(suspicions: Sequence[LabelIssue]) -> list[Document]:
    """Return the suspects' documents, worst first, to be put before annotators again.

    They keep their gold spans; `meta.review` tells in words what is suspected.
    """
    places: dict[str, list[LabelIssue]] = {}
    for each in suspicions:
        places.setdefault(each.document.id, []).append(each)
    documents = []
    for found in places.values():
        words = {f"issue {n}": _words(each) for n, each in enumerate(found, start=1)}
        document = found[0].document
        documents.append(replace(document, meta={**document.meta, "review": words}))
    return documents


def _words(suspicion: LabelIssue) -> str:
    def mark(span: Span | None) -> str:
        return "nothing" if span is None else f"{span.label} {span.start}-{span.end}"

    return (
        f"{suspicion.kind} ({suspicion.chance:.0%}): gold {mark(suspicion.gold)}, "
        f"model {mark(suspicion.suggested)}: {suspicion.words}"
    )


def label_issue_to_json(suspicion: LabelIssue) -> dict[str, Any]:
    """Return a suspicion as a JSON object."""

    def mark(span: Span | None) -> dict[str, Any] | None:
        if span is None:
            return None
        return {"start": span.start, "end": span.end, "label": span.label}

    return {
        "document": suspicion.document.id,
        "kind": suspicion.kind,
        "chance": round(suspicion.chance, 4),
        "gold": mark(suspicion.gold),
        "suggested": mark(suspicion.suggested),
        "words": suspicion.words,
        "context": suspicion.context,
    }


def label_issue_table(suspicions: Sequence[LabelIssue]) -> DataTable:
    """Return suspicions for people."""

    def label(span: Span | None) -> str:
        return "–" if span is None else span.label

    return DataTable(
        "Likely label errors",
        ("chance", "kind", "gold", "model", "document", "words", "around them"),
        tuple(
            (
                *(s.chance, s.kind, label(s.gold), label(s.suggested), s.document.id),
                *(s.words, s.context),
            )
            for s in suspicions
        ),
    )
