"""The shipped articles: complete, without duplicates, with disjoint splits."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from orbat.annotation.adjudication.annotation_sets import read_annotation_set
from orbat.corpus.deduplication.duplicates import DuplicateFinder
from orbat.corpus.deduplication.leakage import find_leakage
from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, read_json_lines
from orbat.corpus.labels import load_labels
from orbat.evaluation.counts import total_counts
from tests.conftest import ARTICLES


def test_splits_are_complete_and_disjoint(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    splits = (train_articles, dev_articles, test_articles)
    assert [len(split) for split in splits] == [1580, 90, 56]
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
    ] * 1726


def test_no_two_splits_share_a_long_n_gram(
    train_articles: list[Document], dev_articles: list[Document], test_articles: list[Document]
) -> None:
    for first, second in combinations((train_articles, dev_articles, test_articles), 2):
        assert list(find_leakage(first, second)) == []


def test_recorded_passes_are_of_training_articles(train_articles: list[Document]) -> None:
    """Reading also checks that their spans fit the texts, and fails for any other article."""
    texts = {document.id: document for document in train_articles}
    first, second = (
        read_annotation_set(ARTICLES / f"{name}-pass.jsonl", load_labels().names, texts)
        for name in ("first", "second")
    )
    assert (first.name, second.name) == ("first", "second")
    assert [d.id for d in first.documents] == [d.id for d in second.documents]
    assert len(first.documents) == 412
    pairs = zip(first.documents, second.documents, strict=True)
    consistency = total_counts(pairs)[0].f1
    assert consistency is not None
    assert consistency > 0.99


def test_gold_values_are_of_spans_that_may_be_used(
    train_articles: list[Document], dev_articles: list[Document]
) -> None:
    spans = {
        (document.id, span.start, span.end, span.label)
        for document in [*train_articles, *dev_articles]
        for span in document.spans
    }
    entries = [entry for _, entry in read_json_lines(ARTICLES / "values.jsonl")]
    keys = [(e["id"], e["start"], e["end"], e["label"]) for e in entries]
    assert set(keys) <= spans
    assert len(set(keys)) == len(keys) == 700
    assert Counter((e["part"], e["label"]) for e in entries) == {
        ("build", "RANK"): 300,
        ("build", "UNIT"): 200,
        ("measure", "RANK"): 100,
        ("measure", "UNIT"): 100,
    }
