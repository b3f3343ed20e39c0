"""Conversion of annotated corpora between formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import check_output
from ...corpus.output.atomic import open_folder_atomic
from ...corpus.reading.boundary import guard, guard_source
from ...corpus.rejected import Rejected
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from ..adjudication.annotation_sets import annotator_of
from .conversion_report import OTHER_LABELS, ConversionReport, file_name, unused_name
from .detection.targets import find_target_format
from .imported import DEFAULT_OPTIONS, Importer, ReadOptions
from .registry import get_format, get_writable
from .tokens.tokens import TAGGING_SCHEMES
from .uniqueness import UniqueIds
from .write_options import WriteOptions


def convert(
    source: Path,
    target: Path,
    source_format: str,
    target_format: str | None = None,
    *,
    labels: Iterable[str] | None = None,
    scheme: str = "bio",
    skip_bad: bool = False,
    options: ReadOptions = DEFAULT_OPTIONS,
    on_progress: OnProgress = ignore_progress,
) -> ConversionReport:
    """Convert an annotated corpus to another format.

    The target is written completely or not at all.

    Args:
        source: the file or folder to read.
        target: the file or new folder to write. With `options.by_annotator` it is a new folder
            with a file or folder for each annotator.
        source_format: one of :data:`~orbat.annotation.formats.registry.FORMATS`.
        target_format: likewise; None to find it from the ending of `target`.
        labels: spans with other labels are dropped; None keeps all.
        scheme: the tagging scheme of formats of tokens and tags, `bio` or `bilou`.
        skip_bad: leave out what contradicts itself or the text, instead of refusing the source.
        options: how to read the source.
        on_progress: called after each document.

    Returns:
        The number of documents, the number of dropped and rejected items, and unread files.

    Raises:
        InputError: naming the position that cannot be read, or if the target cannot be written, or
            its ending tells no format or another one.
    """
    source, target = Path(source), Path(target)
    check_output(target, source)
    written_format = find_target_format(target, target_format, by_annotator=options.by_annotator)
    report = ConversionReport()
    labels = None if labels is None else tuple(labels)

    def documents() -> Iterator[Document]:
        read = read_format(
            source, source_format, report, labels, skip_bad=skip_bad, options=options
        )
        for count, document in enumerate(read, 1):
            report.count(document)
            yield document
            on_progress(Progress("Converting documents", count))

    def write(path: Path, written: Iterable[Document]) -> int:
        return write_format(path, written_format, written, report, labels, scheme=scheme)

    if options.by_annotator:
        suffix = get_format(written_format).suffix
        report.documents = _write_by_annotator(target, suffix, documents(), write)
    else:
        report.documents = write(target, documents())
    return report


def _write_by_annotator(
    target: Path,
    suffix: str,
    documents: Iterable[Document],
    write: Callable[[Path, Iterable[Document]], int],
) -> int:
    """Write the documents of each annotator to a file of its own; return the document count."""
    by_annotator: dict[str, list[Document]] = {}
    for document in documents:
        by_annotator.setdefault(annotator_of(document) or "unknown", []).append(document)
    names: set[str] = set()
    with open_folder_atomic(target) as draft:
        return sum(
            write(
                draft / f"{unused_name(file_name(annotator).replace('/', '_'), names)}{suffix}",
                written,
            )
            for annotator, written in sorted(by_annotator.items())
        )


def read_format(
    source: Path,
    format_name: str,
    report: ConversionReport,
    labels: Iterable[str] | None = None,
    *,
    skip_bad: bool = False,
    options: ReadOptions = DEFAULT_OPTIONS,
) -> Iterator[Document]:
    """Read an annotated corpus, one document at a time.

    Ids that occur in several splits or files of the source get the name of the split or file in
    front. What contradicts itself or the text is counted, and the source refused at its end.

    Args:
        source: the file or folder.
        format_name: one of :data:`~orbat.annotation.formats.registry.FORMATS`.
        report: records what is dropped and rejected.
        labels: spans with other labels are dropped; None keeps all.
        skip_bad: leave out what contradicts itself or the text, instead of refusing the source.
        options: how to read the source.

    Raises:
        InputError: naming the position that cannot be read, for duplicate ids, for documents with
            several annotators of which `options` chooses none, and for a source without documents.
    """
    source = Path(source)
    chosen = get_format(format_name)
    names = None if labels is None else set(labels)
    importer = Importer(source.name.partition(".")[0], report, options.overlaps)
    unique_ids = UniqueIds(options, report)
    is_empty = True
    for imported in guard_source(str(source), chosen.read(source, options, report)):
        document = guard(imported.where, partial(importer.to_document, imported))
        if isinstance(document, Rejected):
            if not skip_bad:
                raise document.to_error()
            report.reject(imported.where, document.reason)
            continue
        unique = unique_ids.add(document, imported)
        if unique is None:
            continue
        kept = [span for span in unique.spans if names is None or span.label in names]
        others = [
            span.label for span in unique.spans if names is not None and span.label not in names
        ]
        report.drop(OTHER_LABELS, len(others))
        report.other_labels.update(others)
        is_empty = False
        yield replace(unique, spans=tuple(kept))
    unique_ids.check(source)
    if not skip_bad:
        report.check()
    if is_empty and not (report.rejections or report.malformed):
        dropped = ", ".join(report.describe_dropped())
        raise InputError(f"{source}: no documents" + (f", only {dropped}" if dropped else ""))


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
        format_name: one of :data:`~orbat.annotation.formats.registry.FORMATS` that can be written.
        documents: read while they are written.
        report: records what the format cannot keep.
        labels: for formats that list the labels, in this order; None for the labels that occur.
        scheme: the tagging scheme of formats of tokens and tags, `bio` or `bilou`.

    Returns:
        The number of documents.

    Raises:
        InputError: if the target cannot be written, or the format cannot hold a label.
    """
    if scheme not in TAGGING_SCHEMES:
        raise InputError(f"unknown scheme '{scheme}'; choose one of {', '.join(TAGGING_SCHEMES)}")
    chosen = get_writable(format_name)
    options = WriteOptions(None if labels is None else tuple(labels), scheme)
    assert chosen.write is not None
    return chosen.write(Path(target), documents, report, options)
