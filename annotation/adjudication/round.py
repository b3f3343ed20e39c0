"""Adjudication rounds: an adjudicator resolves conflicts in doccano.

Each conflict becomes a question that is answered with one key. Documents with a question that no
answer fits are pushed to the adjudicator as a labeling session in the same folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...corpus.document import Document, Span
from ...corpus.labels import LabelSet
from ...corpus.output.locks import lock_folder
from ...ui import OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..guide import with_keys
from ..session.accounts import read_password
from ..session.folder import is_session, open_session
from ..session.pull import pull
from ..session.push import push
from .annotation_sets import is_confirmed
from .conflicts import AnnotationComparison
from .gold import gold_document
from .policies import resolve
from .question_project import ask, read_answers
from .questions import Question, make_questions

Answers = Mapping[str, tuple[Span, ...] | None]
"""The spans chosen for each question, by its id; None to annotate the document by hand."""


@dataclass(frozen=True)
class AdjudicationRound:
    """The state of an adjudication round.

    Attributes:
        gold: the gold documents if all conflicts are resolved, else empty.
        open: the number of questions and documents that wait for the adjudicator.
        new: the number of them that were added by this call.
        links: addresses at which the adjudicator continues.
        password: the adjudicator's, if orbat created the account and passwords are handed out.
        invitation: link by which the person of a new account chooses the password; or None.
    """

    gold: tuple[Document, ...]
    open: int
    new: int
    links: tuple[str, ...]
    password: str | None
    invitation: str | None = None


def run_round(
    client: DoccanoClient,
    folder: Path,
    comparisons: Sequence[AnnotationComparison],
    labels: LabelSet,
    *,
    adjudicator: str = "adjudicator",
    guidelines: str = "",
    on_progress: OnProgress = ignore_progress,
) -> AdjudicationRound:
    """Upload open conflicts and read the adjudicator's decisions. Idempotent; call it again.

    Args:
        client: a connection with an administrator's account.
        folder: the folder of the round; created if it does not exist.
        comparisons: the compared documents.
        labels: the label set.
        adjudicator: the account that decides; created if it is missing.
        guidelines: Markdown, shown to the adjudicator below the keys.
        on_progress: called as questions and documents are transferred.

    Raises:
        InputError: if the folder belongs to another server or label set.
        ServerError: if the server fails, or its data were changed by hand.
    """
    questions = {c.document.id: make_questions(c) for c in comparisons if c.conflicts}
    if not questions:
        gold = tuple(gold_document(c, c.agreed, adjudicator) for c in comparisons)
        return AdjudicationRound(gold, 0, 0, (), None)
    with lock_folder(folder):
        return _run_round(
            client,
            Path(folder),
            comparisons,
            questions,
            labels,
            adjudicator=adjudicator,
            guidelines=guidelines,
            on_progress=on_progress,
        )


def _run_round(
    client: DoccanoClient,
    folder: Path,
    comparisons: Sequence[AnnotationComparison],
    questions: Mapping[str, Sequence[Question]],
    labels: LabelSet,
    *,
    adjudicator: str,
    guidelines: str,
    on_progress: OnProgress,
) -> AdjudicationRound:
    is_new = client.can_invite and client.find_user(adjudicator) is None
    all_questions = [question for group in questions.values() for question in group]
    link, new = ask(
        client,
        folder,
        adjudicator,
        all_questions,
        labels,
        guidelines=guidelines,
        on_progress=on_progress,
    )
    answers = read_answers(client, folder, on_progress=on_progress)
    unanswered = sum(question.id not in answers for question in all_questions)
    links = [link] if unanswered else []
    by_hand = [
        comparison
        for comparison in comparisons
        if any(answers.get(q.id, ()) is None for q in questions.get(comparison.document.id, ()))
    ]
    hand = _HandAnnotation({}, open=0, new=0, link="")
    if by_hand:
        hand = _annotate_by_hand(
            client, folder, by_hand, labels, adjudicator, guidelines, on_progress
        )
    if hand.open:
        links.append(hand.link)
    gold: tuple[Document, ...] = ()
    if not unanswered and not hand.open:
        gold = tuple(
            _make_gold(c, questions.get(c.document.id, []), answers, hand.documents, adjudicator)
            for c in comparisons
        )
    return AdjudicationRound(
        gold,
        open=unanswered + hand.open,
        new=new + hand.new,
        links=tuple(links),
        password=None if client.can_invite else read_password(client.url, folder, adjudicator),
        invitation=client.invite(adjudicator, link) if is_new else None,
    )


@dataclass(frozen=True)
class _HandAnnotation:
    """The documents that the adjudicator annotates by hand.

    Attributes:
        documents: the confirmed documents by id.
        open: the number of documents that are not confirmed.
        new: the number of documents that were pushed by this call.
        link: address of the first document.
    """

    documents: dict[str, Document]
    open: int
    new: int
    link: str


def _annotate_by_hand(
    client: DoccanoClient,
    folder: Path,
    comparisons: Sequence[AnnotationComparison],
    labels: LabelSet,
    adjudicator: str,
    guidelines: str,
    on_progress: OnProgress,
) -> _HandAnnotation:
    """Push documents to the adjudicator, and pull those that are confirmed."""
    before = len(open_session(folder).pushed(adjudicator)) if is_session(folder) else 0
    session = push(
        client,
        folder,
        [review_document(comparison) for comparison in comparisons],
        [adjudicator],
        labels,
        guidelines=with_keys(labels, guidelines),
        on_progress=on_progress,
    ).session
    pulled = pull(client, folder, on_progress=on_progress).annotation_sets[adjudicator]
    confirmed = {document.id: document for document in pulled if is_confirmed(document)}
    return _HandAnnotation(
        confirmed,
        open=sum(comparison.document.id not in confirmed for comparison in comparisons),
        new=len(session.pushed(adjudicator)) - before,
        link=session.link(adjudicator, has_page=client.has_page),
    )


def review_document(comparison: AnnotationComparison) -> Document:
    """Return a document with conflicts for the adjudicator to annotate by hand.

    It has the agreed spans, and of the conflicting ones those of the policy `union`, as
    suggestions. `meta.review` lists the spans of each annotator.
    """
    spans = list(comparison.agreed)
    review = {}
    text = comparison.document.text
    for number, conflict in enumerate(comparison.conflicts, 1):
        spans += resolve(conflict, "union", comparison.annotators)
        review[f"conflict {number}"] = " | ".join(
            f"{' + '.join(names)}: {span.label} “{text[span.start : span.end]}” at {span.start}"
            for span, names in conflict.spans
        )
    meta = {**comparison.document.meta, "review": review}
    return replace(comparison.document, meta=meta).with_spans(spans)


def _make_gold(
    comparison: AnnotationComparison,
    questions: Sequence[Question],
    answers: Answers,
    annotated: Mapping[str, Document],
    adjudicator: str,
) -> Document:
    document = annotated.get(comparison.document.id)
    if document is not None:
        return gold_document(comparison, document.spans, adjudicator)
    spans = list(comparison.agreed)
    for question in questions:
        spans += answers[question.id] or ()
    return gold_document(comparison, spans, adjudicator)
