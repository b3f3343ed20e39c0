"""Annotation sets: the spans of one annotator over a set of documents, as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...corpus.document import Document, check_spans, parse_document
from ...corpus.files import read_json_lines
from ...errors import InputError
from ...evaluation.document_pairs import TextMatches, group_by_document, match_ids


@dataclass(frozen=True)
class AnnotationSet:
    """The spans of one annotator over a set of documents.

    Attributes:
        name: the annotator's name, or the file's if the file names no annotator.
        file: the file that it was read from.
        documents: the documents with the annotator's spans.
    """

    name: str
    file: Path
    documents: tuple[Document, ...]


def read_annotation_set(
    path: Path, labels: Sequence[str] | None, texts: Mapping[str, Document] | None = None
) -> AnnotationSet:
    """Read an annotation set from a JSON Lines file of documents.

    Records may lack `text`, and may name their annotator in a field `annotator` beside `id`.

    Args:
        path: the file.
        labels: the labels that spans may have; None allows any.
        texts: documents by id that supply the missing texts; None leaves them empty.

    Raises:
        InputError: naming the line and field that is wrong.
    """
    documents: dict[str, Document] = {}
    annotators: set[str] = set()
    for where, record in read_json_lines(path):
        if isinstance(record, dict) and "text" not in record and "annotator" in record:
            annotators.add(str(record["annotator"]))
            record = {key: value for key, value in record.items() if key != "annotator"}
        document = parse_document(record, where, labels, text_required=False)
        if document.id in documents:
            raise InputError(f"{where}: duplicate id '{document.id}'; keep one of the records")
        if not document.text and texts is not None:
            document = _add_text(document, texts, where, labels)
        documents[document.id] = document
    return make_annotation_set(path, list(documents.values()), annotators)


def make_annotation_set(
    path: Path, documents: Sequence[Document], annotators: Iterable[str] = ()
) -> AnnotationSet:
    """Return the annotation set of a file.

    Args:
        path: the file.
        documents: its documents.
        annotators: annotators whom the file names beside those in the documents.
    """
    names = {*annotators, *(name for document in documents for name in _names(document))}
    name = names.pop() if len(names) == 1 else Path(path).stem
    return AnnotationSet(name, Path(path), tuple(documents))


def _add_text(
    document: Document, texts: Mapping[str, Document], where: str, labels: Sequence[str] | None
) -> Document:
    source = texts.get(document.id)
    if source is None:
        raise InputError(f"{where}: no text for '{document.id}' in the --texts file; add it there")
    document = replace(document, text=source.text, meta={**source.meta, **document.meta})
    check_spans(document, document.spans, where, labels)
    return document


def annotator_of(document: Document) -> str | None:
    """Return the annotator of a document, as `meta.annotation` names them."""
    name = _annotation(document).get("annotator")
    return None if name in (None, "") else str(name)


def _names(document: Document) -> set[str]:
    """Return who annotated a document, as `meta.annotation` and the spans say."""
    names = (annotator_of(document), *(span.annotator for span in document.spans))
    return {name for name in names if name}


def _annotation(document: Document) -> Mapping[str, Any]:
    annotation = document.meta.get("annotation")
    return annotation if isinstance(annotation, dict) else {}


def is_confirmed(document: Document) -> bool:
    """Return whether the annotator has confirmed a document; True without `meta.annotation`."""
    return _annotation(document).get("confirmed") is not False


def comments_of(document: Document, annotator: str) -> list[tuple[str, str]]:
    """Return the comments in `meta.annotation` of a document, each with its author.

    Args:
        document: a document of an annotation set.
        annotator: the author of comments that name none.
    """
    comments = _annotation(document).get("comments")
    return [
        (str(comment.get("by") or annotator), str(comment["text"]))
        for comment in (comments if isinstance(comments, list) else [])
        if isinstance(comment, dict) and comment.get("text")
    ]


def documents_by_annotator(
    annotation_sets: Sequence[AnnotationSet],
) -> tuple[dict[str, Sequence[Document]], TextMatches]:
    """Return the documents of each annotation set by its name, with the same ids.

    See :func:`~orbat.evaluation.document_pairs.match_ids`.

    Raises:
        InputError: if there are fewer than two sets, or two have the same name.
    """
    if len(annotation_sets) < 2:
        raise InputError("only one annotation set; give at least two files")
    documents: dict[str, Sequence[Document]] = {}
    for annotation_set in annotation_sets:
        if annotation_set.name in documents:
            raise InputError(
                f"two annotation sets are named '{annotation_set.name}'; "
                "give each annotator a different name"
            )
        documents[annotation_set.name] = annotation_set.documents
    return match_ids(documents)


def confirmed_annotations(
    annotations: Mapping[str, Document], *, unconfirmed: bool = False
) -> dict[str, Document]:
    """Return the annotations of one document that can be compared.

    Those of annotators who have not confirmed the document are left out, so that an annotator who
    has not read it yet does not hold up the others.

    Args:
        annotations: the document with each annotator's spans, by annotator.
        unconfirmed: leave none out.

    Returns:
        The annotations by annotator; empty if fewer than two of several annotators have confirmed
        the document, or the only one has not.
    """
    if unconfirmed:
        return dict(annotations)
    confirmed = {name: d for name, d in annotations.items() if is_confirmed(d)}
    return confirmed if len(confirmed) >= min(len(annotations), 2) else {}


def confirmed_documents(
    annotations: Mapping[str, Sequence[Document]], *, unconfirmed: bool = False
) -> tuple[dict[str, list[Document]], int, int]:
    """Return the annotations that can be compared; see :func:`confirmed_annotations`.

    Args:
        annotations: documents by annotator; annotators may have different documents.
        unconfirmed: leave none out.

    Returns:
        The annotations by annotator, the number of documents left out, and the number of those
        without the annotations of somebody who has not confirmed them.
    """
    kept: dict[str, list[Document]] = {name: [] for name in annotations}
    skipped = partial = 0
    for row in group_by_document(annotations).values():
        confirmed = confirmed_annotations(row, unconfirmed=unconfirmed)
        skipped += not confirmed
        partial += 0 < len(confirmed) < len(row)
        for name, document in confirmed.items():
            kept[name].append(document)
    return kept, skipped, partial
