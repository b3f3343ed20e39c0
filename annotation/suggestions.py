"""Suggestions for annotators: by rules, by a trained model or by both, and how good they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ..corpus.document import Document, Span
from ..corpus.files import sha256_text
from ..corpus.gazetteer import RuleTagger
from ..corpus.labels import DEFAULT_LABELS, LabelSet
from ..errors import InputError
from ..evaluation.metrics import Evaluation, evaluate
from ..ui import DataTable

SOURCES = ("rules", "model", "rules+model", "model+rules", "none")
"""What suggests; of two the first named wins where both mark the same words."""
DEFAULT_GOLD = DEFAULT_LABELS.parents[1] / "articles" / "dev.jsonl"


class Model(Protocol):
    """A trained model, as far as annotation knows one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it knows."""

    @property
    def seen(self) -> frozenset[str]:
        """SHA-256 of every text that it was trained or chosen on."""

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Give documents the model's spans."""


class Finder(Protocol):
    """Gives documents spans, whatever they had before."""

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents with its spans, in order."""


def make_finders(
    sources: str, labels: LabelSet, *, model: Model | None = None, gazetteer: Path | None = None
) -> list[Finder]:
    """Return what suggests, in order of precedence.

    Args:
        sources: one of :data:`SOURCES`.
        labels: spans of other labels are not suggested.
        model: needed where the sources name it.
        gazetteer: for the rules; None takes the one for defence news.

    Raises:
        InputError: for unknown sources, without the model that they name, or if the model knows
            none of the labels.
    """
    if sources not in SOURCES:
        raise InputError(f"--suggest {sources}: choose one of {', '.join(SOURCES)}")
    names = [] if sources == "none" else sources.split("+")
    finders: list[Finder] = []
    for name in names:
        if name == "rules":
            finders.append(RuleTagger(gazetteer, labels.names))
            continue
        if model is None:
            raise InputError(f"--suggest {sources}: name the model with --model")
        if not set(model.labels) & set(labels.names):
            raise InputError(
                f"the model knows {', '.join(model.labels)} and none of the label set's "
                f"{', '.join(labels.names)}; pass the label set that it was trained on"
            )
        finders.append(model)
    return finders


def suggest(
    documents: Iterable[Document], finders: Sequence[Finder], labels: Iterable[str]
) -> list[Document]:
    """Give documents without spans the finders' spans; documents with spans keep theirs.

    Where two finders' spans overlap, that of the earlier one stays.
    """
    documents = list(documents)
    bare = [document for document in documents if not document.spans]
    found = {document.id: document for document in _find(bare, finders, set(labels))}
    return [found.get(document.id, document) for document in documents]


def _find(
    documents: Sequence[Document], finders: Sequence[Finder], labels: set[str]
) -> Iterator[Document]:
    for tagged in zip(documents, *(finder.tag(documents) for finder in finders), strict=True):
        kept: list[Span] = []
        for document in tagged[1:]:
            kept += [
                span
                for span in document.spans
                if span.label in labels
                and all(span.end <= other.start or other.end <= span.start for other in kept)
            ]
        yield tagged[0].with_spans(kept)


def measure_suggestions(
    gold: Iterable[Document], finders: Sequence[Finder], labels: Sequence[str]
) -> Evaluation:
    """Score what would be suggested for gold documents."""
    documents = list(gold)
    bare = [document.with_spans(()) for document in documents]
    return evaluate(zip(documents, _find(bare, finders, set(labels)), strict=True), labels)


def suggestion_table(
    evaluation: Evaluation, gold: Path, documents: Iterable[Document], model: Model | None
) -> DataTable:
    """Return the suggestions' scores for people, with a warning where the model knew the gold."""
    strict = evaluation.strict
    seen = sum(model is not None and sha256_text(d.text) in model.seen for d in documents)
    note = f"measured on {gold.name}, {evaluation.documents} documents"
    if seen:
        note += f"; the model was trained or chosen on {seen} of them, so expect less"
    return DataTable(
        "How good the suggestions are",
        ("label", "precision", "recall", "F1", "95 % interval"),
        tuple(
            (
                *(label, score.precision, score.recall, score.f1),
                None if score.low is None else f"{score.low:.3f} to {score.high:.3f}",
            )
            for label, score in {"all labels": strict.micro, **strict.labels}.items()
        ),
        note=note,
    )
