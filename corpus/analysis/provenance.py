"""An article's whole story: where it came from, and where it went."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..files import sha256_file, sha256_text


@dataclass(frozen=True)
class Event:
    """One thing that happened to an article.

    Attributes:
        what: in a word, such as `split`, `annotated` or `trained on`.
        where: the file or folder that says so.
        detail: more of it.
    """

    what: str
    where: str
    detail: str


@dataclass(frozen=True)
class Story:
    """What is known of an article.

    Attributes:
        id: its id.
        title: its title or first line.
        provenance: where it came from and what was done to it.
        hashes: SHA-256 of each text that it has anywhere; more than one means that it changed.
        events: what happened to it, by kind.
    """

    id: str
    title: str
    provenance: Mapping[str, Any]
    hashes: tuple[str, ...]
    events: tuple[Event, ...]


def tell_story(identity: str, places: Iterable[Path]) -> Story:
    """Look an article up in all corpora, splits, readings, gold files, runs and wheels of folders.

    Args:
        identity: the article's id.
        places: files, and folders that are looked through.

    Raises:
        InputError: if it is nowhere, or a place does not exist.
    """
    records: list[tuple[Path, dict[str, Any]]] = []
    lineages: list[tuple[str, dict[str, Any]]] = []
    evaluations: list[tuple[Path, dict[str, Any]]] = []
    for path in _files(places):
        if path.suffix == ".jsonl":
            records += [(path, record) for record in _records(path, identity)]
        elif path.name == "manifest.json":
            lineages += [(str(path.parent), value) for value in _json(path.read_bytes())]
        elif path.parent.name == "evaluations":
            evaluations += [(path, value) for value in _json(path.read_bytes())]
        elif path.suffix == ".whl":
            lineages += [(str(path), value) for value in _wheel(path)]
    texts = [str(record["text"]) for _, record in records if record.get("text")]
    hashes = tuple(dict.fromkeys(map(sha256_text, texts)))
    events = [event for path, record in records for event in _of_record(path, record)]
    for where, lineage in lineages:
        events += _of_lineage(where, lineage, identity, hashes)
    files = {sha256_file(path): path for path, _ in records} if evaluations else {}
    events += [
        Event("scored in", str(path), f"gold {files[value['gold_sha256']]}")
        for path, value in evaluations
        if value.get("gold_sha256") in files
    ]
    if not events:
        raise InputError(f"'{identity}' stands in none of these places; name others")
    metas = [record["meta"] for _, record in records if isinstance(record.get("meta"), dict)]
    provenance: dict[str, Any] = next((m["provenance"] for m in metas if "provenance" in m), {})
    title = next((str(m["title"]) for m in metas if m.get("title")), "")
    first_line = texts[0].strip().partition("\n")[0][:100] if texts else ""
    return Story(identity, title or first_line, provenance, hashes, tuple(dict.fromkeys(events)))


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in map(Path, places):
        if not place.exists():
            raise InputError(f"{place}: does not exist; check the path")
        if place.is_file():
            yield place
            continue
        for path in sorted(place.rglob("*")):
            inside = path.relative_to(place).parts
            if path.is_file() and not any(part.startswith(".") for part in inside):
                yield path


def _records(path: Path, identity: str) -> Iterator[dict[str, Any]]:
    # Lines that cannot hold the id are not decoded: corpora are large.
    wanted = {json.dumps(identity).encode(), json.dumps(identity, ensure_ascii=False).encode()}
    with path.open("rb") as file:
        for line in file:
            if any(text in line for text in wanted):
                for value in _json(line):
                    if value.get("id") == identity:
                        yield value


def _json(content: bytes) -> list[dict[str, Any]]:
    try:
        value = json.loads(content)
    except ValueError:
        return []
    return [value] if isinstance(value, dict) else []


def _wheel(path: Path) -> list[dict[str, Any]]:
    try:
        with zipfile.ZipFile(path) as wheel:
            names = [name for name in wheel.namelist() if name.endswith("/manifest.json")]
            return [value for name in names for value in _json(wheel.read(name))]
    except zipfile.BadZipFile:
        return []


def _of_record(path: Path, record: Mapping[str, Any]) -> Iterator[Event]:
    meta = record.get("meta") if isinstance(record.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    where, spans = str(path), len(record.get("spans") or ())
    if "duplicate" in meta:
        link = meta["duplicate"]
        yield Event("kept apart", where, f"repeats {link['of']}, similarity {link['similarity']}")
    elif "annotation" in meta:
        made = meta["annotation"]
        confirmed = "confirmed" if made.get("confirmed") else "not confirmed"
        yield Event("annotated", where, f"by {made.get('annotator')}, {spans} spans, {confirmed}")
    elif "adjudication" in meta:
        made = meta["adjudication"]
        yield Event("adjudicated", where, f"{spans} spans, policy {made.get('policy')}")
    elif "split" in meta:
        yield Event("split", where, f"{meta['split']}, {spans} spans")
    else:
        yield Event("in", where, f"{spans} spans")


def _of_lineage(
    where: str, lineage: Mapping[str, Any], identity: str, hashes: Iterable[str]
) -> Iterator[Event]:
    documents = lineage.get("documents")
    if not isinstance(documents, dict):
        return
    words = {"train": "trained on", "dev": "chosen on"}
    for part, entries in documents.items():
        for entry in entries if isinstance(entries, list) else ():
            same = entry.get("sha256") in hashes
            if entry.get("id") == identity or same:
                text = "" if same or not hashes else ", in another text"
                detail = f"{lineage.get('recipe', {}).get('encoder', '')}{text}"
                yield Event(words.get(str(part), str(part)), where, detail)
