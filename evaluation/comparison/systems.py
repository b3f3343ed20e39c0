"""Systems under evaluation: files of predictions, and models that tag the gold documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from ...corpus.document import Document
from ...corpus.files import read_documents
from ...corpus.tagger import TrainedTagger, count_seen
from ...errors import InputError
from ..document_pairs import TextMatches, pair_documents
from .system_comparison import SystemComparison

Pairs = Iterator[tuple[Document, Document]]


class TrainedModel(TrainedTagger, Protocol):
    """A trained tagger that gives its training documents, and stores its evaluations."""

    @property
    def name(self) -> str:
        """The model's name as the user gave it."""

    @property
    def family(self) -> str:
        """A key that is equal for models that differ only in their seed."""

    def documents(self, part: str) -> list[Document] | None:
        """Return the model's `train` or `dev` documents; None if they are not known."""

    def record_evaluation(self, gold: str, result: dict[str, Any]) -> None:
        """Store an evaluation with the model, under the name of the gold documents."""


class ReadGold(Protocol):
    """Reads gold documents, as :func:`orbat.corpus.files.read_documents` does."""

    def __call__(
        self, path: Path, labels: Iterable[str] | None = None, *, spans_required: bool = False
    ) -> Iterator[Document]:
        """Yield the documents; see :func:`orbat.corpus.files.read_documents`."""


@dataclass(frozen=True)
class GoldDocuments:
    """The gold documents of a file; each iteration reads the file again.

    Attributes:
        file: the file, or the folder of other formats than JSON Lines.
        labels: the labels allowed; None allows any.
        where: ``KEY=VALUE``; only documents with this value in their meta are scored.
        annotated: whether each record must have the field `spans`. A record without it has not
            been annotated, which is not the same as having no entity.
        read: reads the file; by default JSON Lines.
    """

    file: Path
    labels: tuple[str, ...] | None
    where: str | None = None
    annotated: bool = True
    read: ReadGold = read_documents

    @property
    def name(self) -> str:
        """The name of the file, and the condition."""
        return self.file.name + (f", {self.where}" if self.where else "")

    @property
    def record_name(self) -> str:
        """The name under which models record results on these documents."""
        return f"{self.file.stem}-{self.where}" if self.where else self.file.stem

    def __iter__(self) -> Iterator[Document]:
        """Yield the documents to score.

        Raises:
            InputError: if a record is not valid, or not annotated where it must be.
        """
        documents = self.read(self.file, self.labels, spans_required=self.annotated)
        return filter(self.includes, documents)

    def check(self) -> None:
        """Read up to the first document to score.

        Raises:
            InputError: if there is none.
        """
        if next(iter(self), None) is None:
            raise InputError(f"{self.file}: no document with {self.where} in meta; check --where")

    def includes(self, document: Document) -> bool:
        """Return whether a document of the file is to be scored."""
        key, _, value = (self.where or "").partition("=")
        return self.where is None or str(document.meta.get(key)) == value


@dataclass(frozen=True)
class System:
    """A system under evaluation.

    Attributes:
        name: its name in tables and reports.
        family: a key that is equal for systems that differ only in their seed.
        pairs: returns gold and predicted documents, in the order of the gold, at each call.
        seen: number of gold documents that the system was trained or selected on.
        train: returns its training documents, if known.
        dev: returns gold and predictions of its dev documents, if known.
        record: stores a result with the system, under the name of the gold.
        tag: tags other documents; None for a file of predictions.
        matches: the documents that the last call of `pairs` matched by their text.
    """

    name: str
    family: str
    pairs: Callable[[], Pairs]
    seen: int = 0
    train: Callable[[], Sequence[Document] | None] = lambda: None
    dev: Callable[[], Sequence[tuple[Document, Document]] | None] = lambda: None
    record: Callable[[str, dict[str, Any]], None] = lambda gold, result: None
    tag: Callable[[Iterable[Document]], Iterable[Document]] | None = None
    matches: TextMatches = field(default_factory=TextMatches)


def system_from_file(path: Path, gold: GoldDocuments) -> System:
    """Return the system of a file of predictions, which is read as the gold is.

    Texts of JSON Lines are streamed, not kept in memory.
    """

    matches = TextMatches()

    def pairs() -> Pairs:
        matches.clear()
        every = replace(gold, where=None)
        predictions = gold.read(path, gold.labels)
        for pair in pair_documents(every, predictions, (str(gold.file), str(path)), matches):
            if gold.includes(pair[0]):
                yield pair

    return System(str(path), str(path), pairs, matches=matches)


def system_from_model(
    model: TrainedModel, gold: GoldDocuments, dev: Sequence[Document] | None = None
) -> System:
    """Return the system of a model, which tags the gold documents at once.

    The dev documents are tagged when they are needed.

    Args:
        model: the model.
        gold: the gold documents.
        dev: documents to calibrate on, instead of the model's own dev documents.
    """
    documents = list(gold)
    tagged = list(zip(documents, model.tag(documents), strict=True))

    def tag_dev() -> Sequence[tuple[Document, Document]] | None:
        known = dev if dev is not None else model.documents("dev")
        return list(zip(known, model.tag(known), strict=True)) if known else None

    return System(
        model.name,
        model.family,
        lambda: iter(tagged),
        count_seen(model, documents),
        lambda: model.documents("train"),
        tag_dev,
        model.record_evaluation,
        model.tag,
    )


def compare_systems(systems: Sequence[System], labels: Iterable[str] = ()) -> SystemComparison:
    """Compare systems on the same gold documents, the first one with each other one.

    Systems of one family are the seeds of one system, which has the name of the first of them.
    """
    families: dict[str, list[System]] = {}
    for system in systems:
        families.setdefault(system.family, []).append(system)
    names = []
    for family in families.values():
        suffix = f" and {len(family) - 1} other seeds" if len(family) > 1 else ""
        names.append((family[0].name + suffix, len(family)))
    comparison = SystemComparison(names, labels)
    ordered = [system for family in families.values() for system in family]
    for rows in zip(*(system.pairs() for system in ordered), strict=True):
        predictions = iter(predicted for _, predicted in rows)
        by_system = [[next(predictions) for _ in family] for family in families.values()]
        comparison.add(rows[0][0], by_system)
    return comparison
