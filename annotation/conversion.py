"""Annotated corpora in other makers' forms, read as documents; what the record cannot hold is told.

brat standoff: https://brat.nlplab.org/standoff.html. re3d: https://github.com/dstl/re3d.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus.document import Document, Span, trim
from corpus.errors import InputError
from corpus.files import read_json_lines

Losses = Counter[str]
"""How many annotations of each kind could not be kept."""

_Found = tuple[int, int, str]


def read_brat(folder: Path, losses: Losses) -> Iterator[Document]:
    """Read a folder of brat standoff: `NAME.ann` beside `NAME.txt`.

    Text-bound annotations become spans. Relations, events, attributes and notes have no place in
    the record; of a discontinuous annotation all fragments are left out.

    Args:
        folder: the folder, read with those below it.
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
        spans = []
        for number, line in enumerate(lines, start=1):
            where = f"{path}:{number}"
            if not line.startswith("T"):
                if line.strip():
                    losses[_BRAT_KINDS.get(line[0], "other lines")] += 1
                continue
            span = _brat_span(line, where, losses)
            if span is not None:
                _check_quote(text, span, line.split("\t")[2], where)
                spans.append(span)
        identity = str(path.relative_to(folder).with_suffix(""))
        yield _document(identity, text, spans, {}, losses)
    if not found:
        raise InputError(f"{folder}: no .ann files; name a folder of brat standoff")


_BRAT_KINDS = {
    "R": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "references",
    "#": "notes",
    "*": "equivalences",
}


def _brat_span(line: str, where: str, losses: Losses) -> _Found | None:
    try:
        _, place, _ = line.split("\t", 2)
        label, offsets = place.split(" ", 1)
        if ";" in offsets:
            losses["discontinuous annotations"] += 1
            return None
        start, end = offsets.split(" ")
        return int(start), int(end), label
    except ValueError as error:
        raise InputError(
            f"{where}: not 'ID<tab>LABEL START END<tab>TEXT'; mend the line"
        ) from error


def read_re3d(folder: Path, losses: Losses) -> Iterator[Document]:
    """Read re3d: folders with `documents.json` and `entities.json`, one JSON object on each line.

    Entities of confidence 0 are those that re3d's makers rejected; they are left out.

    Args:
        folder: one source's folder, or the one above all of them.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    sources = sorted(path.parent for path in Path(folder).rglob("documents.json"))
    if not sources:
        raise InputError(f"{folder}: no documents.json; name a folder of re3d")
    for source in sources:
        entities: dict[str, list[tuple[_Found, str, str]]] = {}
        for where, entry in read_json_lines(source / "entities.json"):
            try:
                if not entry.get("confidence", 1):
                    losses["rejected annotations"] += 1
                    continue
                span = (int(entry["begin"]), int(entry["end"]), str(entry["type"]))
                entities.setdefault(entry["documentId"], []).append((span, entry["value"], where))
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"{where}: no usable entity ({error}); mend the line") from error
        for where, entry in read_json_lines(source / "documents.json"):
            try:
                identity, text = str(entry["_id"]), str(entry["text"])
            except KeyError as error:
                raise InputError(f"{where}: field {error} is missing; mend the line") from error
            for span, quote, place in entities.get(identity, ()):
                _check_quote(text, span, quote, place)
            spans = [span for span, _, _ in entities.get(identity, ())]
            meta = {"source": source.name}
            for key, field in (("url", "sourceUrl"), ("title", "title")):
                if entry.get(field):
                    meta[key] = entry[field]
            yield _document(identity, text, spans, meta, losses)


FORMATS: dict[str, Callable[[Path, Losses], Iterator[Document]]] = {
    "brat": read_brat,
    "re3d": read_re3d,
}


def convert_documents(
    source: Path, form: str, losses: Losses, labels: Iterable[str] | None = None
) -> Iterator[Document]:
    """Read an annotated corpus of another form.

    Args:
        source: its folder.
        form: one of :data:`FORMATS`.
        losses: counts what is left out.
        labels: spans of other labels are left out; None keeps all.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    wanted = None if labels is None else set(labels)
    for document in FORMATS[form](source, losses):
        kept = [span for span in document.spans if wanted is None or span.label in wanted]
        if len(kept) < len(document.spans):
            losses["annotations of other labels"] += len(document.spans) - len(kept)
        yield document.with_spans(kept)


def _check_quote(text: str, span: _Found, quote: str, where: str) -> None:
    """Refuse an annotation whose quoted text is not what stands at its offsets."""
    start, end, _ = span
    there = text[start:end]
    # re3d writes quotation marks and spaces another way than its texts do.
    if not 0 <= start < end <= len(text) or _letters(there) != _letters(quote):
        raise InputError(
            f"{where}: '{quote[:40]}' does not stand at {start} to {end} of its text "
            f"('{there[:40]}' does); offsets and text do not belong together"
        )


def _letters(text: str) -> list[str]:
    return [character for character in text if character.isalnum()]


def _document(
    identity: str, text: str, found: Iterable[_Found], meta: dict[str, Any], losses: Losses
) -> Document:
    """Build a document of the spans that the record allows; of those that overlap the longest."""
    spans: list[Span] = []
    for start, end, label in sorted(set(found), key=lambda f: (f[0] - f[1], f)):
        start, end = trim(text, start, end)
        if start >= end:
            losses["blank annotations"] += 1
        elif any(start < other.end and other.start < end for other in spans):
            losses["overlapping annotations"] += 1
        else:
            spans.append(Span(start, end, label))
    return Document(identity, text, tuple(sorted(spans)), meta)
