"""What is scored: the gold, and systems whose predictions are paired with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...corpus.document import Document
from ...corpus.files import read_documents, sha256_text
from ...corpus.tagger import Tagger
from ...errors import InputError
from ..counts import pair_documents
from .system_comparison import SystemComparison

Pairs = Iterator[tuple[Document, Document]]


class TrainedModel(Tagger, Protocol):
    """A tagger that knows what it was trained on, and keeps its evaluations."""

    @property
    def name(self) -> str:
        """The model's name as the user gave it."""

    @property
    def seen(self) -> frozenset[str]:
        """SHA-256 of each text that the model was trained or selected on."""

    @property
    def family(self) -> str:
        """A key that is equal for models that differ only in their seed."""

    def documents(self, part: str) -> list[Document] | None:
        """Return the model's `train` or `dev` documents; None if they are not known."""

    def record_evaluation(self, gold: str, result: dict[str, Any]) -> None:
        """Store an evaluation with the model, under the name of the gold documents."""


@dataclass(frozen=True)
class Gold:
    """The gold documents of a file, read anew at each iteration.

    Attributes:
        file: JSON Lines.
        labels: the labels allowed; None allows any.
        where: ``KEY=VALUE``; only documents whose meta has it are taken.
    """

    file: Path
    labels: tuple[str, ...] | None
    where: str | None = None

    def __iter__(self) -> Iterator[Document]:
        """Read the documents.

        Raises:
            InputError: for anything the record does not allow.
        """
        return filter(self.takes, read_documents(self.file, self.labels))

    def check(self) -> None:
        """Read as far as the first document that is to be scored.

        Raises:
            InputError: if there is none.
        """
        if next(iter(self), None) is None:
            raise InputError(f"{self.file}: no document with {self.where} in meta; check --where")

    def takes(self, document: Document) -> bool:
        """Tell whether a document of the file is to be scored."""
        key, _, value = (self.where or "").partition("=")
        return self.where is None or str(document.meta.get(key)) == value


@dataclass(frozen=True)
class System:
    """A system under evaluation.

    Attributes:
        name: as people read it.
        family: the same for systems that differ in their seed only.
        pairs: gold and predicted documents, in the order of the gold, anew at each call.
        seen: how many gold documents it was trained or chosen on.
        train: gives its training documents, where known.
        dev: gives gold and predictions of its dev documents, where known.
        keep: keeps a result with the system, by name of the gold.
    """

    name: str
    family: str
    pairs: Callable[[], Pairs]
    seen: int = 0
    train: Callable[[], Sequence[Document] | None] = lambda: None
    dev: Callable[[], Sequence[tuple[Document, Document]] | None] = lambda: None
    keep: Callable[[str, dict[str, Any]], None] = lambda gold, result: None


def system_from_file(path: Path, gold: Gold) -> System:
    """Take a file of predictions; texts stream through, however large the files are."""

    def pairs() -> Pairs:
        every = Gold(gold.file, gold.labels)
        read = read_documents(path, gold.labels)
        for pair in pair_documents(every, read, (str(gold.file), str(path))):
            if gold.takes(pair[0]):
                yield pair

    return System(str(path), str(path), pairs)


def system_from_model(model: TrainedModel, gold: Gold, dev: Path | None = None) -> System:
    """Let a model tag the gold, and its dev documents when they are asked for.

    Args:
        model: the model.
        gold: what it is scored on.
        dev: documents to calibrate on, instead of those that came with the model.
    """
    wanted = list(gold)
    tagged = list(zip(wanted, model.tag(wanted), strict=True))

    def tagged_dev() -> Sequence[tuple[Document, Document]] | None:
        chosen_on = list(read_documents(dev, gold.labels)) if dev else model.documents("dev")
        return list(zip(chosen_on, model.tag(chosen_on), strict=True)) if chosen_on else None

    return System(
        model.name,
        model.family,
        lambda: iter(tagged),
        sum(sha256_text(document.text) in model.seen for document in wanted),
        lambda: model.documents("train"),
        tagged_dev,
        model.record_evaluation,
    )


def compare_systems(systems: Sequence[System], labels: Iterable[str] = ()) -> SystemComparison:
    """Compare systems on the same gold, the first against each other one.

    Those of one family are the seeds of one system, which bears the first one's name.
    """
    families: dict[str, list[System]] = {}
    for system in systems:
        families.setdefault(system.family, []).append(system)
    names = []
    for family in families.values():
        more = f" and {len(family) - 1} more of its kind" if len(family) > 1 else ""
        names.append((family[0].name + more, len(family)))
    found = SystemComparison(names, labels)
    ordered = [system for family in families.values() for system in family]
    for rows in zip(*(system.pairs() for system in ordered), strict=True):
        read = iter(predicted for _, predicted in rows)
        readings = [[next(read) for _ in family] for family in families.values()]
        found.add(rows[0][0], readings)
    return found
