"""Qualification: annotators mark known documents, and are scored against the gold."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...corpus.document import Document, check_spans
from ...corpus.files import write_json, write_text
from ...corpus.labels import LabelSet
from ...corpus.output.locks import lock_folder
from ...errors import InputError
from ...evaluation.metrics import Evaluation, Score
from ...ui import OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..session.folder import is_session, open_session
from ..session.pull import pull
from ..session.push import check_names, push
from ..session.upload import describe_source
from .feedback import render_feedback
from .qualification_records import (
    QualificationRound,
    Verdict,
    read_result,
    read_rounds,
    write_round,
)
from .scores import score_annotator, scores_to_json


@dataclass(frozen=True)
class QualificationPlan:
    """How annotators qualify.

    Attributes:
        gold: documents with gold spans, from which the rounds are drawn.
        labels: the label set.
        bar: the strict F1 that passes, from 0 to 1.
        documents: number of documents of a round; None for all that are left.
        guidelines: Markdown, shown beside the text and on the feedback page.
        seed: random seed of the choice of documents.
    """

    gold: tuple[Document, ...]
    labels: LabelSet
    bar: float = 0.9
    documents: int | None = None
    guidelines: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.bar <= 1:
            raise InputError(f"--bar {self.bar:g}: choose more than 0 and at most 1")
        for document in self.gold:
            check_spans(document, document.spans, "the gold", self.labels.names)


@dataclass(frozen=True)
class Qualification:
    """The state of an annotator's newest round.

    Attributes:
        round: the round.
        verdict: `PASSED` or `AGAIN` when all documents are confirmed.
        documents: number of documents of the round.
        confirmed: number of documents that the annotator has confirmed.
        evaluation: scores on the confirmed documents; None without one.
        link: address at which the annotator works.
        bar: the strict F1 that passes; of a round that is over, the one that it was judged by.
        password: of an account that orbat created, where passwords are handed out; or None.
        invitation: link by which the person of a new account chooses the password; or None.
    """

    round: QualificationRound
    verdict: Verdict
    documents: int
    confirmed: int
    evaluation: Evaluation | None
    link: str
    bar: float
    password: str | None = None
    invitation: str | None = None

    @property
    def score(self) -> Score | None:
        """The strict score of all labels together."""
        return self.evaluation.strict.micro if self.evaluation else None

    def to_json(self) -> dict[str, Any]:
        """Return the state as a JSON object."""
        return {
            "bar": self.bar,
            "annotator": self.round.annotator,
            "round": self.round.number,
            "verdict": self.verdict,
            "documents": self.documents,
            "confirmed": self.confirmed,
            "link": self.link,
            "invitation": self.invitation,
            "scores": self.evaluation and scores_to_json(self.evaluation),
            "feedback": str(self.round.feedback_file) if self.is_over else None,
        }

    @property
    def is_over(self) -> bool:
        """Whether all documents of the round are confirmed and scored."""
        return self.verdict in (Verdict.PASSED, Verdict.AGAIN)


def qualify(
    client: DoccanoClient,
    session: Path,
    annotators: Sequence[str],
    plan: QualificationPlan,
    *,
    again: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> list[Qualification]:
    """Begin the qualification of annotators, or score what they have confirmed.

    The first call uploads documents without suggestions to a project of each annotator. Later calls
    score what is confirmed. When all documents of a round are confirmed, the result and a feedback
    page are written, and the round is over: what the annotator changes afterwards does not count,
    and neither does another bar, label set or guidelines.

    Args:
        client: an administrator's connection.
        session: the folder of the session that they qualify for, which need not exist yet.
        annotators: account names.
        plan: gold, bar and size of a round.
        again: begin another round, with other documents, for those who did not pass.
        on_progress: called as documents are uploaded and read.

    Returns:
        The state of each annotator's newest round.

    Raises:
        InputError: if too few documents are left for a round, or a file is damaged.
        ServerError: if the server fails, or documents were changed in doccano.
    """
    check_names(annotators)
    with lock_folder(session):
        return [
            _qualify(client, session, name, plan, again=again, on_progress=on_progress)
            for name in annotators
        ]


def _qualify(
    client: DoccanoClient,
    session: Path,
    annotator: str,
    plan: QualificationPlan,
    *,
    again: bool,
    on_progress: OnProgress,
) -> Qualification:
    rounds = read_rounds(session, annotator)
    if not rounds:
        started = _choose(session, annotator, 1, plan)
        return _begin(client, started, plan, on_progress)
    newest = rounds[-1]
    if not _is_uploaded(newest):
        return _begin(client, newest, plan, on_progress)
    state = _score(client, newest, plan, on_progress)
    if again and state.verdict is Verdict.AGAIN:
        started = _choose(session, annotator, newest.number + 1, plan)
        return _begin(client, started, plan, on_progress)
    return state


def _is_uploaded(found: QualificationRound) -> bool:
    """Return whether the upload of a round was completed.

    A push records the session before it uploads, and the documents when all have arrived.
    """
    return is_session(found.folder) and bool(open_session(found.folder).pushed(found.annotator))


def _choose(
    session: Path, annotator: str, number: int, plan: QualificationPlan
) -> QualificationRound:
    """Choose and record the documents of a round: none that the annotator has seen."""
    seen = {d.text for earlier in read_rounds(session, annotator) for d in earlier.gold.values()}
    if is_session(session):
        seen |= {document.text for document in open_session(session).documents()}
    free = [document for document in plan.gold if document.text and document.text not in seen]
    size = len(free) if plan.documents is None else plan.documents
    if not free or size > len(free):
        raise InputError(
            f"{len(free)} of {len(plan.gold)} gold documents are new to '{annotator}', too few for "
            f"a round of {max(size, 1)}; give other gold, or lower --documents"
        )
    chosen = random.Random(f"{plan.seed} {annotator} {number}").sample(free, size)
    return write_round(session, annotator, number, chosen)


def _begin(
    client: DoccanoClient,
    started: QualificationRound,
    plan: QualificationPlan,
    on_progress: OnProgress,
) -> Qualification:
    """Upload the documents of a round, without their spans."""
    documents = [
        Document(document.id, document.text, (), describe_source(document))
        for document in started.gold.values()
    ]
    pushed = push(
        *(client, started.folder, documents, [started.annotator], plan.labels),
        guidelines=plan.guidelines,
        on_progress=on_progress,
    )
    [share] = pushed.shares
    return Qualification(
        *(started, Verdict.BEGUN, len(documents), 0, None, share.link, plan.bar),
        password=share.password,
        invitation=share.invitation,
    )


def _score(
    client: DoccanoClient,
    newest: QualificationRound,
    plan: QualificationPlan,
    on_progress: OnProgress,
) -> Qualification:
    """Score a round; judge it and write its result when all documents are confirmed."""
    recorded = read_result(newest)
    if recorded.verdict is Verdict.OPEN:
        pull(client, newest.folder, on_progress=on_progress)
    gold, session = newest.gold, open_session(newest.folder)
    confirmed = [d for d in newest.annotated if d.meta["annotation"]["confirmed"]]
    evaluation = score_annotator(gold, confirmed, session.labels.names) if confirmed else None
    state = Qualification(
        *(newest, recorded.verdict, len(gold), len(confirmed), evaluation),
        link=session.link(newest.annotator, has_page=client.has_page),
        bar=plan.bar if recorded.bar is None else recorded.bar,
    )
    if evaluation is None or state.is_over or len(confirmed) < len(gold):
        return state
    f1 = evaluation.strict.micro.f1
    # Without a span on either side, everything is right.
    verdict = Verdict.PASSED if f1 is None or f1 >= plan.bar else Verdict.AGAIN
    state = replace(state, verdict=verdict)
    page = render_feedback(
        newest.annotator, gold, confirmed, evaluation, session.labels, plan.guidelines
    )
    write_text(newest.feedback_file, page)
    write_json(newest.result_file, state.to_json())
    return state
