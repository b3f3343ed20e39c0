"""Questions: conflicts as an adjudicator sees and answers them.

    FOLDER/questions.jsonl  the questions asked, and the spans of each answer

A question shows the conflicting text in its context, and below it the answers: the spans of the
annotators, numbered; 0 for no span; x if none is right and the document must be annotated by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ...corpus.document import Span
from ...corpus.files import read_json_lines, sha256_text, write_json_lines
from ...errors import InputError, first_error
from ..utf16 import Utf16Offsets
from .conflicts import AnnotationComparison, Conflict
from .question_meta import describe_article, describe_conflict

ANOTHER = "another"
NOTHING = "no span"
_CONTEXT = 300
"""Characters of text shown on each side of a conflict."""


@dataclass(frozen=True)
class Question:
    """A conflict as a question to the adjudicator.

    Attributes:
        id: the question's id in doccano.
        doc_id: the document's id.
        text: the text that the adjudicator reads on doccano's own page.
        options: the spans of each answer, in the order of the numbers.
        meta: what our adjudication page shows, see :mod:`.question_meta`; {} if it was read from
            a file.
    """

    id: str
    doc_id: str
    text: str
    options: tuple[tuple[Span, ...], ...]
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)


class _QuestionRecord(BaseModel):
    """A line of `questions.jsonl`; of the spans, start, end and label."""

    id: str
    document: str
    text: str
    options: tuple[tuple[tuple[int, int, str], ...], ...]


def make_questions(comparison: AnnotationComparison) -> list[Question]:
    """Return one question for each conflict of a document, in order.

    Their texts do not name the annotators, so that the adjudicator judges the spans alone. The
    metadata of the first one holds the whole article.
    """
    offsets = Utf16Offsets(comparison.document.text)
    questions: list[Question] = []
    for conflict in comparison.conflicts:
        answers = dict.fromkeys(conflict.spans_of(name) for name in comparison.annotators)
        options = tuple(spans for spans in answers if spans)
        meta = describe_conflict(comparison, conflict, options, offsets)
        if not questions:
            meta["article"] = describe_article(comparison, offsets)
        questions.append(_make_question(comparison, conflict, options, meta))
    return questions


def _make_question(
    comparison: AnnotationComparison,
    conflict: Conflict,
    options: tuple[tuple[Span, ...], ...],
    meta: Mapping[str, Any],
) -> Question:
    text = comparison.document.text
    before = text[max(conflict.start - _CONTEXT, 0) : conflict.start].rpartition("\n\n")[2]
    after = text[conflict.end : conflict.end + _CONTEXT].partition("\n\n")[0]
    lines = [f"…{before}⟦{text[conflict.start : conflict.end]}⟧{after}…", ""]
    for number, spans in enumerate(options, start=1):
        quotes = " and ".join(f"{s.label} “{text[s.start : s.end]}”" for s in spans)
        lines.append(f"{number}   {quotes}")
    lines += [f"0   {NOTHING}", "x   none of these: I will mark it in the text"]
    question_text = "\n".join(lines)
    doc_id = comparison.document.id
    # The hash makes a changed conflict a new question, which is asked again.
    question_id = f"{doc_id[:200]}#{conflict.start}-{conflict.end}-{sha256_text(question_text)[:8]}"
    return Question(question_id, doc_id, question_text, options, meta)


def read_questions(folder: Path) -> list[Question]:
    """Return the questions that were asked in a folder; [] before the first.

    Raises:
        InputError: if a line of the file is not a question.
    """
    path = Path(folder) / "questions.jsonl"
    if not path.is_file():
        return []
    return [_parse_question(record, location) for location, record in read_json_lines(path)]


def _parse_question(record: object, location: str) -> Question:
    try:
        asked = _QuestionRecord.model_validate(record)
    except ValidationError as error:
        raise InputError(
            f"{location}: not a question ({first_error(error)}); restore the file from a copy"
        ) from error
    options = tuple(tuple(Span(*fields) for fields in spans) for spans in asked.options)
    return Question(asked.id, asked.document, asked.text, options)


def write_questions(folder: Path, questions: Iterable[Question]) -> None:
    """Write the questions that were asked in a folder."""

    def to_record(question: Question) -> dict[str, Any]:
        options = [[[s.start, s.end, s.label] for s in spans] for spans in question.options]
        return {
            "id": question.id,
            "document": question.doc_id,
            "text": question.text,
            "options": options,
        }

    write_json_lines(folder / "questions.jsonl", map(to_record, questions))
