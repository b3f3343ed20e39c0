"""JSON of texts and entities for spaCy's training, in the forms that spaCy and scripts write.

- pairs `["TEXT", {"entities": [[START, END, "LABEL"], …]}]` (https://v2.spacy.io/usage/training),
  also as `{"annotations": [PAIR, null, …]}` (https://github.com/tecoholic/ner-annotator);
- `{"text": …, "ents": [{"start": …, "end": …, "label": …}, …]}` of `Doc.to_json`
  (https://spacy.io/api/doc#to_json), or with `entities` as in pairs;
- `{"id": …, "paragraphs": [{"raw": …, "sentences": [{"tokens": …}]}]}` of spaCy 2
  (https://v2.spacy.io/api/annotation#json-input).

Offsets count code points.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...corpus.files import read_json_lines
from ...corpus.reading.bounded import MAX_FILE_BYTES
from ...corpus.reading.json_arrays import iterate_json_array
from ...corpus.reading.json_files import read_json_file
from ...errors import InputError
from .conversion_report import ConversionReport
from .imported import ImportedDocument, ImportedSpan, ReadOptions
from .source_tokens import Offsets, split_lines, split_sentences
from .sources import open_source
from .span_groups import SpanGroups
from .tokens.rebuilding import Sentence, Word, rebuild
from .tokens.tags import Token, read_spans

_PYTHON = re.compile(rb"\s*(?:[A-Za-z_][\w.]*\s*=|#|import\s|from\s|\(|\[\s*(?:\[\s*)?[('])")
_NO_RECORD = 'not a text with entities; expected ["TEXT", {"entities": [[START, END, "LABEL"]]}]'
_ENTITIES = ("entities", "ents")
_READ = {*_ENTITIES, "text", "id", "meta", "spans", "words", "orths"}
_IGNORED = {"tokens", "sents", "title", "settings"}
"""Fields of `Doc.to_json` that say where tokens and sentences are, and of displaCy."""


def read_spacy_json(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read texts and entities for spaCy from JSON or JSON Lines.

    Args:
        path: a file, folder or zip archive.
        options: `layer` is the key of a span group to read instead of the entities.
        report: records what is dropped.

    Raises:
        InputError: naming the file and record that cannot be read.
    """
    groups = SpanGroups(options.layer, report)
    with open_source(path, (".json", ".jsonl"), report) as files:
        for file, part in files:
            for where, record in _iterate_records(file):
                for document in _read_record(record, where, groups, report):
                    document.part = part
                    yield document
    groups.check(path)


