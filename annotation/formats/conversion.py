"""Annotated corpora from one form to another; what a form cannot keep is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_documents, write_documents
from ...errors import InputError
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
from .tokens import SCHEMES
from .words_tags import read_word_files, write_word_files

READERS: dict[str, Callable[[Path, ConversionReport], Iterator[Document]]] = {
    "jsonl": lambda path, losses: read_documents(path),
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
FORMS = tuple(READERS)


def read_format(
    source: Path, form: str, losses: ConversionReport, labels: Iterable[str] | None = None
) -> Iterator[Document]:
    """Read an annotated corpus, in any of :data:`FORMS`.

    Args:
        source: its file or folder.
        form: which form it has.
        losses: counts what is left out.
        labels: spans of other labels are left out; None keeps all.

    Raises:
        InputError: naming the place that cannot be read, and for doubled ids.
    """
    wanted = None if labels is None else set(labels)
    seen: set[str] = set()
    for document in READERS[_known(form)](Path(source), losses):
        if document.id in seen:
            raise InputError(f"{source}: id '{document.id}' stands twice; ids must be unique")
        seen.add(document.id)
        kept = [span for span in document.spans if wanted is None or span.label in wanted]
        if len(kept) < len(document.spans):
            losses["annotations of other labels"] += len(document.spans) - len(kept)
        yield document.with_spans(kept)


def write_format(
    target: Path,
    form: str,
    documents: Iterable[Document],
    losses: ConversionReport,
    labels: Iterable[str] | None = None,
    *,
    scheme: str = "bio",
) -> int:
    """Write an annotated corpus, in any of :data:`FORMS`, whole or not at all.

    Args:
        target: the file or the new folder.
        form: which form it shall have.
        documents: read as they are written.
        losses: counts what the form cannot keep.
        labels: for forms that list them, in this order; None takes those that occur.
        scheme: one of :data:`SCHEMES`, for tags as text.

    Returns:
        The number of documents.

    Raises:
        InputError: if the target cannot be written, or the form has no place for a label.
    """
    target = Path(target)
    if scheme not in SCHEMES:
        raise InputError(f"unknown scheme '{scheme}'; choose one of {', '.join(SCHEMES)}")
    match _known(form):
        case "jsonl":
            return write_documents(target, documents)
        case "doccano":
            return write_doccano(target, documents, losses)
        case "brat":
            return write_brat(target, documents, losses, labels)
        case "conll":
            return write_conll(target, documents, losses, scheme)
        case "iob":
            return write_iob(target, documents, losses, scheme)
        case "words-tags":
            return write_word_files(target, documents, losses, scheme)
        case "docbin":
            return write_docbin(target, documents, losses)
        case "labelstudio":
            return write_label_studio(target, documents, losses)
        case "prodigy":
            return write_prodigy(target, documents, losses)
        case "datasets":
            return write_datasets(target, documents, losses, labels)
        case _:
            return write_re3d(target, documents, losses)


def _known(form: str) -> str:
    if form not in FORMS:
        raise InputError(f"unknown form '{form}'; choose one of {', '.join(FORMS)}")
    return form
