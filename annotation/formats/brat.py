"""brat standoff: `NAME.ann` beside `NAME.txt` (https://brat.nlplab.org/standoff.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ...corpus.document import Document, Span
from ...errors import InputError
from ..folders import file_name, new_folder
from .conversion_report import (
    ConversionReport,
    assemble,
    check_quote,
    count_lost_marks,
    count_lost_meta,
    refuse_spaces,
)

_KINDS = {
    "R": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "references",
    "*": "equivalences",
}


def read_brat(folder: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a folder of brat standoff and those below it.

    Text-bound annotations become spans, and annotators' notes on them the spans' notes.
    Relations, events, attributes and references have no place in the record; of a discontinuous
    annotation all fragments are left out.

    Args:
        folder: the folder.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    found = False
    for path in sorted(Path(folder).rglob("*.ann")):
        found = True
        text_file = path.with_suffix(".txt")
        try:
            # As bytes: Python would make \r\n one character, and brat counts two.
            text = text_file.read_bytes().decode()
            lines = path.read_bytes().decode().split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{text_file}: missing or not UTF-8; put the text of {path.name} there"
            ) from error
        spans: dict[str, Span] = {}
        for number, line in enumerate(lines, start=1):
            line = line.removesuffix("\r")
            where = f"{path}:{number}"
            if line.startswith("T"):
                span = _read_span(line, where, losses)
                if span is not None:
                    name, _, quote = line.split("\t", 2)
                    check_quote(text, (span.start, span.end, span.label), quote, where)
                    spans[name] = span
            elif line.startswith("#"):
                _add_note(spans, line, losses)
            elif line.strip():
                losses[_KINDS.get(line[0], "other lines")] += 1
        identity = path.relative_to(folder).with_suffix("").as_posix()
        yield assemble(identity, text, spans.values(), {}, losses)
    if not found:
        raise InputError(f"{folder}: no .ann files; name a folder of brat standoff")


def _read_span(line: str, where: str, losses: ConversionReport) -> Span | None:
    try:
        _, place, _ = line.split("\t", 2)
        label, offsets = place.split(" ", 1)
        if ";" in offsets:
            losses["discontinuous annotations"] += 1
            return None
        start, end = offsets.split(" ")
        return Span(int(start), int(end), label)
    except ValueError as error:
        raise InputError(
            f"{where}: not 'ID<tab>LABEL START END<tab>TEXT'; mend the line"
        ) from error


def _add_note(spans: dict[str, Span], line: str, losses: ConversionReport) -> None:
    _, _, rest = line.partition("\t")
    kind, _, note = rest.partition("\t")
    target = kind.split(" ")[-1]
    if kind.startswith("AnnotatorNotes ") and note and target in spans:
        spans[target] = replace(spans[target], note=note)
    else:
        losses["notes"] += 1


def write_brat(
    folder: Path,
    documents: Iterable[Document],
    losses: ConversionReport,
    labels: Iterable[str] | None,
) -> int:
    """Write a new folder of brat standoff with an `annotation.conf`, and count the documents.

    Args:
        folder: must not be there yet.
        documents: named after their ids.
        losses: counts what is left out.
        labels: for `annotation.conf`; None takes those that occur.

    Raises:
        InputError: for a label that brat cannot hold.
    """
    taken: set[str] = set()
    used: dict[str, None] = dict.fromkeys(labels or ())
    with new_folder(folder) as draft:
        for document in documents:
            name = file_name(document.id)
            if name != document.id:
                losses["ids that are no file names"] += 1
            while name.lower() in taken:
                name += "-again"
            taken.add(name.lower())
            count_lost_meta(document, losses)
            count_lost_marks(document, losses, ("note",))
            refuse_spaces(document, "brat's labels")
            lines: list[str] = []
            for number, span in enumerate(document.spans, start=1):
                used[span.label] = None
                lines += _lines(number, span, document.text)
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / f"{name}.txt").write_bytes(document.text.encode())
            content = "".join(f"{line}\n" for line in lines)
            (draft / f"{name}.ann").write_bytes(content.encode())
        sections = ("[relations]", "[events]", "[attributes]")
        conf = "\n".join(["[entities]", *used, *(f"\n{section}" for section in sections)])
        (draft / "annotation.conf").write_text(f"{conf}\n", encoding="utf-8")
    return len(taken)


def _lines(number: int, span: Span, text: str) -> Iterator[str]:
    quote = text[span.start : span.end].replace("\n", " ").replace("\r", " ")
    yield f"T{number}\t{span.label} {span.start} {span.end}\t{quote}"
    if span.note:
        note = " ".join(span.note.split())
        yield f"#{number}\tAnnotatorNotes T{number}\t{note}"
