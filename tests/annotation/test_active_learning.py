"""Which documents to label next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbat.annotation.active_learning import select_documents
from orbat.annotation.word_probabilities import WordProbabilities, probabilities_from_json
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from tests.conftest import Orbat, Trained


class Unsure:
    """Predicts for each word of a document the probability that its meta gives."""

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        for document in documents:
            words = document.text.split()
            bounds = np.array([(n, n + 1) for n in range(len(words))])
            values = np.array([[1 - document.meta["p"], document.meta["p"]]] * len(words))
            yield WordProbabilities(bounds, ("A",), values)


def select_ids(documents: list[Document], **options: Any) -> list[str]:
    return [d.id for d in select_documents(documents, Unsure(), **options).documents]


def make(doc_id: str, text: str, p: float) -> Document:
    return Document(doc_id, text, (), {"p": p})


def test_uncertain_documents_come_first_whatever_their_length() -> None:
    documents = [
        make("sure", "alpha beta gamma delta", 0.01),
        make("long", "one two three four five six seven eight nine ten", 0.2),
        make("short", "red blue", 0.4),
    ]
    selection = select_documents(documents, Unsure())
    assert [document.id for document in selection.documents] == ["short", "long", "sure"]
    entropies = list(selection.entropies)
    assert entropies == sorted(entropies, reverse=True)
    assert entropies[0] == pytest.approx(-(0.4 * np.log(0.4) + 0.6 * np.log(0.6)))


def test_similar_documents_are_not_selected_together() -> None:
    fleet, tanks = "ships sailed from the harbour at dawn", "tanks crossed the river by night"
    documents = [
        make("fleet", fleet, 0.40),
        make("fleet again", fleet + " again", 0.39),
        make("tanks", tanks, 0.38),
        make("sure", "the weather was fine over all the hills", 0.01),
    ]
    first_two = select_ids(documents, count=2, diversity=1.0)
    assert first_two == ["fleet", "tanks"]
    assert select_ids(documents, count=2, diversity=0) == [
        "fleet",
        "fleet again",
    ]
    labeled = [make("known", fleet, 0)]
    assert select_ids(documents, count=1, labeled=labeled, diversity=1.0) == ["tanks"]
    assert "tanks" not in select_ids(documents, labeled=[documents[2]])
    with pytest.raises(InputError, match="every document is labeled"):
        select_ids(documents, labeled=documents)


def test_equally_uncertain_documents_keep_their_order_and_empty_ones_come_last() -> None:
    documents = [
        make("blank", " ", 0.4),
        make("first", "red blue", 0.4),
        make("second", "green gray", 0.4),
        make("sure", "one two", 0.0),
    ]
    ordered = select_ids(documents, diversity=0)
    assert ordered[:2] == ["first", "second"]
    assert set(ordered[2:]) == {"blank", "sure"}
    assert select_ids(documents, diversity=0) == ordered
    nothing = [make("a", "one two", 0.0), make("b", "three four", 0.0)]
    assert select_ids(nothing) == ["a", "b"]


def test_probabilities_survive_json() -> None:
    probabilities = WordProbabilities(np.array([[0, 2], [3, 5]]), ("A", "B"), np.eye(3)[:2])
    again = probabilities_from_json(probabilities.to_json())
    assert again.labels == probabilities.labels
    assert np.array_equal(again.words, probabilities.words)
    assert np.array_equal(again.values, probabilities.values)
    assert again.classes([Span(3, 5, "B"), Span(0, 1, "unknown")]).tolist() == [0, 2]
    assert WordProbabilities(np.zeros((0, 2), int), ("A",), np.zeros((0, 2))).entropy() == 0


def test_the_command_uses_a_model_and_skips_labeled_documents(
    orbat: Orbat, tmp_path: Path, trained: Trained, test_articles: list[Document]
) -> None:
    free = [document.with_spans(()) for document in test_articles[:6]]
    write_documents(tmp_path / "free.jsonl", free)
    write_documents(tmp_path / "known.jsonl", free[:2])
    arguments = ("annotate", "select", tmp_path / "free.jsonl", "--output", tmp_path / "next.jsonl")
    arguments = (*arguments, "--labeled", tmp_path / "known.jsonl")
    outcome = orbat(*arguments, "--model", trained.run)
    assert outcome.code == 0, outcome.err
    assert "Documents to label next" in outcome.out
    ordered = list(read_documents(tmp_path / "next.jsonl"))
    assert sorted(d.id for d in ordered) == sorted(d.id for d in free[2:])
    assert all(document in free for document in ordered)
    drawn = orbat(*arguments, "--strategy", "random", "--count", 3, "--seed", 1)
    assert drawn.code == 0, drawn.err
    assert len(list(read_documents(tmp_path / "next.jsonl"))) == 3


def test_impossible_options_are_refused() -> None:
    documents = [make("a", "one", 0.1)]
    with pytest.raises(InputError, match="needs a model; pass --model"):
        select_documents(documents, None)
    with pytest.raises(InputError, match="choose one of uncertainty, random"):
        select_documents(documents, Unsure(), strategy="best")
