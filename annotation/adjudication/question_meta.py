"""The metadata of questions: what our adjudication page shows of a conflict and its article.

doccano holds it as `meta.meta` of each question. Offsets are UTF-16 units, as in the browser:

    {"document": "june-17",
     "conflict": {"start": 17, "end": 24,
                  "readings": [{"spans": [[17, 24, "UNIT"]], "annotators": [0]}],
                  "no_span": [1]},
     "article": {"text": "…", "title": "…", "source": "…", "date": "…",
                 "spans": [[0, 4, "RANK"]], "annotators": ["ann", "ben"],
                 "comments": [{"by": "ben", "text": "…"}]}}

`readings` are the answers in the order of their numbers, with the numbers of the annotators who
gave them; `no_span` are the annotators without a span there. `article` is in the first question of
a document only, with the spans that all annotators share. A question whose conflict is not there
any more, because an annotation set has changed, has `"withdrawn": true` in place of `conflict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...corpus.document import Span
from ..doccano.records import DOCUMENT_KEY
from ..session.upload import describe_source
from ..utf16 import Utf16Offsets
from .conflicts import AnnotationComparison, Conflict


def describe_conflict(
    comparison: AnnotationComparison,
    conflict: Conflict,
    options: Sequence[tuple[Span, ...]],
    offsets: Utf16Offsets,
) -> dict[str, Any]:
    """Return the metadata of a question.

    Args:
        comparison: the document.
        conflict: one of its conflicts.
        options: the spans of each answer.
        offsets: converts offsets of the document's text.
    """
    answers = [conflict.spans_of(name) for name in comparison.annotators]

    def annotators_of(spans: tuple[Span, ...]) -> list[int]:
        return [number for number, answer in enumerate(answers) if answer == spans]

    return {
        DOCUMENT_KEY: comparison.document.id,
        "conflict": {
            "start": offsets.to_units(conflict.start),
            "end": offsets.to_units(conflict.end),
            "readings": [
                {"spans": _to_units(spans, offsets), "annotators": annotators_of(spans)}
                for spans in options
            ],
            "no_span": annotators_of(()),
        },
    }


def describe_article(comparison: AnnotationComparison, offsets: Utf16Offsets) -> dict[str, Any]:
    """Return the text, the agreed spans and the comments of a document with conflicts."""
    document = comparison.document
    return {
        "text": document.text,
        **describe_source(document),
        "spans": _to_units(comparison.agreed, offsets),
        "annotators": list(comparison.annotators),
        "comments": [{"by": author, "text": text} for author, text in comparison.comments],
    }


def withdrawn(doc_id: str) -> dict[str, Any]:
    """Return the metadata of a question whose conflict is not there any more."""
    return {DOCUMENT_KEY: doc_id, "withdrawn": True}


def _to_units(spans: Iterable[Span], offsets: Utf16Offsets) -> list[list[int | str]]:
    return [[offsets.to_units(s.start), offsets.to_units(s.end), s.label] for s in spans]
