"""Comparison of systems: differences, their significance, and who finds what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.evaluation.comparison.significance import holm
from orbat.evaluation.comparison.system_comparison import PairedComparison, SystemComparison
from tests.conftest import Orbat
from tests.evaluation.test_metrics import LABELS, TEXT, corpora

ONE, TWO = Span(0, 2, "A"), Span(3, 5, "B")


def compare(
    rows: list[tuple[Document, Document, Document]], resamples: int = 500
) -> PairedComparison:
    systems = SystemComparison([("first", 1), ("other", 1)], LABELS)
    for gold, first, other in rows:
        systems.add(gold, [[first], [other]])
    return systems.comparisons(resamples=resamples)[0]


def rows_with(better: int, worse: int) -> list[tuple[Document, Document, Document]]:
    """Return documents in which one system finds what the other misses, in both directions."""
    full, half = Document("x", TEXT, (ONE, TWO)), Document("x", TEXT, (ONE,))
    return [(full, full, half)] * better + [(full, half, full)] * worse


@given(corpora)
def test_a_system_does_not_differ_from_itself(pairs: list[tuple[Document, Document]]) -> None:
    comparison = compare([(gold, predicted, predicted) for gold, predicted in pairs], 50)
    for difference in (comparison.micro, *comparison.labels.values()):
        assert difference.f1 in (None, 0.0)
        assert difference.p in (None, 1.0)
        assert difference.low in (None, 0.0)
    assert (comparison.wins.first_only, comparison.wins.second_only) == (0, 0)


@given(corpora)
def test_exchanging_the_systems_changes_the_sign(pairs: list[tuple[Document, Document]]) -> None:
    one = compare([(gold, a, a.with_spans(a.spans[:1])) for gold, a in pairs], 50)
    turned = compare([(gold, a.with_spans(a.spans[:1]), a) for gold, a in pairs], 50)
    assert one.micro.f1 is None or one.micro.f1 == -(turned.micro.f1 or 0.0)
    assert one.wins.first_only == turned.wins.second_only


def test_a_clear_difference_is_significant_and_a_small_one_is_not() -> None:
    clear = compare(rows_with(better=20, worse=2))
    assert clear.micro.f1 is not None and clear.micro.f1 > 0.1
    assert clear.micro.low is not None and clear.micro.low > 0
    assert clear.micro.p is not None and clear.micro.p < 0.01
    assert clear.labels["A"].f1 == 0.0
    even = compare(rows_with(better=6, worse=5))
    assert even.micro.p is not None and even.micro.p > 0.5
    assert even.micro.low is not None and even.micro.low < 0


def test_the_permutation_test_is_exact_for_few_documents() -> None:
    """Five documents all in favour of the first: 2 of 32 exchanges are as extreme."""
    p = compare(rows_with(better=5, worse=0), resamples=20_000).micro.p
    assert p == pytest.approx(2 / 32, abs=0.005)


def test_mentions_that_one_finds_and_the_other_misses_are_listed() -> None:
    wins = compare(rows_with(better=3, worse=1)).wins
    assert (wins.first_only, wins.second_only) == (3, 1)
    assert [(win.text, win.label) for win in wins.first_mentions] == [("bb", "B")] * 3
    assert wins.p == pytest.approx(10 / 16)


@given(st.lists(st.floats(0, 1) | st.none(), max_size=8))
def test_correction_only_raises_p_and_keeps_the_order(ps: list[float | None]) -> None:
    adjusted = holm(ps)
    known = [(p, q) for p, q in zip(ps, adjusted, strict=True) if p is not None]
    assert all(q is not None and p <= q <= 1 for p, q in known)
    assert [q is None for q in adjusted] == [p is None for p in ps]
    ordered = [q for _, q in sorted(known)]
    assert ordered == sorted(ordered)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_seeds_of_one_system_count_as_one() -> None:
    random = np.random.default_rng(0)
    gold = [Document(f"d{n}", TEXT, (ONE, TWO)) for n in range(30)]
    systems = SystemComparison([("first", 3), ("other", 1)], LABELS)
    for document in gold:
        seeds = [document.with_spans([ONE, TWO][: random.integers(1, 3)]) for _ in range(3)]
        systems.add(document, [seeds, [document.with_spans([ONE])]])
    system_scores = systems.scores()
    assert len(system_scores["first"].f1_by_seed) == 3
    assert system_scores["first"].mean == pytest.approx(np.mean(system_scores["first"].f1_by_seed))
    assert system_scores["first"].std == pytest.approx(
        np.std(system_scores["first"].f1_by_seed, ddof=1)
    )
    assert system_scores["other"].std is None
    for scores in system_scores.values():
        assert scores.low <= scores.mean <= scores.high
        assert min(scores.labels.values()) <= scores.mean <= max(scores.labels.values())
    difference = systems.comparisons(resamples=200)[0].micro
    assert difference.f1 == pytest.approx(
        (system_scores["first"].mean or 0) - (system_scores["other"].mean or 0), abs=0.01
    )


def test_prediction_files_are_compared(orbat: Orbat, tmp_path: Path) -> None:
    rows = [
        tuple(Document(f"d{n}", d.text, d.spans) for d in row)
        for n, row in enumerate(rows_with(better=12, worse=1))
    ]
    for side, name in enumerate(("gold", "new", "old")):
        write_documents(tmp_path / f"{name}.jsonl", [row[side] for row in rows])
    new, old, gold = (tmp_path / f"{name}.jsonl" for name in ("new", "old", "gold"))
    arguments = ("evaluate", "--predictions", new, "--predictions", old, gold)
    value = orbat(*arguments, "--json").json()
    comparison = value["comparisons"][0]
    assert (comparison["first"], comparison["second"]) == (str(new), str(old))
    assert comparison["micro"]["f1"] > 0.1
    assert comparison["micro"]["adjusted"] >= comparison["micro"]["p"]
    assert comparison["wins"]["first_only"] == 12
    assert set(value["systems"]) == {str(new), str(old)}
    printed = orbat(*arguments).out
    assert "gold mentions found only by the first: 12, only by the second: 1" in printed
