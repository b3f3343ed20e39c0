"""The HTML report: scores, and every error in its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.matching import group_overlapping
from corpus.document import Document
from evaluation.scoring import Evaluation

TEMPLATE = Path(__file__).parent / "report.html"


@dataclass(frozen=True)
class Piece:
    """A stretch of a document's text as the report shows it.

    Attributes:
        text: the characters.
        kind: `right`, `missed`, `spurious`, `both` (gold and prediction overlap but differ) or
            empty for plain text.
        title: what gold and prediction say, for the reader.
        label: shown beside the text.
        color: of the label.
    """

    text: str
    kind: str = ""
    title: str = ""
    label: str = ""
    color: str = ""


@dataclass(frozen=True)
class DocumentView:
    """A document's text in pieces, and how many errors it has."""

    id: str
    title: str
    errors: int
    pieces: tuple[Piece, ...]


def view_document(gold: Document, predicted: Document, colors: Mapping[str, str]) -> DocumentView:
    """Cut a document's text into right, missed, spurious and conflicting stretches, in order."""
    shared = set(gold.spans) & set(predicted.spans)
    missed = [span for span in gold.spans if span not in shared]
    spurious = [span for span in predicted.spans if span not in shared]
    marks = [(span, "right") for span in shared]
    groups = [
        [(span, "missed" if span in gold.spans else "spurious") for span in group]
        for group in group_overlapping([*missed, *spurious])
    ]
    pieces: list[Piece] = []
    position = 0
    stretches = [(s.start, s.end, [(s, k)]) for s, k in marks]
    stretches += [(g[0][0].start, max(s.end for s, _ in g), g) for g in groups]
    for start, end, members in sorted(stretches, key=lambda stretch: stretch[:2]):
        pieces.append(Piece(gold.text[position:start]))
        kinds = {kind for _, kind in members}
        words = {"right": "gold and model", "missed": "gold only", "spurious": "model only"}
        title = "; ".join(
            f"{words[kind]}: {span.label} “{gold.text[span.start : span.end]}”"
            for span, kind in members
        )
        label = " / ".join(dict.fromkeys(span.label for span, _ in members))
        kind = kinds.pop() if len(kinds) == 1 else "both"
        color = colors.get(members[0][0].label, "#999999")
        pieces.append(Piece(gold.text[start:end], kind, title, label, color))
        position = end
    pieces.append(Piece(gold.text[position:]))
    return DocumentView(
        gold.id,
        str(gold.meta.get("title", "")) or gold.text.strip().partition("\n")[0][:100],
        len(missed) + len(spurious),
        tuple(piece for piece in pieces if piece.text),
    )


def render_report(
    evaluation: Evaluation,
    pairs: Sequence[tuple[Document, Document]],
    *,
    model: str,
    gold: str,
    colors: Mapping[str, str],
    facts: Mapping[str, Any],
) -> str:
    """Return a self-contained HTML page; all text of documents is escaped.

    Args:
        evaluation: the scores.
        pairs: gold and predicted documents.
        model: the model's name.
        gold: the gold file's name.
        colors: a colour for each label.
        facts: further lines for the head of the page, by name.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["score"] = lambda value: "–" if value is None else f"{value:.3f}"
    views = [view_document(a, b, colors) for a, b in pairs]
    rows = [("all labels", evaluation.micro), *evaluation.labels.items()]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        model=model,
        gold=gold,
        facts=facts,
        evaluation=evaluation,
        rows=rows,
        views=sorted(views, key=lambda view: (-view.errors, view.id)),
        errors=sum(view.errors for view in views),
    )
