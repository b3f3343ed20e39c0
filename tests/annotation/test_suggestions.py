"""Suggested spans: how taggers are combined, and how accurate they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from orbat.annotation.commands.push import build_taggers
from orbat.annotation.suggestions import (
    DEFAULT_GOLD,
    measure_suggestions,
    suggest,
    suggestion_table,
)
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, sha256_text
from orbat.corpus.labels import load_labels
from orbat.errors import InputError

TEXT = "Gen. Smith and Col. Jones of the Sahel Watch"


@dataclass(frozen=True)
class Fixed:
    """A model that predicts the same spans for every text."""

    spans: tuple[Span, ...]
    labels: tuple[str, ...] = ("RANK", "UNIT", "OTHER")
    seen: frozenset[str] = frozenset()

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            yield document.with_spans(self.spans)


MODEL = Fixed((Span(0, 10, "RANK"), Span(11, 14, "OTHER"), Span(33, 44, "UNIT")))


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("none", []),
        ("rules", ["Gen.", "Col."]),
        ("model", ["Gen. Smith", "Sahel Watch"]),
        ("rules+model", ["Gen.", "Col.", "Sahel Watch"]),
        ("model+rules", ["Gen. Smith", "Col.", "Sahel Watch"]),
    ],
)
def test_the_first_source_takes_precedence_and_other_labels_are_dropped(
    sources: str, expected: list[str]
) -> None:
    labels = load_labels()
    taggers = build_taggers(sources, labels, model=MODEL)
    labeled = Document("labeled", TEXT, (Span(5, 10, "ROLE"),))
    suggested, kept = suggest([Document("unlabeled", TEXT), labeled], taggers, labels.names)
    assert [TEXT[s.start : s.end] for s in suggested.spans] == expected
    assert kept == labeled
    assert kept.spans == labeled.spans


def test_suggestions_are_measured_and_known_gold_is_reported() -> None:
    labels = load_labels()
    gold = list(read_documents(DEFAULT_GOLD))[:8]
    rules = measure_suggestions(gold, build_taggers("rules", labels), labels.names)
    micro = rules.strict.micro
    assert micro.precision is not None
    assert micro.recall is not None
    assert 0.5 < micro.precision < 1
    assert 0.5 < micro.recall < 1
    trained = Fixed((), seen=frozenset(sha256_text(d.text) for d in gold[:3]))
    nothing = measure_suggestions(gold, [trained], labels.names)
    assert nothing.strict.micro.recall == 0
    table = suggestion_table(nothing, DEFAULT_GOLD, gold, trained)
    assert "trained or selected on 3 of them" in table.note


def test_impossible_sources_are_refused() -> None:
    labels = load_labels()
    with pytest.raises(InputError, match="choose one of rules, model"):
        build_taggers("guess", labels)
    with pytest.raises(InputError, match="name the model with --model"):
        build_taggers("model", labels)
    with pytest.raises(InputError, match="predicts Person and none of"):
        build_taggers("model", labels, model=Fixed((), ("Person",)))
