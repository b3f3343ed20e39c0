"""Validation of documents and spans."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span, document_to_json, parse_document
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError

HARD_TEXT = "😀 Gen. Ann\u0301 Müller\r\n\tשלום 2nd Bde\u00a0— café\u200b 👨‍👩‍👧 end\u2028."

texts = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab 😀\u0301\u00a0\r\n\t\u200bש\u2028"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=60,
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents with valid spans."""
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        covered = text[start:end]
        if covered and covered == covered.strip():
            spans.append(Span(start, end, draw(st.sampled_from(["UNIT", "RANK"]))))
    return Document(
        "d", text, tuple(spans), draw(st.dictionaries(st.text(max_size=3), st.integers()))
    )


@given(documents())
def test_json_preserves_documents(document: Document) -> None:
    again = parse_document(json.loads(json.dumps(document_to_json(document))), "x:1")
    assert again == document
    assert again.spans == document.spans


def test_files_preserve_documents(tmp_path: Path) -> None:
    document = Document("d", HARD_TEXT, (Span(2, 6, "RANK", score=0.5, note="n"),), {"a": [1]})
    write_documents(tmp_path / "d.jsonl", [document])
    (again,) = read_documents(tmp_path / "d.jsonl")
    assert again == document
    assert again.spans[0].score == 0.5
    assert again.spans[0].note == "n"


