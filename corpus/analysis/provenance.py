"""The trace of a document: its provenance, splits, annotations, and the models trained on it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..files import sha256_file, sha256_text
from ..json_values import replace_surrogates
from ..reading.bounded import MAX_ARTICLE_BYTES, UNREADABLE_ZIP, check_archive, read_bytes

_EVENT_OF_SPLIT = {"train": "trained on", "dev": "validated on"}


@dataclass(frozen=True)
class TraceEvent:
    """A file, run or wheel in which a document occurs.

    Attributes:
        kind: the kind of event: `in corpus`, `duplicate`, `split`, `annotated`,
            `adjudicated`, `trained on`, `validated on` or `evaluated in`.
        location: the file or folder.
        detail: further facts, in words.
    """

    kind: str
    location: str
    detail: str


@dataclass(frozen=True)
class DocumentTrace:
    """The records of a document in the files that were searched.

    Attributes:
        id: the document's id.
        title: its title or first line.
        provenance: its `meta.provenance`.
        hashes: SHA-256 of each version of its text; several if the text was changed.
        events: where it occurs.
    """

    id: str
    title: str
    provenance: Mapping[str, Any]
    hashes: tuple[str, ...]
    events: tuple[TraceEvent, ...]


def trace_document(doc_id: str, paths: Iterable[Path]) -> DocumentTrace:
    """Find a document in corpora, splits, annotation sets, gold files, runs and wheels.

    Args:
        doc_id: the document's id.
        paths: files, and folders that are searched recursively.

    Raises:
        InputError: if a path does not exist or the document is not found.
    """
    records: list[tuple[Path, dict[str, Any]]] = []
    manifests: list[tuple[str, dict[str, Any]]] = []
    evaluations: list[tuple[Path, dict[str, Any]]] = []
    for path in _find_files(paths):
        if path.suffix == ".jsonl":
            records += [(path, record) for record in _find_records(path, doc_id)]
        elif path.name == "manifest.json":
            manifests += [(str(path.parent), value) for value in _decode_object(read_bytes(path))]
        elif path.parent.name == "evaluations":
            evaluations += [(path, value) for value in _decode_object(read_bytes(path))]
        elif path.suffix == ".whl":
            manifests += [(str(path), value) for value in _read_wheel(path)]
    texts = [replace_surrogates(str(r["text"])) for _, r in records if r.get("text")]
    hashes = tuple(dict.fromkeys(map(sha256_text, texts)))
    events = [_record_event(path, record) for path, record in records]
    for location, manifest in manifests:
        events += _manifest_events(location, manifest, doc_id, hashes)
    files = {sha256_file(path): path for path, _ in records} if evaluations else {}
    events += [
        TraceEvent("evaluated in", str(path), f"gold {files[str(value['gold_sha256'])]}")
        for path, value in evaluations
        if str(value.get("gold_sha256")) in files
    ]
    if not events:
        raise InputError(f"document '{doc_id}' not found in the files given; give other paths")
    metas = [_as_object(record.get("meta")) for _, record in records]
    provenance = next(
        (_as_object(meta["provenance"]) for meta in metas if "provenance" in meta), {}
    )
    title = next((str(meta["title"]) for meta in metas if meta.get("title")), "")
    first_line = texts[0].strip().partition("\n")[0][:100] if texts else ""
    return DocumentTrace(
        doc_id, title or first_line, provenance, hashes, tuple(dict.fromkeys(events))
    )


def _find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files given, and those in the folders given that are not hidden."""
    for root in map(Path, paths):
        if not root.exists():
            raise InputError(f"{root}: does not exist; check the path")
        if root.is_file():
            yield root
            continue
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            if path.is_file() and not any(part.startswith(".") for part in parts):
                yield path


def _find_records(path: Path, doc_id: str) -> Iterator[dict[str, Any]]:
    # Corpora are large: only lines that contain the id are decoded.
    encoded = {json.dumps(doc_id).encode(), json.dumps(doc_id, ensure_ascii=False).encode()}
    with path.open("rb") as file:
        while line := file.readline(MAX_ARTICLE_BYTES):
            if any(text in line for text in encoded):
                for value in _decode_object(line):
                    if value.get("id") == doc_id:
                        yield value


def _decode_object(content: bytes) -> list[dict[str, Any]]:
    """Return the JSON object, or an empty list if the content is no JSON object."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return []
    return [value] if isinstance(value, dict) else []


def _read_wheel(path: Path) -> list[dict[str, Any]]:
    """Return the manifests in a wheel; none if it is damaged.

    Raises:
        InputError: if they are packed to fill the memory.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            entries = [e for e in wheel.infolist() if e.filename.endswith("/manifest.json")]
            check_archive(entries, str(path))
            return [value for entry in entries for value in _decode_object(wheel.read(entry))]
    except UNREADABLE_ZIP:
        return []


def _record_event(path: Path, record: Mapping[str, Any]) -> TraceEvent:
    meta, location = _as_object(record.get("meta")), str(path)
    spans = len(_as_list(record.get("spans")))
    if "duplicate" in meta:
        link = _as_object(meta["duplicate"])
        detail = f"repeats {link.get('of')}, similarity {link.get('similarity')}"
        return TraceEvent("duplicate", location, detail)
    if "annotation" in meta:
        annotation = _as_object(meta["annotation"])
        confirmed = "confirmed" if annotation.get("confirmed") else "not confirmed"
        detail = f"by {annotation.get('annotator')}, {spans} spans, {confirmed}"
        return TraceEvent("annotated", location, detail)
    if "adjudication" in meta:
        decided_by = _as_object(meta["adjudication"]).get("decided_by")
        detail = f"{spans} spans, decided by {decided_by}"
        return TraceEvent("adjudicated", location, detail)
    if "split" in meta:
        return TraceEvent("split", location, f"{meta['split']}, {spans} spans")
    return TraceEvent("in corpus", location, f"{spans} spans")


def _manifest_events(
    location: str, manifest: Mapping[str, Any], doc_id: str, hashes: Sequence[str]
) -> Iterator[TraceEvent]:
    encoder = _as_object(manifest.get("recipe")).get("encoder", "")
    for split, entries in _as_object(manifest.get("documents")).items():
        kind = _EVENT_OF_SPLIT.get(str(split), str(split))
        for entry in map(_as_object, _as_list(entries)):
            has_text = entry.get("sha256") in hashes
            if entry.get("id") == doc_id or has_text:
                note = "" if has_text or not hashes else ", with another text"
                yield TraceEvent(kind, location, f"{encoder}{note}")


def _as_object(value: object) -> dict[str, Any]:
    """Return a JSON value if it is an object: the files may be those of other programs."""
    return value if isinstance(value, dict) else {}


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
