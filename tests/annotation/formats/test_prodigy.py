"""Prodigy's exports: answers, annotators, tokens and tasks that are no annotated texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Span
from tests.annotation.formats.conftest import Read, quotes, write_lines
from tests.conftest import Orbat

TEXT = "Col. Ida Brandt of the 5th Rifles spoke."
RANK = {"start": 0, "end": 4, "label": "RANK"}
UNIT = {"start": 23, "end": 33, "label": "UNIT"}
WORDS = ["Col.", "Ida", "Brandt", "of", "the", "5th", "Rifles", "spoke", "."]
TOKENS: list[dict[str, Any]] = [
    {"text": word, "start": TEXT.rindex(word), "id": number} for number, word in enumerate(WORDS)
]
for token in TOKENS:
    token["end"] = token["start"] + len(token["text"])


def task(*spans: Any, by: str | None = None, **fields: Any) -> dict[str, Any]:
    session = {} if by is None else {"_annotator_id": by, "_session_id": by}
    return {
        "text": TEXT,
        "_input_hash": 1,
        "_task_hash": 2,
        "_is_binary": False,
        "_view_id": "ner_manual",
        "spans": list(spans),
        "answer": "accept",
        **session,
        **fields,
    }


def test_answers_and_other_contents_are_counted(tmp_path: Path, read: Read) -> None:
    tasks = [
        task(RANK, UNIT, relations=[{"head": 0, "child": 1}], versions=[{}, {}]),
        task(RANK, text="Maj. Doe", answer="reject"),
        task(text="No names here.", answer="ignore"),
        task(text="Nothing here."),
    ]
    documents, dropped = read(write_lines(tmp_path / "p.jsonl", tasks), "prodigy")
    assert [(d.id, quotes(d)) for d in documents] == [
        ("p-1", [("Col.", "RANK"), ("5th Rifles", "UNIT")]),
        ("p-2", []),
    ]
    assert dropped == {
        "relations": 1,
        "versions": 2,
        "tasks answered 'reject'": 1,
        "tasks answered 'ignore'": 1,
    }


def test_each_annotator_has_the_same_documents(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    other = {"text": "The 2nd Army left.", "_input_hash": 9}
    tasks = [
        *(task(RANK, by="ds-ann"), task(by="ds-ann", **other)),
        *(task({"start": 4, "end": 12, "label": "UNIT"}, by="ds-ben", **other),),
        task(RANK, UNIT, by="ds-ben"),
    ]
    source = write_lines(tmp_path / "two.jsonl", tasks)
    convert = ("annotate", "convert", source, tmp_path / "out", "--from", "prodigy")
    assert "was annotated by ds-ann and by ds-ben;" in refused(*convert, "--to", "jsonl")
    assert orbat(*convert, "--by-annotator").code == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["ds-ann.jsonl", "ds-ben.jsonl"]
    agreement = orbat("annotate", "agree", *files, "--json")
    assert agreement.code == 0, agreement.err
    gold = tmp_path / "gold.jsonl"
    merged = orbat("annotate", "adjudicate", *files, "--output", gold, "--policy", "union")
    assert merged.code == 0, merged.err
    records = map(json.loads, gold.read_text().splitlines())
    assert {r["id"]: len(r["spans"]) for r in records} == {"two-1": 2, "two-2": 1}
    one = tmp_path / "ben.jsonl"
    chosen = ("annotate", "convert", source, one, "--from", "prodigy", "--annotator", "ds-ben")
    assert orbat(*chosen).out.startswith(f"2 documents in {one} (format jsonl)\n")


def test_files_of_several_annotators_are_of_the_same_documents(tmp_path: Path, read: Read) -> None:
    write_lines(tmp_path / "ds" / "ann.jsonl", [task(RANK, by="ann"), task(by="ann", text="Left.")])
    write_lines(tmp_path / "ds" / "ben.jsonl", [task(by="ben", text="Left."), task(by="ben")])
    documents, dropped = read(tmp_path / "ds", "prodigy", by_annotator=True)
    assert [(d.id, d.meta["annotation"]["annotator"]) for d in documents] == [
        *(("ds-1", "ann"), ("ds-2", "ann"), ("ds-2", "ben"), ("ds-1", "ben")),
    ]
    assert not dropped


def test_the_newest_answer_to_a_text_counts(tmp_path: Path, read: Read) -> None:
    session = "2024-02-06_10-17-19"
    tasks = [
        task(UNIT, by=session, _timestamp=20, _task_hash=3),
        task(RANK, by="2024-02-05_08-00-00", _timestamp=10),
        task(RANK, by=session, text="Col.", _timestamp=10),
        task(RANK, by=session, text="Col.", answer="reject", _timestamp=11),
    ]
    (document,), dropped = read(write_lines(tmp_path / "p.jsonl", tasks), "prodigy")
    assert (document.spans, document.meta) == ((Span(23, 33, "UNIT"),), {})
    assert dropped == {"earlier answers to the same text": 2, "tasks answered 'reject'": 1}


def test_binary_answers_are_no_gold(tmp_path: Path, read: Read) -> None:
    binary = task(RANK, _is_binary=True, _view_id="ner")
    older = {k: v for k, v in task(UNIT, _view_id="ner").items() if k != "_is_binary"}
    tasks = [binary, older, {**binary, "answer": "reject"}, task(UNIT)]
    (document,), dropped = read(write_lines(tmp_path / "p.jsonl", tasks), "prodigy")
    assert quotes(document) == [("5th Rifles", "UNIT")]
    assert dropped == {"binary answers, which judge one span each": 3}


def test_tasks_without_spans_are_counted(tmp_path: Path, read: Read) -> None:
    options = [{"id": "A", "text": "a"}]
    choice = {"text": TEXT, "options": options, "accept": ["A"], "answer": "accept"}
    tasks = [
        {**choice, "_view_id": "choice"},
        choice,
        {"text": TEXT, "label": "SPORT", "answer": "accept"},
        {"text": TEXT, "meta": {"source": "desk"}},
        task(RANK, _view_id="blocks", options=options, accept=["A"]),
    ]
    (document,), dropped = read(write_lines(tmp_path / "p.jsonl", tasks), "prodigy")
    assert quotes(document) == [("Col.", "RANK")]
    assert dropped == {
        "tasks of the view 'choice'": 1,
        "tasks that classify texts": 2,
        "tasks that nobody annotated": 1,
        "choices": 1,
    }


def test_tokens_give_and_prove_offsets(tmp_path: Path, read: Read) -> None:
    by_tokens = {"token_start": 5, "token_end": 6, "label": "UNIT"}
    for span in (by_tokens, {**UNIT, **by_tokens}, {**UNIT, **by_tokens, "token_end": 7}):
        source = write_lines(tmp_path / "p.jsonl", [task(span, tokens=TOKENS)])
        (document,), _ = read(source, "prodigy")
        assert quotes(document) == [("5th Rifles", "UNIT")]
    wrong = [
        {**RANK, "token_start": 5, "token_end": 6},
        {**RANK, "text": "Maj."},
        UNIT,
    ]
    source = write_lines(tmp_path / "p.jsonl", [task(*wrong, tokens=TOKENS)])
    (document,), _ = read(source, "prodigy", skip_bad=True)
    assert quotes(document) == [("5th Rifles", "UNIT")]


def test_overlaps_and_groups_of_spans(tmp_path: Path, read: Read) -> None:
    inner = {"start": 5, "end": 8, "label": "PERSON"}
    outer = {"start": 0, "end": 15, "label": "PERSON"}
    tasks = [task(inner, outer, _view_id="spans_manual")]
    (document,), dropped = read(write_lines(tmp_path / "p.jsonl", tasks), "prodigy")
    assert (quotes(document), dropped) == (
        [("Col. Ida Brandt", "PERSON")],
        {"overlapping annotations": 1},
    )
    grouped = write_lines(tmp_path / "g.jsonl", [{**task(), "spans": {"sc": [RANK], "x": [UNIT]}}])
    (document,), _ = read(grouped, "prodigy", layer="x")
    assert quotes(document) == [("5th Rifles", "UNIT")]


@pytest.mark.parametrize(
    ("meta", "doc_id", "kept"),
    [
        ("desk", "p-1", {"meta": "desk"}),
        ([1, None], "p-1", {"meta": [1, None]}),
        (None, "p-1", {}),
        ({"id": 7, "source": "desk"}, "7", {"source": "desk"}),
        ({"pattern": {"a": [1.5]}}, "p-1", {"pattern": {"a": [1.5]}}),
    ],
)
def test_metadata_of_any_shape_are_kept(
    tmp_path: Path, read: Read, meta: Any, doc_id: str, kept: dict[str, Any]
) -> None:
    tasks = [task(RANK, meta=meta, url="http://a.test")]
    (document,), dropped = read(write_lines(tmp_path / "p.jsonl", tasks), "prodigy")
    assert (document.id, document.meta) == (doc_id, {"url": "http://a.test", **kept})
    assert not dropped


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (task({"start": 0, "label": "A"}), "spans[0]: the offset is missing"),
        (task({"start": 0, "end": 99, "label": "A"}), "spans[0]: the span 0-99 is not in the"),
        (task({"start": 0, "end": 4}), "spans[0]: the label is missing"),
        (task(5), "spans: not a list of JSON objects"),
        (task(RANK, tokens="Col."), "tokens: not a list of JSON objects"),
        ({**task(), "spans": {"a": [], "b": []}}, "several groups of spans (a, b)"),
        (task(RANK, text="Col. \ud83d left"), "unpaired surrogate at character 5"),
        (task(RANK, text=5), "a text that is"),
        (task(RANK, id={"a": 1}), "the id is"),
        (task(RANK, _view_id="choice", answer="ignore"), "no documents, only tasks"),
        ([1], "not a JSON object; export with prodigy db-out"),
    ],
)
def test_what_cannot_be_read_is_named(
    refused: Callable[..., str], tmp_path: Path, record: Any, reason: str
) -> None:
    source = write_lines(tmp_path / "p.jsonl", [record])
    message = refused("annotate", "convert", source, tmp_path / "o.jsonl", "--from", "prodigy")
    assert message.startswith(str(source))
    assert reason in message
    assert not (tmp_path / "o.jsonl").exists()
