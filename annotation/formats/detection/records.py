"""The formats of JSON: found from the fields of the first record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ....corpus.files import read_first_value
from ....corpus.reading.json_arrays import is_json_array, iterate_json_array


class FoundFormat(NamedTuple):
    """A format, and what it was found from.

    Attributes:
        name: one of :data:`~orbat.annotation.formats.registry.FORMATS`.
        evidence: what the source has, in a few words.
    """

    name: str
    evidence: str


_LABEL_STUDIO = ("annotations", "completions", "predictions")
_LABEL_STUDIO_MINIMAL = ("annotation_id", "lead_time")
_PRODIGY = ("_input_hash", "_task_hash", "_session_id", "answer")
_TAGS = ("ner_tags", "ner", "named_entities", "bio_tags", "tags", "labels")


def find_json_format(path: Path) -> FoundFormat | None:
    """Return the format of a JSON or JSON Lines file; None if its first record tells none.

    Raises:
        InputError: if the file is missing or empty, or its first record cannot be decoded.
    """
    if is_json_array(path):
        _, record = next(iterate_json_array(path), ("", None))
        # Lines such as ["TEXT", {"entities": …}] begin as an array does.
        return _PAIRS if isinstance(record, str) else find_record_format(record)
    return find_record_format(read_first_value(path))


_PAIRS = FoundFormat("spacy", "pairs of a text and its entities")


def find_record_format(record: object) -> FoundFormat | None:
    """Return the format that has such records; None if it cannot be told."""
    if isinstance(record, list) and len(record) == 2 and isinstance(record[0], str):
        return _PAIRS
    if not isinstance(record, dict):
        return None
    return _find_tool(record) or _find_tokens(record) or _find_spans(record)


def _find_tool(record: Mapping[str, Any]) -> FoundFormat | None:
    """Return the format of a record with fields that only one program writes."""
    if "%FEATURE_STRUCTURES" in record:
        return FoundFormat("cas-json", "the field '%FEATURE_STRUCTURES'")
    if isinstance(record.get("data"), dict) and (name := _first(record, _LABEL_STUDIO)):
        return FoundFormat("labelstudio", f"tasks with 'data' and '{name}'")
    if name := _first(record, _LABEL_STUDIO_MINIMAL):
        return FoundFormat("labelstudio", f"the field '{name}'")
    if name := _first(record, _PRODIGY):
        return FoundFormat("prodigy", f"the field '{name}'")
    return None


def _find_tokens(record: Mapping[str, Any]) -> FoundFormat | None:
    """Return the format of a record with a list of words, or of parts of a data set."""
    words = _first(record, ("tokens", "words"))
    tags = _first(record, _TAGS)
    if words and tags and _is_list_of(record[words], (str, list)):
        return FoundFormat("datasets", f"the columns '{words}' and '{tags}'")
    if _first(record, ("data", "train")) and all(map(_is_table, record.values())):
        return FoundFormat("datasets", "tables of records")
    return None


def _find_spans(record: Mapping[str, Any]) -> FoundFormat | None:
    """Return the format of a record with spans of a text."""
    entities = record.get("entities")
    if name := _first(record, ("ents", "paragraphs")):
        return FoundFormat("spacy", f"the field '{name}'")
    if "classes" in record and isinstance(record.get("annotations"), list):
        return FoundFormat("spacy", "the fields 'classes' and 'annotations'")
    if "spans" in record:
        is_task = "tokens" in record and "id" not in record
        return FoundFormat("prodigy" if is_task else "jsonl", "the field 'spans'")
    if name := next((n for n in ("label", "labels") if isinstance(record.get(n), list)), None):
        return FoundFormat("doccano", f"the field '{name}' with a list")
    if isinstance(entities, list):
        are_offsets = any(isinstance(e, dict) and "start_offset" in e for e in entities)
        is_export = are_offsets or "relations" in record
        return FoundFormat("doccano" if is_export else "spacy", "the field 'entities'")
    return FoundFormat("jsonl", "the field 'text'") if "text" in record else None


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in record), None)


def _is_list_of(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(item, kinds) for item in value)


def _is_table(value: Any) -> bool:
    return bool(value) and _is_list_of(value, (dict,))
