"""Splits without leakage, and the check for leakage."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbat.corpus.deduplication.leakage import find_leakage
from orbat.corpus.deduplication.ngrams import NgramIndex, shared_ngrams
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, sha256_file, write_documents
from orbat.corpus.splitting import SPLIT_NAMES, assign_splits, split_corpus
from tests.conftest import ARTICLES, Orbat

SENTENCE = "the brigade crossed the river at dawn and met nobody on the far bank"


def words(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [f"{rng.choice('bcdfg')}{rng.randrange(10**6)}" for _ in range(count)]


def corpus(count: int) -> list[Document]:
    """Make documents of two sources and two labels; some share an n-gram or are reprints."""
    documents = []
    for n in range(count):
        text = words(60, n)
        if n % 10 == 1:
            text[20:30] = words(14, 1000 + n // 20)
        if n % 10 == 2:
            text = [*words(60, n - 1), "reprint"]
        joined = " ".join(text)
        label = "UNIT" if n % 4 else "RANK"
        documents.append(
            Document(
                f"d{n:03}",
                joined,
                (Span(0, len(text[0]), label),),
                {"source": "a" if n % 3 else "b", "date": f"20{n % 25:02}-01-01"},
            )
        )
    return documents


@pytest.mark.parametrize("by", ["cluster", "time"])
def test_splits_have_nothing_in_common(orbat: Orbat, tmp_path: Path, by: str) -> None:
    documents = corpus(120)
    write_documents(tmp_path / "all.jsonl", documents)
    outcome = orbat(
        *("corpus", "split", tmp_path / "all.jsonl", "--output", tmp_path / "parts"),
        *("--by", by, "--json"),
    )
    assert outcome.code == 0, outcome.err
    files = [tmp_path / "parts" / f"{part}.jsonl" for part in SPLIT_NAMES]
    parts = [list(read_documents(file)) for file in files]
    assert sorted(d.id for part in parts for d in part) == [d.id for d in documents]
    assert all(
        d.meta["split"] == p for p, part in zip(SPLIT_NAMES, parts, strict=True) for d in part
    )
    assert all(7 <= len(part) <= 20 for part in parts[1:]), [len(part) for part in parts]
    for one, other in itertools.combinations(files, 2):
        assert orbat("corpus", "check", one, other).code == 0
    manifest = json.loads((tmp_path / "parts" / "splits.json").read_text())
    assert manifest["settings"]["by"] == by
    assert manifest["documents"]["train"] == len(parts[0])


def test_splits_are_stratified_by_label_and_source(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    documents = [
        replace(d, text=f"Unit123 {' '.join(words(40, n))}") for n, d in enumerate(corpus(200))
    ]
    documents = [d.with_spans([replace(d.spans[0], end=7)]) for d in documents]
    write_documents(path, documents)
    parts = assign_splits(path).split_by_id
    for kind in (lambda d: d.meta["source"], lambda d: d.spans[0].label):
        whole = Counter(map(kind, documents))
        for part in SPLIT_NAMES[1:]:
            counts = Counter(kind(d) for d in documents if parts[d.id] == part)
            assert all(abs(counts[k] / 20 - n / 200) <= 0.1 for k, n in whole.items())


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 12), min_size=3, max_size=40),
    st.sampled_from([(0.1, 0.1), (0.2, 0.2), (0.3, 0.1), (0.25, 0.5)]),
    st.integers(0, 3),
)
def test_shares_are_met_as_far_as_clusters_allow(
    clusters: list[int], shares: tuple[float, float], seed: int
) -> None:
    text = {n: " ".join(words(20, n)) for n in range(len(clusters))}
    documents = [
        Document(f"d{n}-{m}", text[n]) for n, size in enumerate(clusters) for m in range(size)
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_documents(Path(folder) / "all.jsonl", documents)
        dev, test = shares
        sizes = assign_splits(Path(folder) / "all.jsonl", dev=dev, test=test, seed=seed).sizes
    assert sum(sizes.values()) == len(documents)
    assert min(sizes.values()) > 0
    # What they have too much or too little, train has not or has.
    for name, share in (("dev", dev), ("test", test)):
        assert abs(sizes[name] - share * len(documents)) <= max(clusters) + 1


def test_a_large_cluster_goes_to_train(tmp_path: Path) -> None:
    alike = [Document(f"a{n}", " ".join(words(40, 0))) for n in range(26)]
    apart = [Document(f"d{n}", " ".join(words(40, n + 1))) for n in range(36)]
    write_documents(tmp_path / "all.jsonl", [*alike, *apart])
    for seed in range(4):
        split = assign_splits(tmp_path / "all.jsonl", dev=0.2, test=0.2, seed=seed)
        assert split.sizes == {"train": 38, "dev": 12, "test": 12}


def test_splits_depend_on_the_seed_but_not_on_the_order(tmp_path: Path) -> None:
    documents = corpus(60)
    write_documents(tmp_path / "a.jsonl", documents)
    write_documents(tmp_path / "b.jsonl", documents[::-1])
    one = assign_splits(tmp_path / "a.jsonl").split_by_id
    assert one == assign_splits(tmp_path / "b.jsonl").split_by_id
    assert one != assign_splits(tmp_path / "a.jsonl", seed=1).split_by_id


def test_splits_by_time_hold_out_the_newest(tmp_path: Path) -> None:
    documents = [
        Document(f"d{n}", " ".join(words(40, n)), (), {"date": f"20{n:02}-05-01"})
        for n in range(20)
    ]
    write_documents(tmp_path / "all.jsonl", documents)
    parts = assign_splits(tmp_path / "all.jsonl", by="time").split_by_id
    assert [parts[f"d{n}"] for n in range(20)] == ["train"] * 16 + ["dev"] * 2 + ["test"] * 2


@pytest.mark.parametrize("shares", [(0.02, 0.5), (0.3, 0.6), (0.1, 0.3), (0.9, 0.05)])
def test_splits_by_time_are_in_order_if_clusters_are_large(
    tmp_path: Path, shares: tuple[float, float]
) -> None:
    sizes = [1, 1, 1, 5, 1, 1, 1]
    documents = [
        Document(f"{n} {copy}", " ".join([*words(40, n), str(copy)]), (), {"date": f"20{n}-05-01"})
        for n, size in enumerate(sizes, start=10)
        for copy in range(size)
    ]
    write_documents(tmp_path / "all.jsonl", documents)
    dev, test = shares
    parts = assign_splits(tmp_path / "all.jsonl", dev=dev, test=test, by="time").split_by_id
    assert [name for name, _ in itertools.groupby(parts[d.id] for d in documents)] == [*SPLIT_NAMES]


def test_corpora_that_cannot_be_split_are_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "all.jsonl"

    def split(documents: list[Document], *more: str) -> str:
        write_documents(path, documents)
        return refused("corpus", "split", path, "--output", tmp_path / "parts", *more)

    alike = [Document(f"d{n}", " ".join(words(40, 0))) for n in range(9)]
    assert "3 splits need as many documents without common text, and there is only 1" in split(
        alike
    )
    apart = [Document(f"d{n}", " ".join(words(40, n))) for n in range(9)]
    assert "'d0' has no meta.date" in split(apart, "--by", "time")
    assert "meta.split of 'd0' is ''" in split(apart, "--by", "given")
    given = [replace(d, meta={"split": SPLIT_NAMES[n % 3]}) for n, d in enumerate(alike)]
    assert "meta.split of 'd0' is train, and that of 'd1', of the same cluster, is dev" in split(
        given, "--by", "given"
    )
    assert "must be above 0" in split(apart, "--dev", "0.9", "--test", "0.2")
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize(("one", "other"), itertools.combinations(SPLIT_NAMES, 2))
def test_the_shipped_splits_have_no_leakage(orbat: Orbat, one: str, other: str) -> None:
    outcome = orbat("corpus", "check", ARTICLES / f"{one}.jsonl", ARTICLES / f"{other}.jsonl")
    assert outcome.code == 0, outcome.out


def test_every_kind_of_leak_is_found(orbat: Orbat, tmp_path: Path) -> None:
    a, b, c, d = (" ".join(words(60, n)) for n in range(4))
    train = [
        Document("same", a),
        Document("t1", b.upper().replace(" ", ", ")),
        Document("t2", c + " more words"),
        Document("t3", f"{' '.join(words(30, 8))} {SENTENCE}"),
    ]
    test = [
        Document("same", "other text altogether"),
        Document("x1", b),
        Document("x2", c),
        Document("x3", f"{SENTENCE.title()}! {' '.join(words(30, 9))}"),
        Document("x4", d),
    ]
    write_documents(tmp_path / "train.jsonl", train)
    write_documents(tmp_path / "test.jsonl", test)
    outcome = orbat("corpus", "check", tmp_path / "train.jsonl", tmp_path / "test.jsonl", "--json")
    assert outcome.code == 1
    leaks = [(leak["kind"], leak["first"], leak["second"]) for leak in outcome.json()["leaks"]]
    assert leaks == [
        ("same id", "same", "same"),
        ("same words", "t1", "x1"),
        ("near duplicate", "t2", "x2"),
        ("shared n-gram", "t3", "x3"),
    ]
    assert outcome.json()["leaks"][3]["detail"] == " ".join(SENTENCE.split()[:12])


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=12), max_size=5))
def test_shared_ngrams_are_those_of_a_pairwise_comparison(texts: list[list[str]]) -> None:
    documents = [Document(f"d{n}", " ".join(text)) for n, text in enumerate(texts)]
    runs = [{tuple(t[i : i + 4]) for i in range(len(t) - 3)} for t in texts]
    expected = {
        (i, j) for i, j in itertools.combinations(range(len(texts)), 2) if runs[i] & runs[j]
    }
    linked = set(shared_ngrams(documents, sum(map(len, texts)), 4))
    assert linked <= expected
    # Not every pair is yielded, but all that share an n-gram are connected.
    groups = {n: {n} for n in range(len(texts))}
    for i, j in linked:
        union = groups[i] | groups[j]
        groups.update(dict.fromkeys(union, union))
    assert all(j in groups[i] for i, j in expected)
    ngrams = NgramIndex(documents, 4)
    for index, document in enumerate(documents):
        others = {other.id for other, _ in ngrams.find(document)} - {document.id}
        assert others == {f"d{b if a == index else a}" for a, b in expected if index in (a, b)}


def test_unrelated_documents_have_no_leaks() -> None:
    one = [Document(f"a{n}", " ".join(words(50, n))) for n in range(5)]
    other = [Document(f"b{n}", " ".join(words(50, n + 50))) for n in range(5)]
    assert not list(find_leakage(one, other))


def test_a_split_is_written_with_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    write_documents(path, corpus(60))
    split = split_corpus(path, tmp_path / "splits", test=0.2, seed=3)
    assert split == assign_splits(path, test=0.2, seed=3)
    manifest = json.loads((tmp_path / "splits" / "splits.json").read_text())
    settings = {"dev": 0.1, "test": 0.2, "by": "cluster", "seed": 3, "ngram_words": 12}
    assert manifest["settings"] == settings
    for name in SPLIT_NAMES:
        file = tmp_path / "splits" / f"{name}.jsonl"
        assert manifest["sha256"][name] == sha256_file(file)
        assert len(list(read_documents(file))) == manifest["documents"][name] == split.sizes[name]
