"""Readings: one annotator's spans over a set of documents, as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...corpus.document import Document, check_spans, parse_document
from ...corpus.files import read_json_lines
from ...errors import InputError
from ...evaluation.counts import group_by_document
from .conflicts import AnnotationComparison, compare_annotations, is_confirmed


@dataclass(frozen=True)
class AnnotationSet:
    """What one annotator made of a set of documents.

    Attributes:
        name: the annotator's, else the file's name.
        file: where it was read from.
        documents: the documents with the annotator's spans.
    """

    name: str
    file: Path
    documents: tuple[Document, ...]


def read_annotation_set(
    path: Path, labels: Sequence[str] | None, texts: dict[str, Document] | None = None
) -> AnnotationSet:
    """Read a reading from a JSON Lines file of documents.

    Records may lack `text` (a recorded pass); then `texts` supplies it by id, and a field
    `annotator` beside `id` names the annotator.

    Raises:
        InputError: for anything the record does not allow.
    """
    documents: dict[str, Document] = {}
    annotators: set[str] = set()
    for where, record in read_json_lines(path):
        if isinstance(record, dict) and "text" not in record and "annotator" in record:
            annotators.add(str(record["annotator"]))
            record = {key: value for key, value in record.items() if key != "annotator"}
        document = parse_document(record, where, labels, text_required=False)
        if document.id in documents:
            raise InputError(f"{where}: id '{document.id}' stands twice; keep one")
        if not document.text and texts is not None:
            source = texts.get(document.id)
            if source is None:
                raise InputError(f"{where}: no text for '{document.id}' in the --texts file")
            document = replace(document, text=source.text, meta={**source.meta, **document.meta})
            check_spans(document, document.spans, where, labels)
        documents[document.id] = document
        annotation = document.meta.get("annotation")
        if isinstance(annotation, dict) and annotation.get("annotator"):
            annotators.add(str(annotation["annotator"]))
        annotators |= {span.annotator for span in document.spans if span.annotator}
    name = annotators.pop() if len(annotators) == 1 else Path(path).stem
    return AnnotationSet(name, Path(path), tuple(documents.values()))


def read_confirmed(path: Path, labels: Sequence[str] | None) -> tuple[str, list[Document]]:
    """Read the documents that an annotator has confirmed, with the annotator's name.

    Raises:
        InputError: for anything the record does not allow, and where none is confirmed.
    """
    reading = read_annotation_set(path, labels)
    confirmed = [document for document in reading.documents if is_confirmed(document)]
    if not confirmed:
        raise InputError(f"{path}: no confirmed document in it; let the annotator confirm some")
    return reading.name, confirmed


def name_annotation_sets(readings: Sequence[AnnotationSet]) -> dict[str, Sequence[Document]]:
    """Return readings by their names.

    Raises:
        InputError: if there are fewer than two, or two have one name.
    """
    if len(readings) < 2:
        raise InputError("one reading only; give at least two files")
    named: dict[str, Sequence[Document]] = {}
    for reading in readings:
        if reading.name in named:
            raise InputError(
                f"two readings are named '{reading.name}'; each needs an annotator of its own"
            )
        named[reading.name] = reading.documents
    return named


def confirmed_by_all(
    readings: Mapping[str, Sequence[Document]], *, unconfirmed: bool = False
) -> tuple[dict[str, list[Document]], int]:
    """Leave out documents that one of their readers has not confirmed; return how many too.

    Args:
        readings: documents by annotator; not all need have the same.
        unconfirmed: leave none out.
    """
    open_ids = {
        document.id
        for documents in readings.values()
        for document in documents
        if not unconfirmed and not is_confirmed(document)
    }
    kept = {
        name: [document for document in documents if document.id not in open_ids]
        for name, documents in readings.items()
    }
    return kept, len(open_ids)


def compare_annotation_sets(
    readings: Sequence[AnnotationSet], *, unconfirmed: bool = False
) -> tuple[list[AnnotationComparison], list[str]]:
    """Compare readings document by document.

    Args:
        readings: two or more. A document need not be in all of them: what its only reader
            marked is agreed.
        unconfirmed: compare documents too that an annotator has not confirmed.

    Returns:
        The comparisons, and the ids left out for want of a confirmation.

    Raises:
        InputError: if they hold different texts of a document, or two have one name.
    """
    comparisons, left_out = [], []
    for row in group_by_document(name_annotation_sets(readings)).values():
        if unconfirmed or all(is_confirmed(document) for document in row.values()):
            comparisons.append(compare_annotations(row))
        else:
            left_out.append(next(iter(row.values())).id)
    return comparisons, left_out
