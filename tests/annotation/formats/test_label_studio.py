"""Label Studio's exports: the shapes of its versions, text fields, offsets and annotators."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from tests.annotation.formats.conftest import Read, quotes, write_lines
from tests.conftest import Orbat

TEXT = "Maj. Gen. Rosa Quill visited the 9th Signal\nBrigade. Operation Tin Lantern ends."
SPANS = [
    ("Maj. Gen.", "RANK"),
    ("9th Signal\nBrigade", "UNIT"),
    ("Operation Tin Lantern", "OPERATION"),
]


def region(quote: str, label: str, text: str = TEXT, **changes: Any) -> dict[str, Any]:
    start = text.index(quote)
    # Label Studio writes a line break as a backslash and an n.
    value = {"start": start, "end": start + len(quote), "text": quote.replace("\n", "\\n")}
    return {
        "id": "r",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {**value, "labels": [label], **changes},
    }


RESULT = [region(quote, label) for quote, label in SPANS]


def annotation(result: list[Any] = RESULT, by: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"id": 11, "completed_by": by, "result": result, **fields}


def task(*annotations: Any, data: Any = None, **fields: Any) -> dict[str, Any]:
    return {"id": 1, "data": data or {"text": TEXT}, "annotations": list(annotations), **fields}


def write(path: Path, *tasks: Any) -> Path:
    path.write_text(json.dumps(tasks))
    return path


@pytest.mark.parametrize(
    "shape",
    [
        task(annotation()),
        {"id": 1, "data": {"text": TEXT}, "completions": [annotation(created_at=1609789589)]},
        {"id": 1, "text": TEXT, "annotator": 1, "label": [r["value"] for r in RESULT]},
        # A file of a target storage: the annotation with its task inside.
        annotation(task={"id": 1, "data": {"text": TEXT}}),
        task(annotation([{**r, "to_name": "body", "from_name": "ner"} for r in RESULT])),
        task(annotation([region(q, label, start=str(TEXT.index(q))) for q, label in SPANS])),
    ],
    ids=["JSON", "completions", "JSON-MIN", "storage", "other names", "strings"],
)
def test_every_shape_has_the_same_spans(tmp_path: Path, read: Read, shape: Any) -> None:
    for source in (write(tmp_path / "a.json", shape), write_lines(tmp_path / "a.jsonl", [shape])):
        (document,), dropped = read(source, "labelstudio")
        assert (document.id, document.text, quotes(document)) == ("1", TEXT, SPANS)
        assert not dropped


@pytest.mark.parametrize(
    ("data", "name", "meta"),
    [
        ({"Full_Text": TEXT, "source": "desk"}, None, {"source": "desk"}),
        ({"r_TEXT": TEXT}, None, {}),
        ({"text": "A title", "body": TEXT}, None, {"text": "A title"}),
        ({"article": {"body": TEXT, "title": "T"}}, None, {"article": {"title": "T"}}),
        ({"sentence": TEXT, "copy": TEXT}, "sentence", {"copy": TEXT}),
    ],
)
def test_the_text_is_the_field_with_the_quotes(
    tmp_path: Path, read: Read, data: dict[str, Any], name: str | None, meta: dict[str, Any]
) -> None:
    unlabeled = task(annotation([]), data=data) | {"id": 2}
    source = write(tmp_path / "a.json", unlabeled, task(annotation(), data=data))
    (empty, document), dropped = read(source, "labelstudio", text_column=name)
    assert (document.text, quotes(document)) == (TEXT, SPANS)
    assert (empty.text, empty.spans) == (TEXT, ())
    assert not dropped
    # The other fields of the data are metadata.
    assert document.meta == {**meta, "annotation": {"annotator": "1"}}


def test_regions_of_a_second_text_are_counted(tmp_path: Path, read: Read) -> None:
    title = {**region("Rosa", "PERSON", "By Rosa"), "to_name": "title"}
    data = {"title": "By Rosa", "body": TEXT}
    source = write(tmp_path / "a.json", task(annotation([*RESULT, title]), data=data))
    (document,), dropped = read(source, "labelstudio")
    assert (document.text, quotes(document)) == (TEXT, SPANS)
    assert dropped == {"regions of other texts": 1}
    (document,), dropped = read(source, "labelstudio", text_column="title")
    assert quotes(document) == [("Rosa", "PERSON")]
    assert dropped == {"regions of other texts": 3}


def test_several_possible_fields_are_named(refused: Callable[..., str], tmp_path: Path) -> None:
    source = write(tmp_path / "a.json", task(annotation([]), data={"head": "a", "body": "b"}))
    message = refused("annotate", "convert", source, tmp_path / "o.jsonl", "--from", "labelstudio")
    assert message == (
        f"{source}: the text may be in any of the fields body, head; name it with --text-column"
    )


@pytest.mark.parametrize("unit", ["code points", "utf-16"])
def test_quotes_show_the_unit_of_the_offsets(tmp_path: Path, read: Read, unit: str) -> None:
    text = "💩 Gen. Osei 🎖 left"
    extra = int(unit == "utf-16")
    result = [region("Gen.", "RANK", text, start=2 + extra, end=6 + extra)]
    source = write(tmp_path / "a.json", task(annotation(result), data={"text": text}))
    (document,), _ = read(source, "labelstudio")
    assert document.spans == (Span(2, 6, "RANK"),)


def test_offsets_are_written_as_label_studio_reads_them(orbat: Orbat, tmp_path: Path) -> None:
    text = "💩 Gen. Osei left"
    spans = (Span(2, 6, "RANK", score=0.5, note="sure"),)
    write_documents(tmp_path / "a.jsonl", [Document("d/1", text, spans, {"url": "u"})])
    there = ("annotate", "convert", tmp_path / "a.jsonl", tmp_path / "b.json", "--from", "jsonl")
    assert orbat(*there, "--to", "labelstudio").err == ""
    (written,) = json.loads((tmp_path / "b.json").read_text())
    (value,) = (r["value"] for r in written["annotations"][0]["result"])
    assert value == {"start": 2, "end": 6, "text": "Gen.", "labels": ["RANK"]}
    back = ("annotate", "convert", tmp_path / "b.json", tmp_path / "c.jsonl")
    assert orbat(*back, "--from", "labelstudio").err == ""
    assert (tmp_path / "c.jsonl").read_text() == (tmp_path / "a.jsonl").read_text()


def test_offsets_of_html_count_between_the_tags(tmp_path: Path, read: Read) -> None:
    html = "<div><p>Maj. Gen. Rosa &amp; staff</p>\n<p>9th Brigade</p></div>"
    text = "Maj. Gen. Rosa & staff\n9th Brigade"

    def in_html(quote: str, **offsets: Any) -> dict[str, Any]:
        value = {"start": "/div[1]/p[1]/text()[1]", "end": "/div[1]/p[1]/text()[1]"}
        value |= {"startOffset": 0, "endOffset": 4, "text": quote, "hypertextlabels": ["X"]}
        return {"to_name": "text", "type": "hypertextlabels", "value": {**value, **offsets}}

    start = text.index("9th")
    result = [
        in_html("Maj. Gen.", globalOffsets={"start": 0, "end": 9}),
        in_html("9th Brigade", globalOffsets={"start": start, "end": len(text)}),
        in_html("Rosa"),
    ]
    source = write(tmp_path / "a.json", task(annotation(result), data={"html": html}))
    (document,), dropped = read(source, "labelstudio")
    assert (document.text, quotes(document)) == (text, [("Maj. Gen.", "X"), ("9th Brigade", "X")])
    assert dropped == {"HTML markup of texts": 1, "regions of HTML without 'globalOffsets'": 1}


def test_what_is_no_span_is_counted_by_kind(tmp_path: Path, read: Read) -> None:
    result = [
        *(region(" Rosa Quill ", "PERSON"), region("Maj. Gen.", "RANK", labels=["RANK", "ROLE"])),
        region("Brigade", "", labels=[]),
        {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["has"]},
        {"type": "choices", "value": {"choices": ["x"]}},
        {"type": "textarea", "value": {"text": ["x"]}},
        {"type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": ["x"]}},
    ]
    result[0] |= {"meta": {"text": ["sure"]}, "score": 0.5}
    (document,), dropped = read(
        write(tmp_path / "a.json", task(annotation(result), drafts=[{"id": 1}])), "labelstudio"
    )
    assert quotes(document) == [("Maj. Gen.", "RANK"), ("Rosa Quill", "PERSON")]
    assert (document.spans[1].note, document.spans[1].score) == ("sure", 0.5)
    assert dropped == {
        "additional labels of a region": 1,
        "regions without a label": 1,
        "relations": 1,
        "choices": 1,
        "text areas": 1,
        "results of type 'rectanglelabels'": 1,
        "drafts of annotations": 1,
    }


def test_a_task_that_nobody_annotated_is_no_document(tmp_path: Path, read: Read) -> None:
    predicted = {"result": RESULT[:1], "model_version": "m1", "created_at": "2024-01-01"}
    older = {"result": RESULT, "model_version": "m0", "created_at": "2023-01-01"}
    source = write(
        tmp_path / "a.json",
        task(annotation()),
        task() | {"id": 2},
        task(annotation([], was_cancelled=True)) | {"id": 3},
        task(predictions=[predicted, older]) | {"id": 4},
        # An annotator has found nothing here.
        task(annotation([]), predictions=[predicted]) | {"id": 5},
    )
    documents, dropped = read(source, "labelstudio")
    assert [(d.id, len(d.spans)) for d in documents] == [("1", 3), ("5", 0)]
    assert dropped == {
        "cancelled annotations": 1,
        "tasks that nobody annotated": 2,
        "tasks that nobody annotated, but a model (read with --predictions)": 1,
    }
    documents, dropped = read(source, "labelstudio", predictions=True)
    assert [(d.id, len(d.spans)) for d in documents] == [("1", 3), ("4", 1), ("5", 0)]
    assert documents[1].meta["annotation"] == {"annotator": "m1"}
    assert dropped["other predictions of a task"] == 1


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (2, "2"),
        ("ben", "ben"),
        ({"id": 2, "email": "ben@desk.test", "first_name": "Ben"}, "ben@desk.test"),
        ({"id": 2, "email": "", "first_name": "Ben", "last_name": "Osei"}, "Ben Osei"),
        ({"id": 2, "first_name": ""}, "2"),
    ],
)
def test_annotators_are_kept_by_name(tmp_path: Path, read: Read, by: Any, name: str) -> None:
    second = annotation(RESULT[:1], by)
    source = write(tmp_path / "a.json", task(annotation(), second))
    documents, _ = read(source, "labelstudio", by_annotator=True)
    assert {d.meta["annotation"]["annotator"]: len(d.spans) for d in documents} == {"1": 3, name: 1}
    assert {d.id for d in documents} == {"1"}
    (document,), _ = read(source, "labelstudio", annotator=name)
    assert quotes(document) == SPANS[:1]


def test_the_newest_annotation_of_an_annotator_counts(tmp_path: Path, read: Read) -> None:
    times = ["2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-01T00:00:00Z"]
    annotations = [annotation(RESULT[:n], updated_at=time) for n, time in enumerate(times)]
    minimal = [
        {"id": 1, "text": TEXT, "annotator": 1, "label": [r["value"] for r in a["result"]]}
        | {"updated_at": a["updated_at"]}
        for a in annotations
    ]
    for tasks in ([task(*annotations)], minimal):
        (document,), dropped = read(write(tmp_path / "a.json", *tasks), "labelstudio")
        assert quotes(document) == SPANS[:1]
        assert dropped == {"earlier annotations of a task": 2}


def test_the_ground_truth_is_gold_if_no_annotator_is_chosen(tmp_path: Path, read: Read) -> None:
    truth = annotation(RESULT[:2], 2, ground_truth=True, updated_at="2024-01-01")
    source = write(tmp_path / "a.json", task(annotation(updated_at="2024-01-02"), truth))
    (document,), dropped = read(source, "labelstudio")
    assert quotes(document) == SPANS[:2]
    assert dropped == {"annotations beside the ground truth": 1}
    assert len(read(source, "labelstudio", by_annotator=True)[0]) == 2
    assert quotes(read(source, "labelstudio", annotator="1")[0][0]) == SPANS


def test_two_annotators_are_never_mixed(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    source = write(tmp_path / "a.json", task(annotation(), annotation(RESULT[:1], 2)))
    convert = ("annotate", "convert", source, tmp_path / "out", "--from", "labelstudio")
    message = refused(*convert, "--to", "jsonl")
    assert message.startswith(f"{source}: task 1: '1' was annotated by 1 and by 2;")
    assert "--by-annotator" in message
    assert not (tmp_path / "out").exists()
    assert orbat(*convert, "--by-annotator").code == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["1.jsonl", "2.jsonl"]
    agreement = orbat("annotate", "agree", *files, "--json")
    assert agreement.code == 0, agreement.err
    gold = tmp_path / "gold.jsonl"
    merged = orbat("annotate", "adjudicate", *files, "--output", gold, "--policy", "union")
    assert merged.code == 0, merged.err
    (document,) = map(json.loads, gold.read_text().splitlines())
    assert len(document["spans"]) == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id,text,label\n1,a,\n", "not JSON; export as JSON or JSON-MIN, not as CSV, TSV"),
        ("-DOCSTART- -X- O\na -X- _ O\n", "not JSON; export as JSON or JSON-MIN"),
        ("[{", "invalid JSON"),
        ("[1]", "not a JSON object; export as JSON"),
        ("{}", "no documents, only tasks that nobody annotated (1)"),
        ([], "no documents"),
        (
            [task(annotation([{"type": "choices", "value": {"choices": ["x"]}}]))],
            "no labels of parts of a text, only choices (1)",
        ),
        ([task(11, 12)], "task 1: annotations: ids only"),
        ([task(annotation("x"))], "task 1: annotations: result: not a list of JSON objects"),  # type: ignore[arg-type]
        ([task(annotation(["x"]))], "task 1: annotations: result: not a list of JSON objects"),
        ([task(annotation([]), data={"text": 5})], "task 1: a text that is"),
        ([task(annotation([]), data={"text": "a \ud83d b"})], "unpaired surrogate at character 2"),
        ([task(annotation([]), data={"text": "a", "document": []}, id=[])], "the id is a list"),
        ([task(annotation([region("Maj.", "X", start=5, end=9)]))], "expected 'Maj.' at 5-9"),
        ([task(annotation([region("Maj.", "X", end=None)]))], "the offset is missing"),
        ([task(annotation([region("Maj.", "X", labels=[3])]))], "the label is"),
    ],
)
def test_what_cannot_be_read_is_named(
    refused: Callable[..., str], tmp_path: Path, content: Any, reason: str
) -> None:
    path = tmp_path / "in.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    message = refused("annotate", "convert", path, tmp_path / "o.jsonl", "--from", "labelstudio")
    assert message.startswith(str(path))
    assert reason in message
    assert not (tmp_path / "o.jsonl").exists()
