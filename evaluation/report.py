"""The HTML report: one file that shows scores, differences, groups and every error."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpus.document import Span
from ..ui import render_template
from .assessment import Assessment
from .comparison.system_comparison import PairedComparison, SystemScores
from .error_analysis import ERROR_KINDS, ErrorSummary
from .error_patterns import SpanError

TEMPLATE = Path(__file__).parent / "report.html"
NONE = "(none)"
CONTEXT = 160
"""Characters of text shown on each side of an error."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text around an error.

    Attributes:
        text: the characters.
        marks: which of `gold`, `model` (the error's own spans) and `other` (another gold span)
            cover it.
        label: the label shown behind it, where a span ends.
        color: of the label.
    """

    text: str
    marks: tuple[str, ...] = ()
    label: str = ""
    color: str = ""


def view_error(error: SpanError, colors: Mapping[str, str]) -> list[Piece]:
    """Cut the text around an error where spans begin and end; the pieces joined are that text."""
    text = error.document.text
    own = [span for span in (error.gold, error.predicted) if span is not None]
    first, last = min(span.start for span in own), max(span.end for span in own)
    begin = 0 if first <= CONTEXT else text.find(" ", first - CONTEXT, first) + 1 or first - CONTEXT
    found = text.rfind(" ", last, last + CONTEXT)
    end = len(text) if last + CONTEXT >= len(text) else (found if found >= 0 else last + CONTEXT)
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
    cuts = sorted({begin, end, *edges})
    pieces = []
    for left, right in itertools.pairwise(cuts):
        covering = [(span, mark) for span, mark in spans if span.start < right and left < span.end]
        ending = [span.label for span, _ in covering if span.end == right]
        color = colors.get(covering[0][0].label, "#999999") if covering else ""
        marks = tuple(mark for _, mark in covering)
        label = " / ".join(dict.fromkeys(ending))
        pieces.append(Piece(text[left:right], marks, label, color))
    return pieces


@dataclass(frozen=True)
class ConfusionMatrix:
    """The confusion matrix as the report draws it.

    Attributes:
        names: the labels of rows (gold) and columns (predicted); the last is none.
        cells: spans, and the share of the row's from 0 to 1. *Shape:* (names, names)
    """

    names: tuple[str, ...]
    cells: tuple[tuple[tuple[int, float], ...], ...]


def confusion_matrix(summary: ErrorSummary, labels: Sequence[str]) -> ConfusionMatrix:
    """Lay out which gold label became which predicted label."""
    names: tuple[str | None, ...] = (*labels, None)
    cells = []
    for gold in names:
        row = [summary.confusion.get((gold, predicted), 0) for predicted in names]
        total = sum(row) or 1
        cells.append(tuple((count, count / total) for count in row))
    return ConfusionMatrix(tuple(name or NONE for name in names), tuple(cells))


def render_report(
    assessment: Assessment,
    *,
    model: str,
    gold: str,
    colors: Mapping[str, str],
    facts: Mapping[str, Any],
    comparisons: Sequence[PairedComparison] = (),
    system_scores: Mapping[str, SystemScores] | None = None,
) -> str:
    """Return a self-contained HTML page; all text of documents is escaped.

    Args:
        assessment: what was measured.
        model: the model's name.
        gold: the gold file's name.
        colors: a colour for each label.
        facts: further lines for the head of the page, by name.
        comparisons: the model against others.
        system_scores: F1 over the seeds of each system compared.
    """
    filters: dict[str, Callable[..., str]] = {
        "score": lambda value: "–" if value is None else f"{value:.3f}",
        "signed": lambda value: "–" if value is None else f"{value:+.3f}",
        "percent": lambda value: f"{100 * value:.0f} %",
    }
    errors = assessment.errors
    labels = list(assessment.evaluation.strict.labels)
    return render_template(
        TEMPLATE,
        filters,
        model=model,
        gold=gold,
        facts=facts,
        evaluation=assessment.evaluation,
        slices=assessment.slices,
        worst=assessment.worst,
        calibration=assessment.calibration,
        human_baseline=assessment.human_baseline,
        errors=errors,
        confusion=confusion_matrix(errors, labels),
        kinds=[(kind, errors.count_kind(kind)) for kind in ERROR_KINDS],
        error_labels=sorted({label for _, label in errors.counts}),
        cards=[(error, view_error(error, colors)) for error in errors.shown],
        comparisons=comparisons,
        system_scores=system_scores or {},
    )
