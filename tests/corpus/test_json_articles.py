"""Articles in JSON: arrays, lines, single objects and lists within an object."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import ReaderOptions
from orbat.corpus.ingestion.readers import read_file
from orbat.corpus.reading.json_arrays import iterate_json_items
from orbat.corpus.rejected import Rejected
from tests.conftest import Orbat

TEXT = "The 4th Brigade took the port on Monday, said Gen. Doe."
OTHER = "Three frigates left the bay before noon."
ITEMS = [{"url": "http://a.test/1", "text": TEXT}, {"url": "http://a.test/2", "text": OTHER}]
ARTICLE = {
    "authors": ["A. Roe"],
    "date_publish": "2024-05-06 10:00:00",
    "maintext": TEXT,
    "title": "Port",
    "url": "http://a.test/1",
}


def read(path: Path, content: str | bytes, column: str | None = None) -> tuple[list[Any], str]:
    """Return the documents or reasons for their rejection, and the notices."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    notices: list[str] = []
    results = [
        raw.reason if isinstance(raw, Rejected) else make_document(raw, clean=False)
        for raw in read_file(path, ReaderOptions(column, notices.append))
    ]
    return results, "\n".join(notices)


def texts(results: list[Any]) -> list[str]:
    return [item.text if isinstance(item, Document) else item for item in results]


