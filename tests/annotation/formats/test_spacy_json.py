"""JSON of texts and entities for spaCy's training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import HealthCheck, given, settings

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.docbin import to_doc
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents
from orbat.errors import InputError
from tests.conftest import Orbat
from tests.corpus.test_document import documents

RANK = (Span(0, 4, "RANK"),)
PAIR = ["Col. Ida Brandt spoke.", {"entities": [[0, 4, "RANK"]]}]
OTHER = ["The 5th Rifles stayed.", {"entities": [[4, 14, "UNIT"]]}]


def read(
    folder: Path, content: Any, layer: str | None = None, name: str = "a.json"
) -> tuple[list[Document], dict[str, int]]:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    (folder / name).write_text(text, encoding="utf-8")
    report = ConversionReport()
    options = ReadOptions(layer=layer)
    found = list(read_format(folder / name, "spacy", report, options=options))
    return found, dict(report.dropped)


def test_the_command_reads_pairs(orbat: Orbat, tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(json.dumps([PAIR, OTHER]))
    outcome = orbat(
        *("annotate", "convert", tmp_path / "train.json", tmp_path / "o.jsonl", "--from", "spacy")
    )
    assert outcome.code == 0, outcome.err
    first, second = read_documents(tmp_path / "o.jsonl")
    assert (first.id, first.text, first.spans) == ("train-1", PAIR[0], RANK)
    assert (second.id, second.text, second.spans) == ("train-2", OTHER[0], (Span(4, 14, "UNIT"),))


@pytest.mark.parametrize(
    "content",
    [
        [PAIR],
        json.dumps([PAIR], indent=2),
        "\ufeff" + json.dumps([PAIR]),
        json.dumps(PAIR),
        {"classes": ["RANK"], "annotations": [PAIR]},
        json.dumps({"classes": ["RANK"], "annotations": [PAIR]}, indent=1),
        [[PAIR[0], [[0, 4, "RANK"]]]],
        [[PAIR[0], {"entities": [{"start": 0, "end": 4, "label": "RANK", "text": "Col."}]}]],
        [{"text": PAIR[0], "entities": [[0, 4, "RANK"]]}],
        {"text": PAIR[0], "ents": [{"start": 0, "end": 4, "label": "RANK"}], "title": None},
        json.dumps({"text": PAIR[0], "ents": [{"start": 0, "end": 4, "label": "RANK"}]}, indent=1),
    ],
)
def test_forms_of_one_document(tmp_path: Path, content: Any) -> None:
    ((document,), dropped) = read(tmp_path, content)
    assert (document.text, document.spans) == (PAIR[0], RANK)
    assert not dropped


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize("records", [[PAIR, OTHER], [{"text": PAIR[0], "ents": []}] * 2])
def test_one_record_per_line(tmp_path: Path, records: list[Any], name: str) -> None:
    (found, _) = read(tmp_path, "\n".join(map(json.dumps, records)) + "\n", name=name)
    assert [document.id for document in found] == ["a-1", "a-2"]


def test_texts_that_were_not_annotated_and_other_fields_are_counted(tmp_path: Path) -> None:
    values = {"entities": [[0, 4, "RANK"], [0, 15, "PER"]], "cats": {"WAR": 1}, "links": {}}
    content = {"classes": [], "annotations": [[PAIR[0], values], None, None]}
    ((document,), dropped) = read(tmp_path, content)
    assert document.spans == (Span(0, 15, "PER"),)
    assert dropped == {
        "texts that were not annotated (null)": 2,
        "values of 'cats'": 1,
        "overlapping annotations": 1,
    }


@given(documents())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_what_spacy_writes_with_to_json(
    tmp_path_factory: pytest.TempPathFactory, document: Document
) -> None:
    doc = to_doc(spacy.blank("xx"), document)
    ((back,), dropped) = read(tmp_path_factory.mktemp("x"), [doc.to_json()])
    assert (back.text, back.spans) == (document.text, document.spans)
    assert not dropped


def test_span_groups_are_counted_or_read(tmp_path: Path) -> None:
    group = [{"start": 5, "end": 15, "label": "PER"}]
    record = {"text": PAIR[0], "ents": [{"start": 0, "end": 4, "label": "RANK"}]}
    content = [{**record, "spans": {"sc": group}}]
    ((document,), dropped) = read(tmp_path, content)
    assert document.spans == RANK
    assert dropped == {"spans of the span group 'sc' (read it with --layer)": 1}
    ((document,), _) = read(tmp_path, content, "sc")
    assert document.spans == (Span(5, 15, "PER"),)


def nested(raw: str | None) -> list[dict[str, Any]]:
    words = [("Col.", "U-RANK"), ("Ida", "B-PER"), ("Brandt", "L-PER"), ("spoke", "-"), (".", "O")]
    tokens = [{"id": i, "orth": word, "ner": tag} for i, (word, tag) in enumerate(words)]
    sentences = [{"tokens": tokens[:3]}, {"tokens": tokens[3:], "brackets": []}]
    return [{"id": 12, "paragraphs": [{"raw": raw, "sentences": sentences}]}]


@pytest.mark.parametrize("raw", ["Col. Ida\n Brandt spoke.", None])
def test_documents_of_spacy_2(tmp_path: Path, raw: str | None) -> None:
    ((document,), dropped) = read(tmp_path, nested(raw))
    assert dropped == {"words without a tag": 1}
    assert document.id == "12"
    assert document.text == (raw or "Col. Ida Brandt spoke .")
    assert [(document.text[s.start : s.end].split(), s.label) for s in document.spans] == [
        (["Col."], "RANK"),
        (["Ida", "Brandt"], "PER"),
    ]


def test_paragraphs_are_documents(tmp_path: Path) -> None:
    (record,) = nested(None)
    found, _ = read(tmp_path, [{**record, "paragraphs": record["paragraphs"] * 2}])
    assert [document.id for document in found] == ["12-1", "12-2"]


def test_tags_of_words(tmp_path: Path) -> None:
    values = {"words": ["Col.", "Ida", "spoke"], "entities": ["U-RANK", "O", "-"]}
    ((document,), _) = read(tmp_path, [["Col.  Ida spoke", values]])
    assert (document.text, document.spans) == ("Col.  Ida spoke", RANK)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('TRAIN_DATA = [("Col. X", {"entities": [(0, 4, "RANK")]})]', ": Python code; write the"),
        ('[("Col. X", {"entities": [(0, 4, "RANK")]})]', ": Python code; write the list with"),
        ("[['Col. X', {'entities': [[0, 4, 'RANK']]}]]", ": Python code; write the list with"),
        ("# data\nTRAIN = []", ": Python code; write the list with json.dump"),
        ('[["a", 1]]', ": item 1: not a text with entities"),
        ("[1]", ": item 1: not a text with entities"),
        ('{"classes": []}', ": not a text with entities"),
        ('[["a b", {"entities": [[0, 1]]}]]', ': item 1: entity 1: not [START, END, "LABEL"]'),
        ('[["a b", {"entities": [[0, 9, "A"]]}]]', ": item 1: entity 1: the span 0-9 is not in"),
        ('[["a b", {"entities": {"A": [0, 1]}}]]', ": item 1: field 'entities' is not a list"),
        ('[["a b", {"entities": ["O"]}]]', ": item 1: tags without as many 'words'"),
        ('[{"id": 1, "paragraphs": [{"sentences": [{}]}]}]', ": item 1: not sentences of tokens"),
        ('[{"id": 1, "paragraphs": [null]}]', ": item 1: not sentences of tokens"),
        ("", ": is empty"),
        ("{", ": invalid JSON"),
    ],
)
def test_other_content_is_refused_in_one_line(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, content)
    assert str(error.value).startswith(f"{tmp_path / 'a.json'}{reason}")
    assert "\n" not in str(error.value)


def test_words_that_are_not_in_the_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="item 1: the word 'Ida' is not at 4 in the text"):
        read(tmp_path, nested("Col. Eva Brandt spoke."))