GOOD = {"id": "a", "text": "Gen. Smith leads 2nd Bde", "spans": []}
SPAN = {"start": 0, "end": 4, "label": "RANK"}
NORM = {"id": None, "values": {}, "open": {}, "reasons": {}}


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(0, 99, "RANK")], "span 0-99 RANK of 'a' is out of range; the text has 24 characters"),
        ([(-1, 4, "RANK")], "is out of range"),
        ([(4, 4, "RANK")], "span 4-4 RANK of 'a' is empty; end must be greater than start"),
        ([(6, 4, "RANK")], "is empty"),
        ([(0, 5, "RANK")], "begins or ends with white space; use 0-4"),
        ([(4, 5, "RANK")], "begins or ends with white space; remove it"),
        ([(0, 4, "RANK"), (3, 10, "UNIT")], "spans 0-4 RANK and 3-10 UNIT of 'a' overlap"),
        (
            [(0, 4, "RANG")],
            "unknown label 'RANG' (did you mean 'RANK'?); the label set has UNIT, RANK",
        ),
        ([("0", 4, "RANK")], "field 'start' must be an integer"),
        ([(True, 4, "RANK")], "field 'start' must be an integer"),
        ([(0, 4, "")], "field 'label' must be a string"),
        ([(0, 2**63, "RANK")], "spans[0]: field 'end' is out of range"),
        ([(0, 4, "RANK")] * 50_001, "'a' has 50,001 spans, more than 50,000; split it"),
        ([(0, 4, "\ud83d")], "spans[0]: field 'label' contains an unpaired surrogate"),
    ],
)
def test_invalid_spans_are_refused(
    spans: list[tuple[object, object, object]], message: str
) -> None:
    record = {
        **GOOD,
        "spans": [{"start": s, "end": e, "label": label} for s, e, label in spans],
    }
    with pytest.raises(InputError) as caught:
        parse_document(record, "f.jsonl:7", ["UNIT", "RANK"])
    assert message in str(caught.value)
    assert str(caught.value).startswith("f.jsonl:7: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ""}, "field 'id'"),
        ({"id": 3}, "field 'id'"),
        ({"text": None}, "field 'text' of 'a' is missing"),
        ({"text": "a\ud800"}, "contains an unpaired surrogate at character 1"),
        ({"meta": []}, "field 'meta' of 'a' must be an object"),
        ({"spans": {}}, "field 'spans' of 'a' must be a list"),
        ({"title": "x"}, "unknown field 'title'; move it into 'meta'"),
        ({"spans": [{"start": 0, "end": 4, "label": "RANK", "x": 1}]}, "unknown field 'x'"),
        ({"spans": [3]}, "not an object"),
        ({"id": "a\ud800"}, "field 'id' contains an unpaired surrogate at character 1"),
        ({"\ud800\n": 1}, "unknown field"),
        ({"meta": {"a": [{"b": "\ud800"}]}}, "field 'meta' contains an unpaired surrogate"),
        ({"meta": {"\ud800": 1}}, "field 'meta' contains an unpaired surrogate"),
        ({"meta": {"a": math.nan}}, "field 'meta' contains NaN"),
        ({"meta": {"a": [-math.inf]}}, "field 'meta' contains NaN, an infinite"),
        ({"meta": {"a": nested(200)}}, "field 'meta' is nested more than 100 levels deep"),
        ({"meta": {"a": nested(100_000)}}, "field 'meta' is nested more than 100 levels deep"),
        ({"meta": {"a": {1}}}, "field 'meta' is not JSON"),
        ({"spans": [{**SPAN, "score": math.nan}]}, "spans[0]: field 'score' must be a finite"),
        ({"spans": [{**SPAN, "score": 10**400}]}, "field 'score' must be a finite number"),
        ({"spans": [{**SPAN, "note": "\ud800"}]}, "field 'note' contains an unpaired surrogate"),
        ({"spans": [{**SPAN, "annotator": "\ud800"}]}, "field 'annotator' contains an unpaired"),
        ({"spans": [{**SPAN, "norm": {**NORM, "id": "\ud800"}}]}, "field 'norm' contains an unp"),
        ({"spans": [{**SPAN, "norm": {**NORM, "open": math.inf}}]}, "field 'norm' contains NaN"),
    ],
)
def test_invalid_fields_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match="f:1") as caught:
        parse_document({**GOOD, **change}, "f:1")
    line = str(caught.value)
    assert message in line
    assert line.splitlines() == [line]
    assert line.encode()


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 3), (-2, 3), (0, 2**70)])
def test_spans_without_a_text_have_an_order(start: int, end: int) -> None:
    record = {"id": "a", "spans": [{"start": start, "end": end, "label": "RANK"}]}
    with pytest.raises(InputError, match=r"^f:1: "):
        parse_document(record, "f:1", text_required=False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["id", "text", "meta", "spans"]),
    json_values | st.lists(json_values),
    st.dictionaries(st.sampled_from(["start", "end", "label", "score", "note"]), json_values),
)
def test_what_is_read_can_be_written(field: str, value: object, span: dict[str, object]) -> None:
    record = {**GOOD, "spans": [SPAN | span], field: value}
    try:
        document = parse_document(record, "f:1")
    except InputError as error:
        assert str(error).startswith("f:1: ")
        return
    line = json.dumps(document_to_json(document), ensure_ascii=False, allow_nan=False).encode()
    assert parse_document(json.loads(line), "f:1") == document


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "a", "text": "x", "spans": [], "meta": {"a": NaN}}',
        '{"id": "a", "text": "x", "spans": [], "meta": {"a": "\\ud800"}}',
        '{"id": "a", "text": "x", "spans": [], "meta": {"a": 1%s}}' % ("0" * 5000),
        '{"id": "a", "text": "x", "spans": [], "meta": {"a": %s}}' % ("[" * 5000 + "]" * 5000),
        '{"id": "a\\ud800", "text": "x", "spans": []}',
    ],
)
def test_a_file_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"id": "b", "text": "x", "spans": []}\n' + line)
    with pytest.raises(InputError) as caught:
        list(read_documents(path))
    assert str(caught.value).startswith(f"{path}:2: ")


@pytest.mark.parametrize("value", [None, 3, "text", []])
def test_other_values_than_objects_are_refused(value: object) -> None:
    with pytest.raises(InputError, match="not a JSON object"):
        parse_document(value, "f:1")
