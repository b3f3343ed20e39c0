"""Agreement between readings, and gold made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.adjudication import compare_readings, make_gold
from annotation.agreement import measure_agreement
from annotation.matching import total_counts
from corpus.document import Document, Span, check_spans
from corpus.files import read_documents, write_documents
from tests.conftest import ARTICLES, Orbat

TEXT = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def readings(draw: st.DrawFn) -> dict[str, Document]:
    """Two to four readings of one text without white space, each lawful."""
    result = {}
    for name in ["first", "second", "third", "fourth"][: draw(st.integers(2, 4))]:
        cuts = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=8)))
        spans = tuple(
            Span(start, end, draw(st.sampled_from("AB")))
            for start, end in zip(cuts[::2], cuts[1::2], strict=False)
        )
        result[name] = Document("d", TEXT, spans)
    return result


@given(readings(), st.sampled_from(["majority", "either", "trust:first", "trust:second"]))
def test_gold_is_lawful_and_keeps_what_is_agreed(read: dict[str, Document], policy: str) -> None:
    comparison = compare_readings(read)
    gold = make_gold(comparison, policy, list(read))
    check_spans(gold, gold.spans, "gold")
    agreed = set.intersection(*(set(document.spans) for document in read.values()))
    assert set(comparison.agreed) == agreed
    assert agreed <= set(gold.spans)
    assert set(gold.spans) <= {span for document in read.values() for span in document.spans}
    if policy.startswith("trust:"):
        assert set(gold.spans) == set(read[policy.removeprefix("trust:")].spans)


@given(readings())
def test_every_disputed_span_is_in_one_conflict(read: dict[str, Document]) -> None:
    comparison = compare_readings(read)
    disputed = [span for conflict in comparison.conflicts for span, _ in conflict.spans]
    every = {span for document in read.values() for span in document.spans}
    assert sorted(disputed) == sorted(every - set(comparison.agreed))
    for left, right in zip(comparison.conflicts, comparison.conflicts[1:], strict=False):
        assert max(s.end for s, _ in left.spans) <= min(s.start for s, _ in right.spans)


def test_majority_of_three_decides() -> None:
    a, b = Span(0, 3, "A"), Span(5, 9, "B")
    read = {
        "x": Document("d", TEXT, (a, b)),
        "y": Document("d", TEXT, (a,)),
        "z": Document("d", TEXT, (Span(0, 4, "A"),)),
    }
    gold = make_gold(compare_readings(read), "majority", list(read))
    assert gold.spans == (a,)
    assert gold.meta["adjudication"]["conflicts"] == 2


def test_agreement_by_hand() -> None:
    first = Document("d", "a b c d", (Span(0, 1, "A"), Span(2, 3, "B")))
    second = Document("d", "a b c d", (Span(0, 1, "A"), Span(2, 3, "A")))
    agreement = measure_agreement([(first, second)])
    assert agreement.micro.f1 == pytest.approx(0.5)
    assert agreement.labels["A"].f1 == pytest.approx(2 / 3)
    # Observed 3/4; by chance (1*2 + 1*0 + 2*2) / 16 = 6/16; (12 - 6) / (16 - 6).
    assert agreement.kappa == pytest.approx(0.6)


def test_readings_without_spans_have_no_agreement_to_measure() -> None:
    document = Document("d", "text")
    agreement = measure_agreement([(document, document)])
    assert agreement.micro.f1 is None
    assert agreement.kappa is None


def test_recorded_passes_become_gold(orbat: Orbat, tmp_path: Path) -> None:
    passes = [ARTICLES / "first-pass.jsonl", ARTICLES / "second-pass.jsonl"]
    agreement = orbat("annotate", "agree", *passes, "--json").json()
    assert agreement["documents"] == 42
    assert agreement["strict"]["micro"]["f1"] == pytest.approx(0.995, abs=0.001)
    gold = tmp_path / "gold.jsonl"
    outcome = orbat("annotate", "adjudicate", *passes, "--output", gold, "--policy", "trust:first")
    assert outcome.code == 0, outcome.err
    merged = list(read_documents(gold))
    shipped = {d.id: d for d in read_documents(ARTICLES / "train.jsonl")}
    f1 = total_counts((shipped[d.id], d) for d in merged)[0].f1
    assert f1 is not None
    assert f1 > 0.99
    assert merged[0].meta["adjudication"]["readings"] == ["first", "second"]


def test_passes_without_texts_can_be_compared(orbat: Orbat, tmp_path: Path) -> None:
    for name, end in (("first", 4), ("second", 5)):
        record = {
            "id": "a",
            "annotator": name,
            "spans": [{"start": 0, "end": end, "label": "RANK"}],
        }
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
    files = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    assert orbat("annotate", "agree", *files, "--json").json()["strict"]["micro"]["f1"] == 0.0
    write_documents(tmp_path / "texts.jsonl", [Document("a", "Gen.X spoke")])
    arguments = ("annotate", "adjudicate", *files, "--texts", tmp_path / "texts.jsonl")
    outcome = orbat(*arguments, "--output", tmp_path / "g.jsonl", "--policy", "trust:second")
    assert outcome.code == 0, outcome.err
    (gold,) = read_documents(tmp_path / "g.jsonl")
    assert gold.spans == (Span(0, 5, "RANK"),)


def test_bad_readings_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    mark = {"annotation": {"annotator": "x", "confirmed": False}}
    write_documents(tmp_path / "a.jsonl", [Document("a", "one two")])
    write_documents(tmp_path / "b.jsonl", [Document("b", "one two")])
    write_documents(tmp_path / "changed.jsonl", [Document("a", "one too")])
    write_documents(tmp_path / "open.jsonl", [Document("a", "one two", (), mark)])
    a, gold = tmp_path / "a.jsonl", tmp_path / "gold.jsonl"
    assert "document 'a'" in refused("annotate", "agree", a, tmp_path / "b.jsonl")
    assert "text of 'a' differs" in refused("annotate", "agree", a, tmp_path / "changed.jsonl")
    adjudicate = ("annotate", "adjudicate", "--output", gold)
    assert "one reading only" in refused(*adjudicate, a)
    assert "unknown policy 'best'" in refused(*adjudicate, a, a, "--policy", "best")
    assert "no reading 'nobody'" in refused(*adjudicate, a, a, "--policy", "trust:nobody")
    assert "no document is confirmed" in refused(*adjudicate, a, tmp_path / "open.jsonl")
    assert not gold.exists()
