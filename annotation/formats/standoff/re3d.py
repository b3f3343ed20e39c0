"""re3d: folders of `documents.json` and `entities.json` (https://github.com/dstl/re3d)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from ....corpus.document import Document
from ....corpus.files import read_json_lines
from ....corpus.output.atomic import open_folder_atomic
from ....errors import InputError
from ..conversion_report import ConversionReport, drop_meta, drop_span_fields, file_name
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..sources import report_unread
from ..write_options import WriteOptions

_META = {"url": "sourceUrl", "title": "title"}


def read_re3d(
    folder: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read re3d's MongoDB export, one JSON object per line.

    Entities of confidence 0, which the authors of re3d rejected, are dropped.

    Args:
        folder: the folder of one source, or a folder of such folders.
        options: not used.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    sources = sorted(path.parent for path in Path(folder).rglob("documents.json"))
    if not sources:
        raise InputError(f"{folder}: no documents.json; name a folder of re3d")
    names = ("documents.json", "entities.json", "relations.json")
    report_unread(folder, (source / name for source in sources for name in names), report)
    for source in sources:
        entities = _read_entities(source / "entities.json", report)
        if (source / "relations.json").is_file():
            report.drop("relations", sum(1 for _ in _read_lines(source / "relations.json")))
        for where, record in read_json_lines(source / "documents.json"):
            try:
                doc_id, text = str(record["_id"]), str(record["text"])
            except (KeyError, TypeError) as error:
                raise InputError(f"{where}: field {error} is missing; correct the line") from error
            spans = entities.pop(doc_id, [])
            meta = {"source": source.name}
            meta |= {key: record[field] for key, field in _META.items() if record.get(field)}
            yield ImportedDocument(where, doc_id, text, spans, meta)
        report.drop("annotations of missing documents", sum(map(len, entities.values())))


def _read_entities(path: Path, report: ConversionReport) -> dict[str, list[ImportedSpan]]:
    """Return the entities by document id."""
    entities: dict[str, list[ImportedSpan]] = {}
    for where, record in _read_lines(path):
        try:
            if not record.get("confidence", 1):
                report.drop("rejected annotations")
                continue
            span = ImportedSpan(
                record["begin"], record["end"], record["type"], record["value"], where
            )
            entities.setdefault(record["documentId"], []).append(span)
        except (AttributeError, KeyError, TypeError) as error:
            report.reject(where, f"not an entity ({error})")
    return entities


def _read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    # A corpus without entities has an empty file.
    if path.is_file() and path.stat().st_size < 100 and not path.read_bytes().strip():
        return iter(())
    return read_json_lines(path)


def write_re3d(
    folder: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a new folder of re3d with one folder per `meta.source`; return the document count."""
    count = 0
    files: dict[str, tuple[IO[str], IO[str]]] = {}
    with open_folder_atomic(folder) as draft:
        try:
            for document in documents:
                count += 1
                drop_meta(document, report, ("source", *_META))
                drop_span_fields(document, report)
                source = str(document.meta.get("source") or "documents")
                name = file_name(source).replace("/", "_")
                if name not in files:
                    (draft / name).mkdir()
                    files[name] = (
                        (draft / name / "documents.json").open("w", encoding="utf-8", newline="\n"),
                        (draft / name / "entities.json").open("w", encoding="utf-8", newline="\n"),
                    )
                _write_document(document, source, *files[name])
        finally:
            for pair in files.values():
                for file in pair:
                    file.close()
    return count


def _write_document(
    document: Document, source: str, document_file: IO[str], entity_file: IO[str]
) -> None:
    meta = {field: document.meta[key] for key, field in _META.items() if key in document.meta}
    record = {"_id": document.id, "sourceName": source, **meta, "text": document.text}
    document_file.write(json.dumps(record, ensure_ascii=False) + "\n")
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
        entity_file.write(json.dumps(entity, ensure_ascii=False) + "\n")