def _iterate_records(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        with path.open("rb") as file:
            head = file.read(4096).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if _PYTHON.match(head):
        raise InputError(f"{path}: Python code; write the list with json.dump")
    start = head.split()
    if start and start[0].startswith(b"[") and not re.match(rb'\s*\[\s*"', head):
        yield from iterate_json_array(path)
    elif head.lstrip().startswith(b"{") and (value := _read_object(path)) is not None:
        items = value.get("annotations")
        if isinstance(items, list):
            yield from ((f"{path}: annotations[{i}]", item) for i, item in enumerate(items))
        else:
            yield str(path), value
    else:
        yield from read_json_lines(path)


def _read_object(path: Path) -> dict[str, Any] | None:
    """Return the object of a file that is one object; None if it has one per line."""
    with path.open("rb") as file:
        lines = (line for line in file if line.strip())
        try:
            first = json.loads(next(lines).decode("utf-8-sig"))
            is_single = next(lines, None) is None
            return first if is_single else None
        except (ValueError, RecursionError):
            pass
    value = read_json_file(path, MAX_FILE_BYTES)
    return value if isinstance(value, dict) else None


def _read_record(
    record: Any, where: str, groups: SpanGroups, report: ConversionReport
) -> Iterator[ImportedDocument]:
    if record is None:
        report.drop("texts that were not annotated (null)")
        return
    if isinstance(record, dict) and isinstance(record.get("paragraphs"), list):
        yield from _read_paragraphs(record, where, report)
        return
    if isinstance(record, list) and len(record) == 2 and isinstance(record[1], list | dict):
        values = record[1] if isinstance(record[1], dict) else {"entities": record[1]}
        record = {**values, "text": record[0]}
    if not isinstance(record, dict) or not ("text" in record or "words" in record):
        raise InputError(f"{where}: {_NO_RECORD}; check --from")
    text = record.get("text")
    for name in sorted(record.keys() - _READ - _IGNORED):
        if record[name]:
            report.drop(f"values of '{name}'")
    entities: Any = next((record[name] for name in _ENTITIES if record.get(name)), [])
    if not isinstance(entities, list):
        raise InputError(f"{where}: field 'entities' is not a list; {_NO_RECORD}")
    words = record.get("words") or record.get("orths")
    if entities and all(isinstance(tag, str) for tag in entities):
        yield from _read_tags(text, words, entities, where, record.get("id"), report)
        return
    found = record.get("spans")
    span_groups = found if isinstance(found, dict) else {"spans": found or []}
    chosen = groups.choose(entities, span_groups)
    ids = sum(bool(entry.get("kb_id")) for entry in chosen if isinstance(entry, dict))
    report.drop("ids in knowledge bases", ids)
    spans = [_read_entity(entry, f"{where}: entity {i}") for i, entry in enumerate(chosen, 1)]
    yield ImportedDocument(
        *(where, record.get("id"), text, spans, record.get("meta")),
        sentences=_read_sentences(record) if isinstance(text, str) else None,
    )


def _read_sentences(record: Mapping[str, Any]) -> list[list[Offsets]] | None:
    """Return the tokens of each sentence, or line, as `Doc.to_json` gives them; None for none."""
    text = record["text"]
    tokens, sents = (_read_pairs(record.get(name)) for name in ("tokens", "sents"))
    if not tokens:
        return None
    tokens = [(start, end) for start, end in tokens if text[start:end].strip()]
    if not sents:
        return split_lines(text, tokens)
    return split_sentences(tokens, sorted(start for start, _ in sents))


def _read_pairs(entries: Any) -> list[Offsets]:
    """Return starts and ends; none if an entry has no numbers for them."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return []
    pairs = [(entry.get("start"), entry.get("end")) for entry in entries]
    return pairs if all(isinstance(n, int) for pair in pairs for n in pair) else []


def _read_entity(entry: Any, where: str) -> ImportedSpan:
    if isinstance(entry, Mapping):
        start, end, label = entry.get("start"), entry.get("end"), entry.get("label")
        return ImportedSpan(start, end, label, entry.get("text"), where)
    if isinstance(entry, list) and len(entry) >= 3:
        start, end, label, *_ = entry
        return ImportedSpan(start, end, label, where=where)
    raise InputError(f'{where}: not [START, END, "LABEL"]; correct it')


def _read_tags(
    text: Any,
    words: Any,
    tags: Sequence[str],
    where: str,
    doc_id: Any,
    report: ConversionReport,
) -> Iterator[ImportedDocument]:
    """Read words with tags, which are placed in the text if there is one."""
    if not isinstance(words, list) or len(words) != len(tags):
        raise InputError(f"{where}: tags without as many 'words'; write both")
    report.drop("words without a tag", sum(tag in ("-", "") for tag in tags))
    pairs = [
        (str(word), "O" if tag in ("-", "") else tag) for word, tag in zip(words, tags, strict=True)
    ]
    if not isinstance(text, str):
        sentence = Sentence([Word(word, tag, where) for word, tag in pairs])
        yield rebuild(where, [sentence], report, doc_id=doc_id)
        return
    tokens: list[Token] = []
    end = 0
    for word, tag in pairs:
        start = text.find(word, end)
        if start < 0 or text[end:start].strip():
            report.reject(where, f"the word '{word[:40]}' is not at {end} in the text")
            return
        tokens.append(Token(start, word, tag))
        end = start + len(word)
    spans = read_spans(tokens, [where] * len(tokens))
    sentences = split_lines(text, [(token.start, token.end) for token in tokens])
    yield ImportedDocument(where, doc_id, text, spans, sentences=sentences)


def _read_paragraphs(
    record: Mapping[str, Any], where: str, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a document of spaCy 2; each paragraph has a text of its own."""
    paragraphs = record["paragraphs"]
    for number, paragraph in enumerate(paragraphs, start=1):
        position = where if len(paragraphs) == 1 else f"{where}: paragraph {number}"
        doc_id = record.get("id")
        if doc_id is not None and len(paragraphs) > 1:
            doc_id = f"{doc_id}-{number}"
        try:
            sentences = [
                [(token["orth"], token.get("ner") or "-") for token in sentence["tokens"]]
                for sentence in paragraph["sentences"]
            ]
            text = paragraph.get("raw")
        except (AttributeError, KeyError, TypeError) as error:
            fault = f"no field {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(
                f"{position}: not sentences of tokens with 'orth' and 'ner' ({fault}); correct it"
            ) from error
        pairs = [pair for sentence in sentences for pair in sentence]
        words, tags = [word for word, _ in pairs], [tag for _, tag in pairs]
        yield from _read_tags(text, words, tags, position, doc_id, report)
