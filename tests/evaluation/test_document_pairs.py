"""The same documents in several files, with the same or with other ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from orbat.evaluation.document_pairs import TextMatches, match_ids, pair_documents
from tests.conftest import Orbat

TEXTS = ["Gen. Osei spoke.", "Maj. Roe left.", "Col. Doe came.", "Nobody came."]


def numbered(prefix: str, texts: list[str]) -> list[Document]:
    return [Document(f"{prefix}{number}", text) for number, text in enumerate(texts)]


@given(st.permutations(TEXTS), st.sets(st.sampled_from(TEXTS)))
def test_texts_are_matched_where_ids_differ(order: list[str], same: set[str]) -> None:
    first = numbered("a", TEXTS)
    ids = {document.text: document.id for document in first}
    second = [Document(ids[t] if t in same else f"b{n}", t) for n, t in enumerate(order)]
    matches = TextMatches()
    pairs = list(pair_documents(first, second, ("gold", "predictions"), matches))
    assert [gold for gold, _ in pairs] == first
    assert all((gold.id, gold.text) == (other.id, other.text) for gold, other in pairs)
    assert matches.count == len(TEXTS) - len(same)
    matched, found = match_ids({"x": first, "y": second})
    assert {d.id: d.text for d in matched["y"]} == {d.id: d.text for d in first}
    assert found == matches


def test_ids_that_mean_other_texts_are_matched_by_text() -> None:
    first, second = numbered("", TEXTS), numbered("", TEXTS[::-1])
    matched, matches = match_ids({"x": first, "y": second})
    assert sorted((d.id, d.text) for d in matched["y"]) == [(d.id, d.text) for d in first]
    assert matches.count == 4


def test_a_third_file_is_matched_to_both() -> None:
    files = {"x": numbered("x", TEXTS[:2]), "y": numbered("y", TEXTS[1:3])}
    matched, matches = match_ids({**files, "z": numbered("z", TEXTS[:3])})
    assert [document.id for document in matched["y"]] == ["x1", "y1"]
    assert [document.id for document in matched["z"]] == ["x0", "x1", "y1"]
    assert matches.count == 4


def test_a_text_that_occurs_several_times_is_not_matched_but_named() -> None:
    first = numbered("a", ["same", "same", "other"])
    second = numbered("b", ["other", "same"])
    matched, matches = match_ids({"x": first, "y": second})
    assert [document.id for document in matched["y"]] == ["a2", "b1"]
    assert matches.lines() == [
        "1 documents matched by their text, since their ids differ",
        "1 documents not matched by their text, since it occurs several times in a file: 'b1'",
    ]
    with pytest.raises(InputError, match=r"'a0' of gold is missing.*'b1'.*several times"):
        list(pair_documents(first, second, ("gold", "predictions")))


def test_documents_without_texts_are_matched_by_id_only() -> None:
    first, second = numbered("a", ["", ""]), numbered("b", ["", ""])
    assert match_ids({"x": first, "y": second})[0] == {"x": first, "y": second}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three texts by two annotators, one of them under the same id, and one with two conflicts."""
    spans = {0: [Span(0, 4, "RANK")], 1: [Span(0, 4, "RANK")], 2: []}
    paths = []
    for name, ids in (("ann", ("1", "2", "3")), ("ben", ("k-1", "2", "k-3"))):
        documents = [
            Document(doc_id, TEXTS[number], tuple(spans[number]))
            for number, doc_id in enumerate(ids)
        ]
        paths.append(tmp_path / f"{name}.jsonl")
        write_documents(paths[-1], documents[:: 1 if name == "ann" else -1])
        spans = {0: [Span(0, 4, "RANK")], 1: [Span(0, 4, "ROLE")], 2: [Span(0, 4, "RANK")]}
    return paths


LINE = "2 documents matched by their text, since their ids differ"


def test_annotators_with_other_ids_are_compared(orbat: Orbat, files: list[Path]) -> None:
    outcome = orbat("annotate", "agree", *files)
    assert outcome.code == 0, outcome.err
    assert LINE in outcome.out
    agreement = orbat("annotate", "agree", *files, "--json").json()
    assert (agreement["documents"], agreement["matched_by_text"]) == (3, 2)
    assert agreement["strict"]["micro"]["both"] == 1


def test_annotators_with_other_ids_are_adjudicated(
    orbat: Orbat, files: list[Path], tmp_path: Path
) -> None:
    command = ("annotate", "adjudicate", *files, "--output", tmp_path / "gold.jsonl")
    outcome = orbat(*command, "--policy", "prefer:ben")
    assert outcome.code == 0, outcome.err
    assert outcome.err.splitlines() == [LINE]
    gold = {document.id: document.spans for document in read_documents(tmp_path / "gold.jsonl")}
    assert gold == {
        "1": (Span(0, 4, "RANK"),),
        "2": (Span(0, 4, "ROLE"),),
        "3": (Span(0, 4, "RANK"),),
    }


def test_two_annotators_have_no_majority(
    orbat: Orbat, refused: Callable[..., str], files: list[Path], tmp_path: Path
) -> None:
    command = ("annotate", "adjudicate", *files, "--output", tmp_path / "gold.jsonl")
    assert "2 of 2 conflicts have no majority; choose --policy manual" in refused(*command)
    assert not (tmp_path / "gold.jsonl").exists()
    outcome = orbat(*command, "--policy", "majority")
    assert outcome.code == 0, outcome.err
    assert "; 0 conflicts resolved by majority" in outcome.out
    assert "2 conflicts have no majority, so that their spans are left out" in outcome.err
    gold = {document.id: document.spans for document in read_documents(tmp_path / "gold.jsonl")}
    assert gold == {"1": (Span(0, 4, "RANK"),), "2": (), "3": ()}


def test_predictions_and_annotators_with_other_ids_are_scored(
    orbat: Orbat, files: list[Path]
) -> None:
    gold, other = files
    outcome = orbat("evaluate", gold, "--predictions", other, "--annotators", other, "--json")
    assert outcome.code == 0, outcome.err
    result = outcome.json()
    assert result["strict"]["micro"]["f1"] == pytest.approx(2 / 5)
    assert result["human_baseline"]["annotators"][0]["documents"] == 3
    assert f"warning: {other}: {LINE}" in outcome.err
    assert f"warning: --annotators: {LINE}" in outcome.err


def test_nothing_that_both_confirmed_is_said(
    refused: Callable[..., str], files: list[Path], orbat: Orbat
) -> None:
    for path in files:
        records = [json.loads(line) for line in path.read_text().splitlines()]
        for record in records:
            record["meta"] = {"annotation": {"annotator": path.stem, "confirmed": False}}
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    message = refused("annotate", "agree", *files)
    assert message == (
        "ann and ben have both confirmed no document; let them confirm some, or pass --unconfirmed"
    )
    assert orbat("annotate", "agree", *files, "--unconfirmed").code == 0


def test_the_same_texts_in_the_same_order_are_paired_though_some_repeat() -> None:
    texts = ("Bonn", "Ulm", "Bonn")
    first = [Document(f"gold-{n}", text) for n, text in enumerate(texts)]
    second = [Document(f"pred-{n}", text) for n, text in enumerate(texts)]
    matches = TextMatches()
    pairs = list(pair_documents(first, second, ("gold", "pred"), matches))
    assert [(a.id, b.id, b.text) for a, b in pairs] == [(d.id, d.id, d.text) for d in first]
    assert (matches.count, matches.ambiguous) == (3, [])
    with pytest.raises(InputError, match="text that occurs several times"):
        list(pair_documents(first, second[1:] + second[:1], ("gold", "pred")))
