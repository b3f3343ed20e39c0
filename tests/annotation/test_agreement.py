"""Inter-annotator agreement: coefficients, intervals and disagreements."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from orbat.annotation.agreement.disagreements import find_disagreements
from orbat.annotation.agreement.measures import DISAGREEMENT_KINDS, measure_agreement
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from tests.annotation.test_adjudication import annotated
from tests.conftest import ARTICLES, Orbat

WORDS = "aa bb cc dd ee ff gg hh"


@st.composite
def annotation_passes(draw: st.DrawFn) -> dict[str, list[Document]]:
    """Draw annotations of a few documents of eight words by two to four annotators."""
    names = ["first", "second", "third", "fourth"][: draw(st.integers(2, 4))]
    result: dict[str, list[Document]] = {name: [] for name in names}
    for number in range(draw(st.integers(2, 4))):
        for name in names:
            labels = draw(st.lists(st.sampled_from("-AB"), min_size=8, max_size=8))
            spans = [Span(3 * n, 3 * n + 2, x) for n, x in enumerate(labels) if x != "-"]
            result[name].append(Document(f"d{number}", WORDS, tuple(spans)))
    return result


def classes(documents: list[Document]) -> list[str]:
    labels = []
    for document in documents:
        at = {span.start: span.label for span in document.spans}
        labels += [at.get(start, "-") for start in range(0, len(WORDS), 3)]
    return labels


@given(annotation_passes())
def test_kappa_equals_scikit_learn_and_alpha_its_definition(
    annotations: dict[str, list[Document]],
) -> None:
    agreement = measure_agreement(annotations, resamples=100)
    for pair in agreement.pairs:
        a, b = classes(annotations[pair.first]), classes(annotations[pair.second])
        kappa = pair.kappa[None]
        if len(set(a)) < 2 or len(set(b)) < 2:
            assert kappa.value is None
        else:
            assert kappa.value == pytest.approx(cohen_kappa_score(a, b))
    # Krippendorff's definition: observed over expected disagreement of two random values.
    units = np.array([classes(documents) for documents in annotations.values()]).T
    observed = np.mean(
        [np.mean([x != y for i, x in enumerate(u) for j, y in enumerate(u) if i != j])
         for u in units]
    )  # fmt: skip
    values = units.ravel()
    n = len(values)
    expected = sum(x != y for x in values for y in values) / (n * (n - 1))
    alpha = agreement.alpha[None].value
    if expected == 0:
        assert alpha is None
    else:
        assert alpha == pytest.approx(1 - observed / expected)


def test_alpha_equals_the_published_example() -> None:
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section B: 0.095.
    text = "a b c d e f g h i j"
    marked = {"x": [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], "y": [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]}

    def documents_of(row: list[int]) -> list[Document]:
        spans = (Span(2 * n, 2 * n + 1, "A") for n, on in enumerate(row) if on)
        return [Document("d", text, tuple(spans))]

    annotations = {name: documents_of(row) for name, row in marked.items()}
    assert measure_agreement(annotations).alpha[None].value == pytest.approx(0.095, abs=0.0005)


@given(annotated())
def test_every_difference_is_reported_once(annotations: dict[str, Document]) -> None:
    first, second = list(annotations.values())[:2]
    disagreements = list(find_disagreements(first, second))
    mine, theirs = set(first.spans), set(second.spans)
    assert sorted(d.first for d in disagreements if d.first) == sorted(mine - theirs)
    assert sorted(d.second for d in disagreements if d.second) == sorted(theirs - mine)
    assert {d.kind for d in disagreements} <= set(DISAGREEMENT_KINDS)
    for disagreement in disagreements:
        if disagreement.first and disagreement.second:
            assert disagreement.first.start < disagreement.second.end
            assert disagreement.second.start < disagreement.first.end


def test_kinds_of_disagreement() -> None:
    text = "Gen. Osei led the 4th Brigade and 5 Wing; Maj. Doe the Air Staff"
    spans = {name: text.index(name) for name in ("Gen.", "4th", "5 Wing", "Maj.", "Air")}
    first = [
        Span(spans["Gen."], spans["Gen."] + 4, "RANK"),
        Span(spans["4th"], spans["4th"] + 11, "UNIT"),
        Span(spans["5 Wing"], spans["5 Wing"] + 6, "UNIT"),
        Span(spans["Maj."], spans["Maj."] + 4, "RANK"),
    ]
    second = [
        Span(spans["Gen."], spans["Gen."] + 3, "RANK"),
        Span(spans["4th"] + 4, spans["4th"] + 11, "ROLE"),
        Span(spans["5 Wing"], spans["5 Wing"] + 6, "ROLE"),
        Span(spans["Air"], spans["Air"] + 9, "UNIT"),
    ]
    annotations = {
        "a": [Document("d", text, tuple(first)), Document("e", text)],
        "b": [Document("d", text, tuple(second)), Document("e", text)],
    }
    (pair,) = measure_agreement(annotations).pairs
    assert pair.count_kinds() == dict.fromkeys(DISAGREEMENT_KINDS, 1)
    assert pair.strict[None].f1 == 0.0
    assert pair.partial[None].f1 == pytest.approx((0.5 + 0.5 + 1) / 4)
    assert next((a, b, len(group)) for a, b, group in pair.confusions()) == ("UNIT", "ROLE", 2)
    example = next(d for d in pair.disagreements if d.kind == "boundary")
    assert example.quotes == ("Gen.", "Gen")
    assert "Osei led the" in example.context


def test_recorded_passes_agree_and_intervals_contain_the_scores(
    orbat: Orbat, tmp_path: Path
) -> None:
    files = [ARTICLES / "first-pass.jsonl", ARTICLES / "second-pass.jsonl"]
    without_texts = orbat("annotate", "agree", *files, "--json").json()
    files += ["--texts", ARTICLES / "train.jsonl"]
    outcome = orbat("annotate", "agree", *files, "--json").json()
    assert without_texts["strict"] == outcome["strict"]
    assert without_texts["kappa"] is None
    assert outcome["kappa"] > 0.99
    micro = outcome["strict"]["micro"]
    assert micro["low"] <= micro["f1"] <= micro["high"]
    assert micro["low"] < micro["high"]
    assert outcome["partial"]["micro"]["f1"] >= micro["f1"]
    assert sum(outcome["disagreements"].values()) >= len(outcome["differing"])
    assert orbat("annotate", "agree", *files, "--html", tmp_path / "a.html").code == 0
    page = (tmp_path / "a.html").read_text()
    assert f"{micro['f1']:.3f}" in page
    assert "Confused labels" in page


def test_three_annotators_with_different_documents(orbat: Orbat, tmp_path: Path) -> None:
    text = "Gen. Osei led 4 Wing"
    rank, wing = Span(0, 4, "RANK"), Span(14, 20, "UNIT")
    done, undone = {"confirmed": True}, {"confirmed": False}

    def write(name: str, *documents: tuple[str, tuple[Span, ...], dict[str, bool]]) -> Path:
        write_documents(
            tmp_path / f"{name}.jsonl",
            [
                Document(i, text, spans, {"annotation": {"annotator": name, **state}})
                for i, spans, state in documents
            ],
        )
        return tmp_path / f"{name}.jsonl"

    files = [
        write("ann", ("1", (rank, wing), done), ("2", (rank,), done), ("own", (), done)),
        write("ben", ("1", (rank, wing), done), ("2", (rank,), undone)),
        write("cat", ("1", (rank,), done), ("2", (wing,), done)),
    ]
    agreement = orbat("annotate", "agree", *files, "--json").json()
    # The second document is compared without the annotator who has not confirmed it.
    assert (agreement["documents"], agreement["annotated_by_one"]) == (2, 1)
    assert [(p["first"], p["second"]) for p in agreement["pairs"]] == [
        ("ann", "ben"),
        ("ann", "cat"),
        ("ben", "cat"),
    ]
    assert [p["strict"]["micro"]["f1"] for p in agreement["pairs"]] == pytest.approx(
        [1, 2 / 5, 2 / 3]
    )
    shown = orbat("annotate", "agree", *files).out
    assert "1 were compared without those who have not confirmed them" in " ".join(shown.split())
    shown = orbat("annotate", "agree", *files, "--unconfirmed").out
    assert re.search(r"2 documents have two or more annotators", shown)
    assert "Krippendorff's alpha" in shown
