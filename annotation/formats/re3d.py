"""re3d: folders of `documents.json` and `entities.json` (https://github.com/dstl/re3d)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from ...corpus.document import Document, Span
from ...corpus.files import read_json_lines
from ...errors import InputError
from ..folders import file_name, new_folder
from .conversion_report import (
    ConversionReport,
    assemble,
    check_quote,
    count_lost_marks,
    count_lost_meta,
)

_META = {"url": "sourceUrl", "title": "title"}


def read_re3d(folder: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read re3d's mongo-export: one JSON object on each line.

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
        entities: dict[str, list[tuple[Span, str, str]]] = {}
        for where, entry in _lines(source / "entities.json"):
            try:
                if not entry.get("confidence", 1):
                    losses["rejected annotations"] += 1
                    continue
                span = Span(int(entry["begin"]), int(entry["end"]), str(entry["type"]))
                entities.setdefault(entry["documentId"], []).append((span, entry["value"], where))
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"{where}: no usable entity ({error}); mend the line") from error
        if (source / "relations.json").is_file():
            losses["relations"] += sum(1 for _ in _lines(source / "relations.json"))
        for where, entry in read_json_lines(source / "documents.json"):
            try:
                identity, text = str(entry["_id"]), str(entry["text"])
            except (KeyError, TypeError) as error:
                raise InputError(f"{where}: field {error} is missing; mend the line") from error
            found = entities.pop(identity, [])
            for span, quote, place in found:
                check_quote(text, (span.start, span.end, span.label), quote, place)
            meta = {"source": source.name}
            meta |= {key: entry[field] for key, field in _META.items() if entry.get(field)}
            yield assemble(identity, text, (span for span, _, _ in found), meta, losses)
        losses["annotations of missing documents"] += sum(map(len, entities.values()))


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    # A corpus without any entity has an empty file.
    if path.is_file() and not path.read_bytes().strip():
        return iter(())
    return read_json_lines(path)


def write_re3d(folder: Path, documents: Iterable[Document], losses: ConversionReport) -> int:
    """Write a new folder of re3d, a folder in it for each `meta.source`; count the documents."""
    count = 0
    files: dict[str, tuple[IO[str], IO[str]]] = {}
    with new_folder(folder) as draft:
        try:
            for document in documents:
                count += 1
                count_lost_meta(document, losses, ("source", *_META))
                count_lost_marks(document, losses)
                source = str(document.meta.get("source") or "documents")
                name = file_name(source).replace("/", "_")
                if name not in files:
                    (draft / name).mkdir()
                    files[name] = (
                        (draft / name / "documents.json").open("w", encoding="utf-8", newline="\n"),
                        (draft / name / "entities.json").open("w", encoding="utf-8", newline="\n"),
                    )
                _write(document, source, *files[name])
        finally:
            for pair in files.values():
                for file in pair:
                    file.close()
    return count


def _write(document: Document, source: str, texts: IO[str], entities: IO[str]) -> None:
    meta = {field: document.meta[key] for key, field in _META.items() if key in document.meta}
    record = {"_id": document.id, "sourceName": source, **meta, "text": document.text}
    texts.write(json.dumps(record, ensure_ascii=False) + "\n")
    for span in document.spans:
        entity = {
            "_id": f"{document.id}-0-{span.start}-{span.end}-{span.label}",
            "begin": span.start,
            "end": span.end,
            "type": span.label,
            "value": document.text[span.start : span.end],
            "documentId": document.id,
            "confidence": 1,
        }
        entities.write(json.dumps(entity, ensure_ascii=False) + "\n")
