"""Conversion of annotated corpora between formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_documents, write_documents
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from .brat import read_brat, write_brat
from .conll import read_conll, write_conll
from .conversion_report import ConversionReport
from .datasets import read_datasets, write_datasets
from .docbin import read_docbin, write_docbin
from .doccano import read_doccano, write_doccano
from .iob import read_iob, write_iob
from .label_studio import read_label_studio, write_label_studio
from .prodigy import read_prodigy, write_prodigy
from .re3d import read_re3d, write_re3d
from .tokens import TAGGING_SCHEMES
from .words_tags import read_word_files, write_word_files

READERS: dict[str, Callable[[Path, ConversionReport], Iterator[Document]]] = {
    "jsonl": lambda path, report: read_documents(path),
    "doccano": read_doccano,
    "brat": read_brat,
    "conll": read_conll,
    "iob": read_iob,
    "words-tags": read_word_files,
    "docbin": read_docbin,
    "labelstudio": read_label_studio,
    "prodigy": read_prodigy,
    "datasets": read_datasets,
    "re3d": read_re3d,
}
FORMATS = tuple(READERS)


def convert(
    source: Path,
    target: Path,
    source_format: str,
    target_format: str = "jsonl",
    *,
    labels: Iterable[str] | None = None,
    scheme: str = "bio",
    on_progress: OnProgress = ignore_progress,
) -> ConversionReport:
    """Convert an annotated corpus to another format.

    The target is written completely or not at all.

    Args:
        source: the file or folder to read.
        target: the file or new folder to write.
        source_format: one of :data:`FORMATS`.
        target_format: one of :data:`FORMATS`.
        labels: spans with other labels are dropped; None keeps all.
        scheme: the tagging scheme of `conll`, `iob` and `words-tags`, `bio` or `bilou`.
        on_progress: called after each document.

    Returns:
        The number of documents, and the number of dropped items by kind.

    Raises:
        InputError: naming the position that cannot be read, or if the target cannot be written.
    """
    report = ConversionReport()
    labels = None if labels is None else tuple(labels)

    def documents() -> Iterator[Document]:
        for count, document in enumerate(read_format(source, source_format, report, labels), 1):
            yield document
            on_progress(Progress("Converting documents", count))

    report.documents = write_format(
        target, target_format, documents(), report, labels, scheme=scheme
    )
    return report


def read_format(
    source: Path, format_name: str, report: ConversionReport, labels: Iterable[str] | None = None
) -> Iterator[Document]:
    """Read an annotated corpus, one document at a time.

    Args:
        source: the file or folder.
        format_name: one of :data:`FORMATS`.
        report: records what is dropped.
        labels: spans with other labels are dropped; None keeps all.

    Raises:
        InputError: naming the position that cannot be read, and for duplicate ids.
    """
    names = None if labels is None else set(labels)
    seen: set[str] = set()
    for document in READERS[_check_format(format_name)](Path(source), report):
        if document.id in seen:
            raise InputError(f"{source}: duplicate id '{document.id}'; ids must be unique")
        seen.add(document.id)
        kept = [span for span in document.spans if names is None or span.label in names]
        report.drop("annotations of other labels", len(document.spans) - len(kept))
        yield document.with_spans(kept)


def write_format(
    target: Path,
    format_name: str,
    documents: Iterable[Document],
    report: ConversionReport,
    labels: Iterable[str] | None = None,
    *,
    scheme: str = "bio",
) -> int:
    """Write an annotated corpus, completely or not at all.

    Args:
        target: the file or new folder.
        format_name: one of :data:`FORMATS`.
        documents: read while they are written.
        report: records what the format cannot keep.
        labels: for formats that list the labels, in this order; None for the labels that occur.
        scheme: the tagging scheme of `conll`, `iob` and `words-tags`, `bio` or `bilou`.

    Returns:
        The number of documents.

    Raises:
        InputError: if the target cannot be written, or the format cannot hold a label.
    """
    target = Path(target)
    if scheme not in TAGGING_SCHEMES:
        raise InputError(f"unknown scheme '{scheme}'; choose one of {', '.join(TAGGING_SCHEMES)}")
    match _check_format(format_name):
        case "jsonl":
            return write_documents(target, documents)
        case "doccano":
            return write_doccano(target, documents, report)
        case "brat":
            return write_brat(target, documents, report, labels)
        case "conll":
            return write_conll(target, documents, report, scheme)
        case "iob":
            return write_iob(target, documents, report, scheme)
        case "words-tags":
            return write_word_files(target, documents, report, scheme)
        case "docbin":
            return write_docbin(target, documents, report)
        case "labelstudio":
            return write_label_studio(target, documents, report)
        case "prodigy":
            return write_prodigy(target, documents, report)
        case "datasets":
            return write_datasets(target, documents, report, labels)
        case _:
            return write_re3d(target, documents, report)


def _check_format(name: str) -> str:
    if name not in FORMATS:
        raise InputError(f"unknown format '{name}'; choose one of {', '.join(FORMATS)}")
    return name
