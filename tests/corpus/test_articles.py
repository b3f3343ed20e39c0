"""The shipped articles: complete, without duplicates, with disjoint splits."""

from __future__ import annotations

from orbat.corpus.deduplication.duplicates import DuplicateFinder
from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.corpus.labels import load_labels
from tests.conftest import ARTICLES


def test_splits_are_complete_and_disjoint(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    splits = (train_articles, dev_articles, test_articles)
    assert [len(split) for split in splits] == [212, 36, 32]
    ids = [document.id for split in splits for document in split]
    assert len(set(ids)) == len(ids)
    for split, name in zip(splits, ("train", "dev", "test"), strict=True):
        assert {document.meta["split"] for document in split} == {name}
        assert list(read_documents(ARTICLES / f"{name}.jsonl", load_labels().names)) == split


def test_no_article_is_a_near_duplicate_of_another(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    # Far below the threshold of ingestion: a quarter of common wording is enough.
    finder = DuplicateFinder(threshold=0.25)
    assert [finder.add_or_match(d) for d in train_articles + dev_articles + test_articles] == [
        None
    ] * 280


def test_recorded_passes_are_of_training_articles(train_articles: list[Document]) -> None:
    texts = {document.id: document.text for document in train_articles}
    first, second = (
        list(read_documents(ARTICLES / f"{p}-pass.jsonl")) for p in ("first", "second")
    )
    assert [d.id for d in first] == [d.id for d in second]
    for document in first + second:
        assert texts[document.id] == document.text
