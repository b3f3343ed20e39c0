"""The overview of a session: the figures that its lead looks at, in one record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ...corpus.document import Document
from ...evaluation.comparison.learning_curve import LearningCurve
from ...evaluation.metrics import Evaluation
from ...ui import OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..quality.control_records import control_folder, read_control_gold
from ..quality.qualification_records import RoundResult, read_results
from ..quality.scores import score_annotator, scores_to_json
from ..session.folder import Session, open_session
from ..session.status import AnnotatorStatus, status_of
from .anchoring import SuggestionUse, measure_suggestion_use
from .comments import DocumentComment, find_new_comments
from .forecast import Cost, Forecast, WeekGain, estimate_cost, estimate_gain, words_per_day
from .pace import words_by_day
from .weeks import WeekAgreement, agreement_by_week
from .work import ProjectWork, read_session_work


@dataclass(frozen=True)
class AnnotatorOverview:
    """What the lead sees of one annotator.

    Attributes:
        status: progress, pace and forecast.
        suggestions: what they did with the suggestions.
        control: their scores on control documents; None before they confirmed one.
        days: words confirmed on each day.
    """

    status: AnnotatorStatus
    suggestions: SuggestionUse
    control: Evaluation | None
    days: tuple[tuple[date, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the overview as a JSON object."""
        use = self.suggestions
        return {
            **self.status.to_json(),
            "suggestions": {
                **vars(use),
                "share_unchanged": use.share_unchanged,
                "share_kept": use.share_kept,
                "share_wrong_kept": use.share_wrong_kept,
            },
            "control": self.control and scores_to_json(self.control),
            "words_by_day": {str(day): words for day, words in self.days},
        }


@dataclass(frozen=True)
class Overview:
    """The state of a session.

    Attributes:
        session: name of the session folder.
        read_at: the time of the reading.
        annotators: each annotator, in the order of the session.
        agreement: agreement on shared documents, by week.
        comments: comments of others that no pull has written yet, oldest first.
        words_per_day: words confirmed per day over the last week, all annotators together.
        qualification: the results of the annotators who are qualifying or have.
        cost: the cost; None without an hourly rate.
        gain: what another week brings; None without a learning curve.
        curve: the learning curve.
    """

    session: str
    read_at: datetime
    annotators: tuple[AnnotatorOverview, ...]
    agreement: tuple[WeekAgreement, ...]
    comments: tuple[DocumentComment, ...]
    words_per_day: float
    qualification: tuple[RoundResult, ...] = ()
    cost: Cost | None = None
    gain: WeekGain | None = None
    curve: LearningCurve | None = None

    @property
    def statuses(self) -> list[AnnotatorStatus]:
        """The progress of each annotator."""
        return [annotator.status for annotator in self.annotators]

    @property
    def words(self) -> int:
        """Words that the annotators have read and are to read, documents to upload included."""
        return self.words_confirmed + self.words_left

    @property
    def words_confirmed(self) -> int:
        """Words of the confirmed documents, counted once for each annotator."""
        return sum(status.pace.words for status in self.statuses if status.pace)

    @property
    def words_left(self) -> int:
        """Words of the unconfirmed documents, counted once for each annotator who is not paused."""
        return sum(left.words_left for left in _forecasts(self.statuses))

    @property
    def finish(self) -> datetime | None:
        """When the last annotator is done; None if one with unconfirmed documents has no forecast.

        Paused annotators are left out.
        """
        open_ = [left for left in _forecasts(self.statuses) if left.words_left]
        times = [left.finish for left in open_ if left.finish]
        return max(times) if times and len(times) == len(open_) else None

    def to_json(self) -> dict[str, Any]:
        """Return the overview as a JSON object."""
        return {
            "session": self.session,
            "read_at": str(self.read_at),
            "words": self.words,
            "words_confirmed": self.words_confirmed,
            "words_left": self.words_left,
            "words_per_day": self.words_per_day,
            "finish": self.finish and str(self.finish),
            "agreement": [{**vars(week), "week": str(week.week)} for week in self.agreement],
            "comments": [{**vars(comment), "at": str(comment.at)} for comment in self.comments],
            "qualification": [vars(result) for result in self.qualification],
            "cost": self.cost and vars(self.cost),
            "gain": self.gain and vars(self.gain),
        }