LINES = "".join(json.dumps(item) + "\n" for item in ITEMS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("items.json", json.dumps(ITEMS)),
        ("items.json", json.dumps(ITEMS, indent=1)),
        ("items.json", json.dumps(ITEMS[:1]) + json.dumps(ITEMS[1:])),
        ("items.json", LINES),
        ("items.jl", LINES),
        ("items.ndjson", LINES),
        ("items.jsonl", json.dumps(ITEMS)),
        ("items.json.gz", gzip.compress(json.dumps(ITEMS).encode(), mtime=0)),
        ("items.jl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("items.json", json.dumps(ITEMS).encode("utf-8-sig")),
        ("items.json", json.dumps(ITEMS).encode("utf-16")),
        ("search.json", json.dumps({"status": "ok", "articles": ITEMS})),
        ("search.json", json.dumps({"response": {"total": 2, "results": ITEMS}}, indent=1)),
    ],
)
def test_all_arrangements_of_articles_are_read(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    results, _ = read(tmp_path / name, content)
    assert texts(results) == [TEXT, OTHER]
    assert [document.meta["url"] for document in results] == [item["url"] for item in ITEMS]


def test_an_article_per_file_is_read_through_the_command_line(orbat: Orbat, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(ARTICLE, indent=1))
    (folder / "items.json").write_text(json.dumps([{"text": OTHER}, {"n": 1}]))
    for name in ("a.docx", "b.docx", "notes"):
        (folder / name).write_text("x")
    output = tmp_path / "out.jsonl"
    outcome = orbat("corpus", "add", folder, "--output", output)
    assert outcome.code == 0, outcome.err
    first, second = read_documents(output)
    assert (first.text, second.text) == (f"{TEXT}\n", f"{OTHER}\n")
    assert {name: first.meta[name] for name in ARTICLE if name != "maintext"} == {
        name: value for name, value in ARTICLE.items() if name != "maintext"
    }
    assert sorted(outcome.err.splitlines()) == [
        f"rejected: {folder / 'items.json'}: item 2: no field 'text'; its fields are n "
        "(--text-column NAME)",
        f"warning: {folder / 'a.json'}: the text was read from 'maintext' (--text-column names "
        "another one)",
        f"warning: {folder}: passed over: 2 *.docx, 1 without ending",
    ]


@pytest.mark.parametrize(
    ("content", "column", "line"),
    [
        ("[]", None, "holds no article, its list is empty"),
        ("{}", None, "an empty object, not an object with fields"),
        ('{"articles": []}', None, "holds no article, 'articles' is empty"),
        ("", None, "is empty; expected JSON"),
        ("nothing", None, "invalid JSON (Expecting value, line 1)"),
        ('[{"text": "cut', None, "item 1: invalid JSON (Unterminated string"),
        ('{"body": "a", "content": "b"}', None, "the text may be in body or content; choose with"),
        ('{"title": "a"}', "text", "no field 'text'; its fields are title (--text-column NAME)"),
        (
            '{"response": {"results": [{"id": "1", "fields": {"bodyText": "x"}}]}}',
            None,
            "response.results 1: no field 'text'; its fields are id, fields.bodyText",
        ),
    ],
)
def test_json_without_an_article_is_refused(
    tmp_path: Path, content: str, column: str | None, line: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    (rejected,) = read_file(path, ReaderOptions(column))
    assert isinstance(rejected, Rejected)
    assert line in str(rejected)
    assert str(rejected).startswith(str(path))


def test_refused_json_is_one_line_of_the_command_line(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text('{"title": "a"}')
    line = refused("corpus", "add", tmp_path / "a.json", "--output", tmp_path / "out.jsonl")
    assert (
        line == f"{tmp_path / 'a.json'}: no field 'text'; its fields are title (--text-column NAME)"
    )
    assert not (tmp_path / "out.jsonl").exists()


def test_a_field_within_a_field_can_hold_the_text(tmp_path: Path) -> None:
    page = f"<p>{TEXT}</p>\n<p>{OTHER}</p>"
    value = [{"id": 5, "text": "short", "content": {"rendered": page, "protected": False}}]
    (document,), notices = read(tmp_path / "a.json", json.dumps(value), "content.rendered")
    assert document.text == f"{TEXT}\n\n{OTHER}\n"
    assert document.id == "5"
    assert document.meta == {"content": {"protected": False}, "text": "short"}
    assert "field 'content.rendered' is HTML" in notices


def test_passwords_in_addresses_of_records_are_not_kept(tmp_path: Path) -> None:
    secret = "https://ann:secret@example.org/a"
    by = ["ann@example.org", {"u": secret}]
    value = {"id": secret, "text": f"{TEXT} {secret}", "url": secret, "by": by}
    (document,), _ = read(tmp_path / "a.json", json.dumps(value))
    # Ids and texts are never changed.
    assert (document.id, document.text) == (secret, f"{TEXT} {secret}")
    shown = "https://example.org/a"
    assert document.meta == {"url": shown, "by": ["ann@example.org", {"u": shown}]}


def test_paragraphs_in_a_list_are_joined(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.json", json.dumps([{"body": [TEXT, " ", OTHER]}]))
    assert document.text == f"{TEXT}\n\n{OTHER}"


@pytest.mark.parametrize("spans", [[], [{"start": 3, "end": 12, "label": "X"}]])
def test_text_with_spans_is_not_changed(tmp_path: Path, spans: list[Any]) -> None:
    text = "<p>The Corps</p>"
    (document,), _ = read(tmp_path / "a.json", json.dumps([{"text": text, "spans": spans}]))
    assert document.text == text


BROKEN = {
    '{"text": 5}': "field 'text' is a number, not text",
    '{"text": NaN}': "field 'text' is NaN or infinite, not text",
    '{"text": null}': "no field 'text'; its fields are text",
    '{"text": ["a", 1]}': "field 'text' is a list, not text",
    '{"text": "a", "n": %s}' % ("[" * 3000 + "]" * 3000): "nested too deeply",
    '{"text": "a", "n": %s}' % ("[" * 150 + "]" * 150): "more than 100 lists and objects",
    '{"text": "a", "n": %s}' % ("1" * 4301): "a number has too many digits",
    '{"id": "\\ud83d", "text": "a"}': "the id has an unpaired surrogate",
    '{"id": [1], "text": "a"}': "the id is a list",
    '{"id": true, "text": "a"}': "the id is a Boolean",
    "[]": "an empty list, not an object",
    "{}": "an empty object, not an object",
    "null": "null, not an object",
    '{"text": nothing}': "invalid JSON",
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_the_run_goes_on_after_a_broken_article(orbat: Orbat, tmp_path: Path, name: str) -> None:
    good = [
        '{"id": 1, "text": "One.", "n": NaN, "t\\ud83d": "\\ud83d"}',
        '{"id": 2.0, "text": "Two."}',
    ]
    values = [good[0], *BROKEN, good[1]]
    is_array = name == "a.json"
    path = tmp_path / name
    path.write_text("[" + ",\n".join(values) + "]" if is_array else "\n".join(values))
    output = tmp_path / "out.jsonl"
    outcome = orbat("corpus", "add", path, "--output", output)
    assert outcome.code == 0, outcome.err
    first, second = read_documents(output)
    assert (first.id, first.text, second.id, second.text) == ("1", "One.\n", "2", "Two.\n")
    assert first.meta["n"] is None
    assert first.meta["t\ufffd"] == "\ufffd"
    lines = outcome.err.splitlines()
    assert len(lines) == len(BROKEN)
    for number, (line, reason) in enumerate(zip(lines, BROKEN.values(), strict=True), 2):
        where = f"{path}: item {number}: " if is_array else f"{path}:{number}: "
        assert line.startswith(f"rejected: {where}")
        assert reason in line


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=3), st.text(max_size=5) | st.lists(st.text('[]{}",\\', max_size=4))
        )
    ),
    st.integers(0, 20),
)
def test_a_broken_item_never_changes_the_others(
    tmp_path_factory: pytest.TempPathFactory, items: list[Any], position: int
) -> None:
    values = [json.dumps(item) for item in items]
    position = min(position, len(values))
    values.insert(position, '{"n": nothing, "s": "]}"}')
    path = tmp_path_factory.mktemp("items") / "a.json"
    path.write_text("[" + ", ".join(values) + "]")
    read_back = [value for _, value in iterate_json_items(path)]
    assert isinstance(read_back.pop(position), Rejected)
    assert read_back == items


def test_a_broken_item_is_known_without_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" + ", ".join(['{"text": nothing}'] * 100_000) + "]")
    file = path.open("rb")
    monkeypatch.setattr("orbat.corpus.reading.json_arrays.open_decompressed", lambda path: file)
    for number, (location, value) in enumerate(islice(iterate_json_items(path), 5000), 1):
        assert location == f"{path}: item {number}"
        assert isinstance(value, Rejected)
        assert file.tell() <= number * 19 + 2**17
