"""An evaluation as tables and lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...ui import UNDEFINED, DataTable, format_interval, format_value
from ..bootstrap import MIN_DOCUMENTS
from ..comparison.significance import Difference
from ..comparison.system_comparison import PairedComparison, SystemScores
from ..error_analysis.analysis import ERROR_KINDS
from ..false_alarms.rates import FalseAlarms
from ..false_alarms.unannotated import UnannotatedEvaluation
from ..gate import GateResult
from ..metrics import ALL_LABELS, Evaluation
from ..prediction_analysis import PredictionAnalysis
from ..robustness.measurement import Robustness

SHOWN_PATTERNS = 5
NO_INTERVAL = f"{UNDEFINED}: no interval from fewer than {MIN_DOCUMENTS} documents with the label"
"""The note below a table in which an interval is left out."""


def format_difference(value: float | None) -> str:
    """Return a difference of scores with its sign; `–` if it is undefined."""
    return UNDEFINED if value is None else f"{value:+.3f}"


def score_table(evaluation: Evaluation, title: str, note: str = "") -> DataTable:
    """Return the strict scores: all labels together, each label, and the mean of the labels.

    Args:
        evaluation: the evaluation.
        title: heading; the numbers of documents and tokens are added to it.
        note: line below the heading.
    """
    strict, macro = evaluation.strict, evaluation.strict.macro
    omitted = any(s.low is None for s in strict.labels.values() if s.f1 is not None)
    return DataTable(
        f"{title}: {evaluation.documents} documents, {evaluation.tokens} tokens",
        ("label", "precision", "recall", "F1", "95 % interval", "gold", "predicted"),
        (
            *(
                (
                    *(label, score.precision, score.recall, score.f1),
                    *(format_interval(score.low, score.high), score.gold, score.predicted),
                )
                for label, score in {ALL_LABELS: strict.micro, **strict.labels}.items()
            ),
            (
                *("mean of labels", macro.precision, macro.recall, macro.f1),
                *(format_interval(macro.low, macro.high), "", ""),
            ),
        ),
        note=". ".join(filter(None, (note, NO_INTERVAL if omitted else ""))),
    )


def false_alarm_table(
    alarms: FalseAlarms, title: str = "False alarms", note: str = ""
) -> DataTable:
    """Return false alarms and their rates, of all labels together and by label.

    Args:
        alarms: the false alarms.
        title: heading; the numbers of documents and words are added to it.
        note: line below the heading.
    """
    rates = {ALL_LABELS: alarms.micro, **alarms.labels}
    return DataTable(
        f"{title}: {alarms.documents} documents, {alarms.micro.words} words",
        ("label", "false alarms", "per 1,000 words", "95 % interval"),
        tuple(
            (label, rate.spans, rate.per_1000_words, format_interval(rate.low, rate.high))
            for label, rate in rates.items()
        ),
        note=note,
    )


def perfect_line(alarms: FalseAlarms) -> str:
    """Return in one line in how many documents the predictions equal gold."""
    return (
        f"perfect documents (all right and none wrong): {alarms.perfect} of {alarms.documents} "
        f"({format_value(alarms.perfect_share)})"
    )


def without_entities_line(alarms: FalseAlarms) -> str:
    """Return in one line how many documents without gold spans have no prediction either."""
    empty = alarms.without_entities
    if not empty.documents:
        return "precision on documents without entities: not measured, there is none"
    return (
        f"precision on documents without entities: {format_value(empty.precision)} "
        f"({empty.unmarked} of {empty.documents} have no prediction), "
        f"{format_value(empty.rate.per_1000_words)} false alarms per 1,000 words"
    )


def surface_table(result: UnannotatedEvaluation) -> DataTable:
    """Return the most frequent false alarms in documents that are not annotated."""
    return DataTable(
        f"Most frequent false alarms of {result.name}",
        ("label", "text", "times", "first in"),
        tuple((s.label, s.surface, s.spans, s.doc_id) for s in result.surfaces),
    )


def robustness_table(robustness: Robustness) -> DataTable:
    """Return the scores on each version of the documents."""
    return DataTable(
        f"Robustness: the same {robustness.documents} documents, written in other ways",
        ("version", "precision", "recall", "F1", "difference (95 % interval)"),
        tuple(
            (
                *(version.name, version.score.precision, version.score.recall, version.score.f1),
                _difference_cell(version.difference),
            )
            for version in robustness.versions
        ),
        note="documents changed: "
        + ", ".join(f"{v.name} {v.changed}" for v in robustness.versions if v.difference),
    )


def _difference_cell(difference: Difference | None) -> str:
    if difference is None:
        return ""
    between = format_difference_interval(difference.low, difference.high)
    return f"{format_difference(difference.f1)} ({between})"


def analysis_lines(analysis: PredictionAnalysis) -> Iterator[str]:
    """Yield the other measurements of an analysis, one line each."""
    evaluation = analysis.evaluation
    relaxed = (
        f"{scheme} {format_value(scores.micro.f1)}"
        for scheme, scores in evaluation.schemes.items()
        if scores is not evaluation.strict
    )
    yield f"F1 under relaxed schemes: {', '.join(relaxed)}"
    yield perfect_line(analysis.false_alarms)
    yield without_entities_line(analysis.false_alarms)
    worst = analysis.worst_slice
    if worst:
        yield (
            f"worst slice: {worst.dimension} = {worst.group}, F1 {format_value(worst.score.f1)} "
            f"({format_interval(worst.score.low, worst.score.high)}), "
            f"{worst.score.gold} gold spans"
        )
    yield from _calibration_lines(analysis)
    errors = analysis.errors
    kinds = (f"{kind} {count}" for kind in ERROR_KINDS if (count := errors.count_kind(kind)))
    yield f"{errors.total} errors: {', '.join(kinds) or 'none'}"
    for pattern in errors.patterns[:SHOWN_PATTERNS]:
        yield f"  {pattern.errors:4} {pattern.description}, e.g. {pattern.examples[0]}"
    for scores in analysis.human_baseline.annotators if analysis.human_baseline else ():
        yield (
            f"annotator {scores.name}: F1 {format_value(scores.annotator.f1)} on "
            f"{scores.documents} documents; model on the same documents: "
            f"{format_value(scores.model.f1)} "
            f"({format_interval(scores.model.low, scores.model.high)})"
        )


def _calibration_lines(analysis: PredictionAnalysis) -> Iterator[str]:
    calibration = analysis.calibration
    if calibration is None:
        return
    line = f"expected calibration error: {format_value(calibration.raw.error)}"
    if calibration.calibrated:
        line += f", {format_value(calibration.calibrated.error)} after calibration on dev"
    yield line
    recommended, achieved = calibration.recommended, calibration.achieved
    if recommended and achieved:
        yield (
            f"threshold for precision {calibration.target_precision}: "
            f"{format_value(recommended.threshold)} (chosen on dev), with precision "
            f"{format_value(achieved.precision)} and recall {format_value(achieved.recall)} here"
        )


def systems_table(system_scores: Mapping[str, SystemScores]) -> DataTable:
    """Return the scores of several systems, one column each, so that it fits a narrow screen."""
    short = [Path(name).name for name in system_scores]
    names = short if len(set(short)) == len(short) else list(system_scores)
    systems = list(system_scores.values())
    return DataTable(
        "Systems compared",
        ("", *names),
        (
            ("precision", *(scores.precision for scores in systems)),
            ("recall", *(scores.recall for scores in systems)),
            ("F1", *(scores.mean for scores in systems)),
            ("95 % interval", *(format_interval(scores.low, scores.high) for scores in systems)),
            ("seeds", *(len(scores.f1_by_seed) for scores in systems)),
            ("standard deviation of F1", *(scores.std for scores in systems)),
            *(
                (f"F1 of {label}", *(scores.labels[label] for scores in systems))
                for label in systems[0].labels
            ),
        ),
    )


def comparison_table(comparison: PairedComparison) -> DataTable:
    """Return the differences between two systems, of all labels together and by label."""
    differences = {ALL_LABELS: comparison.micro, **comparison.labels}
    return DataTable(
        f"{comparison.first} against {comparison.second}",
        ("label", "difference of F1", "95 % interval", "p", "p, corrected"),
        tuple(
            (
                *(label, format_difference(difference.f1)),
                format_difference_interval(difference.low, difference.high),
                *(difference.p, difference.adjusted),
            )
            for label, difference in differences.items()
        ),
        note=NO_INTERVAL
        if any(d.low is None for d in differences.values() if d.f1 is not None)
        else "",
    )


def wins_line(comparison: PairedComparison) -> str:
    """Return in one line how many gold mentions only one of the two systems finds."""
    wins = comparison.wins
    return (
        f"gold mentions found only by the first: {wins.first_only}, "
        f"only by the second: {wins.second_only}"
    )


def format_difference_interval(low: float | None, high: float | None) -> str:
    """Return an interval of differences with its signs; `–` if it is undefined."""
    if low is None or high is None:
        return UNDEFINED
    return f"{format_difference(low)} to {format_difference(high)}"


def gate_line(result: GateResult) -> str:
    """Return the result of a gate in one line."""
    if result.value is None:
        # Either no span at all, or an interval from too few documents.
        return f"gate {result.gate.text} failed: undefined for these documents"
    verdict, sign = ("passed", "≥") if result.passed else ("failed", "<")
    value, minimum = format_value(result.value), format_value(result.gate.minimum)
    return f"gate {result.gate.text} {verdict}: {value} {sign} {minimum}"
