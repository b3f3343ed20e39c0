"""The record of the qualification of annotators: rounds of known documents, and their results.

    SESSION/qualification/ANNOTATOR/SESSION-qualification-N/   round N, itself a session folder
    …/gold.jsonl       the documents of the round with their gold
    …/result.json      when the round ended: the verdict and the scores
    …/feedback.html    the page for the annotator

The folder is readable by its owner only. A round has a project of its own in doccano, so that its
documents are in no annotation set of the session, and never among documents to train on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_documents, write_documents
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError


class Verdict(StrEnum):
    """What a round says of an annotator."""

    BEGUN = "begun"
    OPEN = "not yet"
    PASSED = "passed"
    AGAIN = "another round"


@dataclass(frozen=True)
class QualificationRound:
    """One round of one annotator.

    Attributes:
        annotator: account name.
        number: counted from 1.
        folder: its folder, a labeling session.
    """

    annotator: str
    number: int
    folder: Path

    @property
    def gold(self) -> dict[str, Document]:
        """The documents with their gold spans, by id."""
        return {document.id: document for document in read_documents(self.folder / "gold.jsonl")}

    @property
    def result_file(self) -> Path:
        """Where the result is written when the round ends."""
        return self.folder / "result.json"

    @property
    def feedback_file(self) -> Path:
        """The page for the annotator, written when the round ends."""
        return self.folder / "feedback.html"

    @property
    def annotated(self) -> list[Document]:
        """The annotator's documents as the last call read them."""
        return list(read_documents(self.folder / "pulled" / f"{self.annotator}.jsonl"))


@dataclass(frozen=True)
class RoundResult:
    """The result of a round, as it is recorded.

    Attributes:
        annotator: account name.
        number: of the round, counted from 1.
        verdict: `PASSED` or `AGAIN`; `OPEN` while the round is open.
        bar: the strict F1 that passes; None while the round is open.
        f1: the strict F1 of all labels together; None while the round is open, or without a span.
        low: lower bound of its 95 % interval; None for too few documents.
        high: upper bound.
    """

    annotator: str
    number: int
    verdict: Verdict = Verdict.OPEN
    bar: float | None = None
    f1: float | None = None
    low: float | None = None
    high: float | None = None


def read_results(session: Path) -> list[RoundResult]:
    """Return the results of all rounds of a session, by annotator and number.

    Raises:
        InputError: if a result is damaged.
    """
    root = _root(session)
    names = sorted(folder.name for folder in root.iterdir()) if root.is_dir() else []
    return [read_result(found) for name in names for found in read_rounds(session, name)]


def read_result(found: QualificationRound) -> RoundResult:
    """Return the result of a round as it is recorded.

    Raises:
        InputError: if it is damaged.
    """
    if not found.result_file.is_file():
        return RoundResult(found.annotator, found.number)
    record = read_json_object(found.result_file)
    try:
        figures = (record["scores"][name] for name in ("f1", "low", "high"))
        return RoundResult(
            *(found.annotator, found.number, Verdict(record["verdict"]), record["bar"], *figures)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{found.result_file}: not the result of a round; remove it, and run orbat annotate "
            "qualify again"
        ) from error


def read_rounds(session: Path, annotator: str) -> list[QualificationRound]:
    """Return the rounds of an annotator, in their order."""
    rounds: list[QualificationRound] = []
    while (folder := _folder(session, annotator, len(rounds) + 1)).is_dir():
        rounds.append(QualificationRound(annotator, len(rounds) + 1, folder))
    return rounds


def write_round(
    session: Path, annotator: str, number: int, gold: list[Document]
) -> QualificationRound:
    """Record a new round with its gold, before anything of it is uploaded."""
    _root(session).mkdir(mode=0o700, parents=True, exist_ok=True)
    started = QualificationRound(annotator, number, _folder(session, annotator, number))
    write_documents(started.folder / "gold.jsonl", gold)
    return started


def read_qualification_texts(session: Path) -> set[str]:
    """Return the texts that any annotator of a session has seen in a round."""
    files = _root(session).glob("*/*/gold.jsonl")
    return {document.text for file in files for document in read_documents(file)}


def _root(session: Path) -> Path:
    return Path(session) / "qualification"


def _folder(session: Path, annotator: str, number: int) -> Path:
    rounds, ending = _root(session) / annotator, f"-qualification-{number}"
    # The session's folder may have had another name then.
    earlier = next(rounds.glob(f"*{ending}"), None)
    return earlier or rounds / f"{Path(session).absolute().name}{ending}"
