"""The shipped articles: whole, and held-out ones held out."""

from __future__ import annotations

import itertools
import re

from annotation.labels import load_labels
from corpus.document import Document
from corpus.duplicates import DuplicateFinder
from corpus.files import read_documents
from tests.conftest import ARTICLES

PASSAGE_WORDS = 12


def test_splits_are_whole_and_disjoint(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    splits = (train_articles, dev_articles, test_articles)
    assert [len(split) for split in splits] == [212, 36, 32]
    ids = [document.id for split in splits for document in split]
    assert len(set(ids)) == len(ids)
    for split, name in zip(splits, ("train", "dev", "test"), strict=True):
        assert {document.meta["split"] for document in split} == {name}
        assert list(read_documents(ARTICLES / f"{name}.jsonl", load_labels().names)) == split


def test_no_article_repeats_another_even_nearly(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    # Well below the threshold of ingestion: a quarter of the wording shared would be found.
    finder = DuplicateFinder(threshold=0.25)
    assert [finder.meet(d) for d in train_articles + dev_articles + test_articles] == [None] * 280


def test_no_long_passage_stands_on_both_sides(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    def passages(documents: list[Document]) -> set[tuple[str, ...]]:
        found = set()
        for document in documents:
            words = re.findall(r"\w+", document.text.casefold())
            found |= {
                tuple(words[i : i + PASSAGE_WORDS]) for i in range(len(words) - PASSAGE_WORDS + 1)
            }
        return found

    sides = [passages(split) for split in (train_articles, dev_articles, test_articles)]
    for one, other in itertools.combinations(sides, 2):
        assert not one & other


def test_recorded_passes_are_of_training_articles(train_articles: list[Document]) -> None:
    texts = {document.id: document.text for document in train_articles}
    first, second = (
        list(read_documents(ARTICLES / f"{p}-pass.jsonl")) for p in ("first", "second")
    )
    assert [d.id for d in first] == [d.id for d in second]
    for document in first + second:
        assert texts[document.id] == document.text
