"""Replace the suggestions in the documents of a session that nobody has begun."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....corpus.document import Document, Span
from ....corpus.files import sha256_text
from ....corpus.tagger import Tagger
from ....evaluation.metrics import Evaluation, evaluate
from ....evaluation.report.tables import score_table
from ....ui import DataTable, OnProgress, Progress, ignore_progress
from ...doccano.client import DoccanoClient
from ...suggestions import measure_suggestions, suggest
from ..folder import Session
from ..reading import Reading, read_session
from .suggestion_project import SuggestionProject, locked_session, record_suggestions


@dataclass(frozen=True)
class SuggestionAccuracy:
    """The accuracy of old and new suggestions.

    Attributes:
        gold: of the new ones on gold documents; None if there are none.
        old: of those that confirmed documents were pushed with, but for documents that the model
            was trained or selected on; None without such documents.
        new: of the new suggestions on the same documents.
    """

    gold: Evaluation | None = None
    old: Evaluation | None = None
    new: Evaluation | None = None


@dataclass(frozen=True)
class ReplacedSuggestions:
    """The result of replacing suggestions.

    Attributes:
        accuracy: of old and new suggestions.
        replaced: the number of documents with new suggestions, by annotator.
        unchanged: number of documents for which the suggestions are the same.
        begun: number of documents that somebody has begun, which keep their suggestions.
        confirmed: number of confirmed documents.
        seen: number of confirmed documents that the model was trained or selected on.
    """

    accuracy: SuggestionAccuracy
    replaced: Mapping[str, int] = field(default_factory=dict)
    unchanged: int = 0
    begun: int = 0
    confirmed: int = 0
    seen: int = 0


def replace_suggestions(
    client: DoccanoClient,
    folder: Path,
    suggesters: Sequence[Tagger],
    *,
    seen: frozenset[str] = frozenset(),
    gold: Sequence[Document] = (),
    on_measured: Callable[[SuggestionAccuracy], None] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> ReplacedSuggestions:
    """Suggest spans anew in the documents that nobody has begun, and measure old and new spans.

    A document is begun if somebody added, deleted, changed or accepted a span of it, wrote a
    comment on it or confirmed it. doccano does not record who has only read a document. Each
    document is read again just before it is written. A call that was interrupted is completed by
    the next.

    The accuracy is measured on the documents that are confirmed, each annotator's by itself. It
    favors the old suggestions, which the annotators saw.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        suggesters: taggers in order of precedence.
        seen: SHA-256 of each text that a tagger was trained or selected on; these documents are
            not measured.
        gold: gold documents to measure the suggesters on; empty for none.
        on_measured: called with the accuracy before anything is replaced.
        on_progress: called as documents are read and written.

    Raises:
        InputError: if the folder is not a session on the connected server.
        ServerError: if the server fails, or the session was changed in doccano.
    """
    with locked_session(client, folder, on_progress) as session:
        projects = {n: SuggestionProject.open(client, session, n) for n in session.projects}
        readings = read_session(client, session, on_progress)
        names = session.labels.names
        on_gold = measure_suggestions(gold, suggesters, names, on_progress) if gold else None
        confirmed = [r for group in readings.values() for r in group if r.work.state]
        measured = [r for r in confirmed if sha256_text(r.document.text) not in seen]
        open_ = [
            (projects[annotator], reading)
            for annotator, group in readings.items()
            for reading in group
            if projects[annotator].is_untouched(reading.work, reading.pushed)
        ]
        suggested = _suggest([*measured, *(r for _, r in open_)], suggesters, session, on_progress)
        accuracy = SuggestionAccuracy(
            on_gold,
            _evaluate(measured, [r.pushed.spans for r in measured], names),
            _evaluate(measured, [suggested[r.pushed.id] for r in measured], names),
        )
        if on_measured is not None:
            on_measured(accuracy)
        replaced: dict[str, set[str]] = {name: set() for name in projects}
        unchanged = 0
        for number, (project, reading) in enumerate(open_, start=1):
            new = reading.pushed.with_spans(suggested[reading.pushed.id])
            if new.spans == reading.pushed.spans:
                unchanged += 1
            elif project.replace(reading, new):
                replaced[project.annotator].add(new.id)
            on_progress(Progress("Replacing suggestions", number, len(open_)))
        record_suggestions(client, session, on_progress)
    total = sum(map(len, readings.values()))
    counts = {annotator: len(ids) for annotator, ids in replaced.items() if ids}
    return ReplacedSuggestions(
        accuracy,
        counts,
        unchanged=unchanged,
        begun=total - sum(counts.values()) - unchanged - len(confirmed),
        confirmed=len(confirmed),
        seen=len(confirmed) - len(measured),
    )


def _suggest(
    readings: Sequence[Reading],
    suggesters: Sequence[Tagger],
    session: Session,
    on_progress: OnProgress,
) -> dict[str, tuple[Span, ...]]:
    """Return the new suggestions by document."""
    needed = {r.pushed.id: r.pushed.with_spans(()) for r in readings}
    names = [label.name for label in session.labels.choices]
    return {d.id: d.spans for d in suggest(needed.values(), suggesters, names, on_progress)}


def _evaluate(
    readings: Sequence[Reading], suggested: Sequence[tuple[Span, ...]], labels: Sequence[str]
) -> Evaluation | None:
    """Compare suggestions with what annotators confirmed; None without documents."""
    if not readings:
        return None
    # Several annotators may have confirmed the same document.
    gold = [
        replace(r.document, id=f"{r.version.annotator}/{r.document.id}", meta={}) for r in readings
    ]
    predicted = (d.with_spans(spans) for d, spans in zip(gold, suggested, strict=True))
    return evaluate(gold, predicted, labels)


def replacement_tables(accuracy: SuggestionAccuracy) -> list[DataTable]:
    """Return the accuracy of the old and the new suggestions on the confirmed documents."""
    note = "on what annotators confirmed, who saw the old suggestions: this favors the old ones"
    pairs = (("Old suggestions", accuracy.old), ("New suggestions", accuracy.new))
    return [
        score_table(evaluation, title, note)
        for title, evaluation in pairs
        if evaluation is not None
    ]