@dataclass(frozen=True)
class OverviewOptions:
    """What an overview is computed with, besides the work.

    Attributes:
        hourly_rate: pay for an hour; None to leave out the cost.
        curve: the learning curve of the last run; None to leave out the gain of a week.
    """

    hourly_rate: float | None = None
    curve: LearningCurve | None = None


NO_OPTIONS = OverviewOptions()


def measure_overview(
    client: DoccanoClient,
    folder: Path,
    options: OverviewOptions = NO_OPTIONS,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Overview:
    """Read the work of a session from the server, and compute its overview.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        options: rate and learning curve.
        on_progress: called for each document that was read.

    Raises:
        InputError: if the folder is not a session on the connected server, or a record of control
            documents or qualification is damaged.
        ServerError: if the server does not answer.
    """
    session = open_session(folder, client)
    work = read_session_work(client, session, on_progress=on_progress)
    now = datetime.now(UTC)
    reader, has_page = client.user.username, client.has_page
    return compute_overview(session, work, now, options, reader=reader, has_page=has_page)


def compute_overview(
    session: Session,
    work: Sequence[ProjectWork],
    now: datetime,
    options: OverviewOptions = NO_OPTIONS,
    *,
    reader: str = "",
    has_page: bool = True,
) -> Overview:
    """Compute the overview of a session from its folder and the annotators' documents.

    Control documents count as work, and neither for the agreement nor as new documents.

    Args:
        session: the session.
        work: the annotators' documents with spans and comments.
        now: the time of the reading.
        options: rate and learning curve.
        reader: the account that reads the overview, whose own comments are left out.
        has_page: whether the server has orbat's annotation page.
    """
    control = read_control_gold(session.folder)
    annotators = tuple(
        _overview_of(project, session, control, now, has_page=has_page) for project in work
    )
    statuses = [annotator.status for annotator in annotators]
    own = [_without(project, control) for project in work]
    documents = {d.document.id for project in own for d in project.confirmed}
    paces = [status.pace for status in statuses if status.pace]
    forecasts = _forecasts(statuses)
    comments = [comment for project in work for comment in project.comments]
    rate, curve = options.hourly_rate, options.curve
    return Overview(
        session.folder.absolute().name,
        now,
        annotators,
        tuple(agreement_by_week(own)),
        tuple(find_new_comments(comments, pulled_folders(session.folder), reader)),
        words_per_day(work, now),
        tuple(read_results(session.folder)),
        None if rate is None else estimate_cost(rate, paces, forecasts, len(documents)),
        None if curve is None else estimate_gain(curve, own, now),
        curve,
    )


def _forecasts(statuses: Sequence[AnnotatorStatus]) -> list[Forecast]:
    """Return the forecasts of those who go on: nobody works on the documents of paused people."""
    return [status.forecast for status in statuses if status.forecast and not status.paused]


def pulled_folders(folder: Path) -> list[Path]:
    """Return the folders that a pull writes annotation sets to."""
    return [folder / "pulled", control_folder(folder) / "pulled"]


def _overview_of(
    work: ProjectWork,
    session: Session,
    control: Mapping[str, Document],
    now: datetime,
    *,
    has_page: bool,
) -> AnnotatorOverview:
    confirmed = work.confirmed
    known = [worked.annotated for worked in confirmed if worked.document.id in control]
    return AnnotatorOverview(
        status_of(work, session, now, has_page=has_page),
        measure_suggestion_use(confirmed, control),
        score_annotator(control, known, session.labels.names) if known else None,
        words_by_day(confirmed),
    )


def _without(work: ProjectWork, ids: Collection[str]) -> ProjectWork:
    return replace(work, documents=tuple(d for d in work.documents if d.document.id not in ids))
