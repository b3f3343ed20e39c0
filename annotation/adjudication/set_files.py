"""Annotation sets of files in any format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...corpus.document import Document
from ...errors import InputError
from ..gold_files import GoldReader, find_gold_format
from .annotation_sets import AnnotationSet, is_confirmed, make_annotation_set, read_annotation_set


def read_set(
    path: Path,
    labels: Sequence[str] | None,
    reader: GoldReader,
    texts: Mapping[str, Document] | None = None,
) -> AnnotationSet:
    """Read an annotation set of any format that `orbat annotate convert` reads.

    Args:
        path: the file or folder. JSON Lines of orbat are read as by
            :func:`.annotation_sets.read_annotation_set`.
        labels: the labels that spans may have; None allows any.
        reader: reads other formats.
        texts: documents by id that supply missing texts.

    Raises:
        InputError: naming the position that is wrong.
    """
    path = Path(path)
    if path.is_file() and find_gold_format(path) == "jsonl":
        return read_annotation_set(path, labels, texts)
    return make_annotation_set(path, list(reader.read(path, labels)))


def read_confirmed(
    path: Path, labels: Sequence[str] | None, reader: GoldReader
) -> tuple[str, list[Document]]:
    """Read the confirmed documents of an annotation set; see :func:`read_set`.

    Returns:
        The annotator's name, and the documents.

    Raises:
        InputError: naming the position that is wrong, or if no document is confirmed.
    """
    annotation_set = read_set(path, labels, reader)
    confirmed = [document for document in annotation_set.documents if is_confirmed(document)]
    if not confirmed:
        raise InputError(f"{path}: no document is confirmed; let the annotator confirm some")
    return annotation_set.name, confirmed
