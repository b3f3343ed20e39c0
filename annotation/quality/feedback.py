"""The feedback page of a qualification: each difference between the marks and the gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...corpus.document import Document
from ...corpus.labels import LabelSet
from ...evaluation.error_analysis.patterns import SpanError
from ...evaluation.metrics import ALL_LABELS, Evaluation
from ...evaluation.report.html import TextPiece, split_context
from ...evaluation.span_alignment import ErrorKind, align_spans
from ...ui import format_interval, format_value, render_template
from ..overview.page import STYLE
from .rulings import items_naming, section_of

TEMPLATE = Path(__file__).parent / "feedback.html"
_KINDS = {
    ErrorKind.MISSED: "not marked",
    ErrorKind.SPURIOUS: "should not be marked",
    ErrorKind.BOUNDARY: "other boundaries",
    ErrorKind.LABEL: "another label",
    ErrorKind.BOUNDARY_AND_LABEL: "other boundaries and another label",
}


@dataclass(frozen=True)
class Difference:
    """A difference between an annotator's mark and the gold.

    Attributes:
        kind: how they differ, in words.
        marked: the label of the mark; None without one.
        gold: the label of the gold span; None without one.
        pieces: the text around both.
        rulings: what decides the case: the note of the gold span, the ruling that the gold
            document names, and what the guidelines say of these words.
    """

    kind: str
    marked: str | None
    gold: str | None
    pieces: tuple[TextPiece, ...]
    rulings: tuple[str, ...]


@dataclass(frozen=True)
class DocumentFeedback:
    """A document with its differences.

    Attributes:
        document: the gold document.
        right: number of marks that are right.
        differences: in order of position.
    """

    document: Document
    right: int
    differences: tuple[Difference, ...]


def compare_with_gold(
    gold: Document, marked: Document, colors: Mapping[str, str], guidelines: str
) -> DocumentFeedback:
    """Return the differences between an annotator's marks and the gold of a document.

    Args:
        gold: the document with gold spans.
        marked: the document with the annotator's spans.
        colors: a color for each label.
        guidelines: Markdown.
    """
    pairs = align_spans(gold.spans, marked.spans)
    wrong = [pair for pair in pairs if pair.kind is not ErrorKind.CORRECT]
    differences = []
    for pair in wrong:
        error = SpanError(gold, pair.kind, pair.first, pair.second)
        words = [gold.text[span.start : span.end] for span in pair.spans]
        named = (pair.first and pair.first.note, gold.meta.get("ruling"))
        found = [item for text in dict.fromkeys(words) for item in items_naming(guidelines, text)]
        differences.append(
            Difference(
                _KINDS[pair.kind],
                pair.second.label if pair.second else None,
                pair.first.label if pair.first else None,
                tuple(split_context(error, colors)),
                tuple(dict.fromkeys([*(str(ruling) for ruling in named if ruling), *found])),
            )
        )
    return DocumentFeedback(gold, len(pairs) - len(wrong), tuple(differences))


def render_feedback(
    annotator: str,
    gold: Mapping[str, Document],
    marked: Sequence[Document],
    evaluation: Evaluation,
    labels: LabelSet,
    guidelines: str,
) -> str:
    """Return the feedback for an annotator as a self-contained HTML page; all text is escaped.

    Args:
        annotator: account name.
        gold: the documents with gold spans, by id.
        marked: the documents with the annotator's spans.
        evaluation: the scores of the annotator.
        labels: the label set.
        guidelines: Markdown.
    """
    colors = {label.name: label.color for label in labels.labels}
    sections = {name: section_of(guidelines, name) for name in labels.names}
    return render_template(
        TEMPLATE,
        {"value": format_value},
        style=STYLE.read_text(encoding="utf-8"),
        annotator=annotator,
        feedback=[compare_with_gold(gold[d.id], d, colors, guidelines) for d in marked],
        strict=evaluation.strict,
        names=labels.names,
        all_labels=ALL_LABELS,
        interval=format_interval,
        sections={name: text for name, text in sections.items() if text},
    )
