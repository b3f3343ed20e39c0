"""The HTML report of an evaluation: scores, comparisons, slices and every error in its text."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...corpus.document import Span
from ...ui import format_interval, format_value, render_template
from ..error_analysis.analysis import ERROR_KINDS
from ..error_analysis.confusion_matrix import confusion_matrix
from ..error_analysis.patterns import SpanError
from ..metrics import ALL_LABELS
from ..system_evaluation import SystemEvaluation
from .tables import (
    NO_INTERVAL,
    format_difference,
    format_difference_interval,
    perfect_line,
    without_entities_line,
)

TEMPLATE = Path(__file__).parent / "report.html"
ERROR_CONTEXT = 160
"""Characters of text shown on each side of an error."""


@dataclass(frozen=True)
class TextPiece:
    """A piece of the text around an error.

    Attributes:
        text: the characters.
        marks: the kinds of spans that cover it: `gold` and `model` (the spans of the error) and
            `other` (another gold span).
        label: the label shown after it, if a span ends there.
        color: the color of the label.
    """

    text: str
    marks: tuple[str, ...] = ()
    label: str = ""
    color: str = ""


def split_context(error: SpanError, colors: Mapping[str, str]) -> list[TextPiece]:
    """Split the text around an error at the boundaries of spans.

    Args:
        error: the error.
        colors: a color for each label.

    Returns:
        The pieces; joined, they are the text around the error.
    """
    text = error.document.text
    begin, end = _context_of(error)
    spans: list[tuple[Span, str]] = []
    for mark, span in (("gold", error.gold), ("model", error.predicted)):
        if span is not None:
            spans.append((span, mark))
    spans += [
        (span, "other")
        for span in error.document.spans
        if span != error.gold and begin < span.end and span.start < end
    ]
    edges = {edge for span, _ in spans for edge in (span.start, span.end) if begin < edge < end}
    pieces = []
    for left, right in itertools.pairwise(sorted({begin, end, *edges})):
        covering = [(span, mark) for span, mark in spans if span.start < right and left < span.end]
        ending = [span.label for span, _ in covering if span.end == right]
        color = colors.get(covering[0][0].label, "#999999") if covering else ""
        marks = tuple(mark for _, mark in covering)
        label = " / ".join(dict.fromkeys(ending))
        pieces.append(TextPiece(text[left:right], marks, label, color))
    return pieces


def _context_of(error: SpanError) -> tuple[int, int]:
    """Return the begin and end of the text to show, at spaces where possible."""
    text = error.document.text
    spans = [span for span in (error.gold, error.predicted) if span is not None]
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    begin, end = 0, len(text)
    if first > ERROR_CONTEXT:
        begin = text.find(" ", first - ERROR_CONTEXT, first) + 1 or first - ERROR_CONTEXT
    if last + ERROR_CONTEXT < len(text):
        space = text.rfind(" ", last, last + ERROR_CONTEXT)
        end = space if space >= 0 else last + ERROR_CONTEXT
    return begin, end


def render_report(result: SystemEvaluation, colors: Mapping[str, str]) -> str:
    """Return the report as a self-contained HTML page; all text of documents is escaped.

    Args:
        result: the evaluation.
        colors: a color for each label, such as ``#1f77b4``.
    """
    filters: dict[str, Callable[..., str]] = {
        "score": format_value,
        "signed": format_difference,
        "percent": lambda value: f"{100 * value:.0f} %",
    }
    analysis = result.analysis
    errors = analysis.errors
    return render_template(
        TEMPLATE,
        filters,
        all_labels=ALL_LABELS,
        interval=format_interval,
        signed_interval=format_difference_interval,
        model=result.name,
        gold=result.gold,
        warnings=result.warnings,
        evaluation=result.evaluation,
        no_interval=NO_INTERVAL,
        false_alarms=analysis.false_alarms,
        perfect=perfect_line(analysis.false_alarms),
        without_entities=without_entities_line(analysis.false_alarms),
        robustness=result.robustness,
        slices=analysis.slices,
        worst=analysis.worst_slice,
        calibration=analysis.calibration,
        human_baseline=analysis.human_baseline,
        errors=errors,
        confusion=confusion_matrix(errors, list(result.evaluation.strict.labels)),
        kinds=[(kind, errors.count_kind(kind)) for kind in ERROR_KINDS],
        error_labels=sorted({label for _, label in errors.counts}),
        cards=[(error, split_context(error, colors)) for error in errors.shown],
        comparisons=result.comparisons,
        system_scores=result.system_scores,
    )
