"""The third pass: conflicts between readings, settled by an adjudicator in doccano.

First each conflict is a question that one key answers (:mod:`annotation.choices`). Documents with
a question that no reading answers rightly are then put before the adjudicator as a labelling
session in the same folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...corpus.document import Document, Span
from ...corpus.labels import LabelSet
from ...ui import OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..session.accounts import read_password
from ..session.folder import is_session, open_session
from ..session.pull import pull
from ..session.push import push
from .conflicts import AnnotationComparison, adjudicator_document, gold_document, is_confirmed
from .questions import Question, ask, make_questions, read_answers


@dataclass(frozen=True)
class AdjudicationRound:
    """How far the third pass is.

    Attributes:
        gold: the documents, where all conflicts are settled; else empty.
        open: how many questions and documents wait for the adjudicator.
        new: how many of them were put there just now.
        links: where the adjudicator goes on.
        password: the adjudicator's, where this session made the account.
    """

    gold: tuple[Document, ...]
    open: int
    new: int
    links: tuple[str, ...]
    password: str | None


def run_round(
    doccano: DoccanoClient,
    folder: Path,
    comparisons: Sequence[AnnotationComparison],
    labels: LabelSet,
    *,
    adjudicator: str = "adjudicator",
    guidelines: str = "",
    on_progress: OnProgress = ignore_progress,
) -> AdjudicationRound:
    """Put what is in dispute before the adjudicator, and take what is settled. Call it again.

    Raises:
        ServerError: if the server fails, or what it held was changed by hand.
    """
    folder = Path(folder)
    asked = {each.document.id: make_questions(each) for each in comparisons if each.conflicts}
    questions = [question for each in asked.values() for question in each]
    if not questions:
        gold = tuple(gold_document(each, each.agreed, adjudicator) for each in comparisons)
        return AdjudicationRound(gold, 0, 0, (), None)
    link, new = ask(doccano, folder, adjudicator, questions, on_progress=on_progress)
    answers = read_answers(doccano, folder, on_progress=on_progress)
    unanswered = sum(question.name not in answers for question in questions)
    links = [link] if unanswered else []
    by_hand = [
        each
        for each in comparisons
        if any(answers.get(q.name, ()) is None for q in asked.get(each.document.id, ()))
    ]
    settled: dict[str, Document] = {}
    if by_hand:
        before = len(open_session(folder).pushed(adjudicator)) if is_session(folder) else 0
        session = push(
            doccano,
            folder,
            [adjudicator_document(each) for each in by_hand],
            [adjudicator],
            labels,
            guidelines=guidelines,
            on_progress=on_progress,
        ).session
        new += len(session.pushed(adjudicator)) - before
        marked = pull(doccano, folder, on_progress=on_progress).annotation_sets[adjudicator]
        settled = {document.id: document for document in marked if is_confirmed(document)}
        if any(each.document.id not in settled for each in by_hand):
            links.append(session.link(adjudicator))
    unmarked = sum(each.document.id not in settled for each in by_hand)
    gold = ()
    if not unanswered and not unmarked:
        gold = tuple(
            _gold(each, asked.get(each.document.id, []), answers, settled, adjudicator)
            for each in comparisons
        )
    return AdjudicationRound(
        gold, unanswered + unmarked, new, tuple(links), read_password(folder, adjudicator)
    )


def _gold(
    comparison: AnnotationComparison,
    questions: Sequence[Question],
    answers: dict[str, tuple[Span, ...] | None],
    settled: dict[str, Document],
    adjudicator: str,
) -> Document:
    document = settled.get(comparison.document.id)
    if document is not None:
        return gold_document(comparison, document.spans, adjudicator)
    spans = list(comparison.agreed)
    for question in questions:
        spans += answers[question.name] or ()
    return gold_document(comparison, spans, adjudicator)
