"""brat standoff: `NAME.ann` beside `NAME.txt` (https://brat.nlplab.org/standoff.html).

Offsets count code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ....corpus.document import Document
from ....corpus.output.atomic import open_folder_atomic
from ....corpus.reading.bounded import MAX_MARKUP_BYTES, read_bytes
from ....errors import InputError
from ..conversion_report import (
    ConversionReport,
    drop_meta,
    drop_span_fields,
    file_name,
    refuse_spaces,
    unused_name,
)
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..sources import report_unread, visible_files
from ..write_options import WriteOptions

_KINDS = {
    "R": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "references",
    "*": "equivalences",
}


def read_brat(
    folder: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read brat standoff from a folder and its subfolders.

    Text-bound annotations become spans, and annotators' notes on them become the spans' notes.
    Relations, events, attributes, references and discontinuous annotations are dropped. Texts
    without an `.ann` file are not read.

    Args:
        folder: the folder.
        options: not used.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    paths = [path for path in visible_files(folder) if path.suffix == ".ann"]
    if not paths:
        raise InputError(f"{folder}: no .ann files; name a folder of brat standoff")
    report_unread(folder, (*paths, *(path.with_suffix(".txt") for path in paths)), report)
    for path in paths:
        text_file = path.with_suffix(".txt")
        try:
            # As bytes: in text mode Python reads \r\n as one character, but brat counts two.
            text = read_bytes(text_file, MAX_MARKUP_BYTES).decode()
        except (InputError, UnicodeDecodeError) as error:
            if text_file.is_file() and isinstance(error, InputError):
                raise
            raise InputError(
                f"{text_file}: missing or not UTF-8; put the text of {path.name} there"
            ) from error
        try:
            # Offsets refer to the text alone: a byte order mark here counts for nothing.
            lines = read_bytes(path).decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: unreadable or not UTF-8; convert it to UTF-8") from error
        spans = _read_annotations(path, lines, report)
        doc_id = path.relative_to(folder).with_suffix("").as_posix()
        yield ImportedDocument(str(path), doc_id, text, spans)


def _read_annotations(
    path: Path, lines: list[str], report: ConversionReport
) -> Iterable[ImportedSpan]:
    spans: dict[str, ImportedSpan] = {}
    for number, raw in enumerate(lines, start=1):
        line = raw.removesuffix("\r")
        where = f"{path}:{number}"
        if line.startswith("T"):
            span = _read_span(line, where, report)
            if span is not None:
                spans[line.partition("\t")[0]] = span
        elif line.startswith("#"):
            _add_note(spans, line, report)
        elif line.strip():
            report.drop(_KINDS.get(line[0], "other lines"))
    return spans.values()


def _read_span(line: str, where: str, report: ConversionReport) -> ImportedSpan | None:
    try:
        _, position, quote = line.split("\t", 2)
        label, offsets = position.split(" ", 1)
        if ";" in offsets:
            report.drop("discontinuous annotations")
            return None
        start, end = offsets.split(" ")
        return ImportedSpan(int(start), int(end), label, quote, where)
    except ValueError:
        report.reject(where, "not 'ID<tab>LABEL START END<tab>TEXT'", is_malformed=True)
        return None


def _add_note(spans: dict[str, ImportedSpan], line: str, report: ConversionReport) -> None:
    _, _, rest = line.partition("\t")
    kind, _, note = rest.partition("\t")
    target = kind.split(" ")[-1]
    if kind.startswith("AnnotatorNotes ") and note and target in spans:
        spans[target].note = note
    else:
        report.drop("notes")


def write_brat(
    folder: Path,
    documents: Iterable[Document],
    report: ConversionReport,
    options: WriteOptions,
) -> int:
    """Write a new folder of brat standoff with an `annotation.conf`; return the document count.

    Args:
        folder: must not exist.
        documents: the documents. Their ids become the file names.
        report: records what is dropped.
        options: the labels for `annotation.conf`; None for the labels that occur.

    Raises:
        InputError: if a label contains a space.
    """
    names: set[str] = set()
    entity_types: dict[str, None] = dict.fromkeys(options.labels or ())
    with open_folder_atomic(folder) as draft:
        for document in documents:
            name = file_name(document.id)
            if name != document.id:
                report.drop("ids that are no file names")
            name = unused_name(name, names)
            drop_meta(document, report)
            drop_span_fields(document, report, ("note",))
            refuse_spaces(document, "brat's labels")
            entity_types |= dict.fromkeys(span.label for span in document.spans)
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / f"{name}.txt").write_bytes(document.text.encode())
            content = "".join(f"{line}\n" for line in _to_lines(document))
            (draft / f"{name}.ann").write_bytes(content.encode())
        sections = ("[relations]", "[events]", "[attributes]")
        conf = "\n".join(["[entities]", *entity_types, *(f"\n{section}" for section in sections)])
        (draft / "annotation.conf").write_text(f"{conf}\n", encoding="utf-8")
    return len(names)


def _to_lines(document: Document) -> Iterator[str]:
    for number, span in enumerate(document.spans, start=1):
        quote = document.text[span.start : span.end].replace("\n", " ").replace("\r", " ")
        yield f"T{number}\t{span.label} {span.start} {span.end}\t{quote}"
        if span.note:
            note = " ".join(span.note.split())
            yield f"#{number}\tAnnotatorNotes T{number}\t{note}"
