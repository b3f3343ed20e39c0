"""Splits of a corpus into train, dev and test that share no near duplicate and no n-gram."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from .deduplication.clusters import find_clusters
from .deduplication.ngrams import NGRAM_WORDS, normalized_words
from .document import Document, document_to_json
from .files import check_output_file, read_documents, sha256_file, sha256_path, write_json
from .metadata import DATE_KEYS, document_date, document_source
from .output.atomic import open_atomic

SPLIT_NAMES = ("train", "dev", "test")
SplitMethod = Literal["cluster", "time", "given"]
ReadDocuments = Callable[[Path], Iterator[Document]]


@dataclass(frozen=True)
class CorpusSplit:
    """The split of each document of a corpus.

    Attributes:
        split_by_id: name of the split, by document id.
        clusters: ids of the clusters of several documents; the largest cluster first.
    """

    split_by_id: Mapping[str, str]
    clusters: tuple[tuple[str, ...], ...]

    @property
    def sizes(self) -> dict[str, int]:
        """The number of documents in each split."""
        counts = Counter(self.split_by_id.values())
        return {name: counts[name] for name in SPLIT_NAMES}

    @property
    def largest_cluster(self) -> int:
        """The number of documents in the largest cluster."""
        return len(self.clusters[0]) if self.clusters else 1


def split_corpus(
    path: Path,
    output: Path,
    *,
    dev: float = 0.1,
    test: float = 0.1,
    by: SplitMethod = "cluster",
    seed: int = 0,
    ngram_words: int = NGRAM_WORDS,
    read: ReadDocuments = read_documents,
) -> CorpusSplit:
    """Split a corpus and write ``train.jsonl``, ``dev.jsonl``, ``test.jsonl`` and ``splits.json``.

    Each document's `meta.split` names its split. ``splits.json`` records the settings, the
    clusters and the hashes of all files.

    Args:
        path: the corpus.
        output: the folder to write to.
        dev: see :func:`assign_splits`, as for all that follow.
        test: the share of test.
        by: the method.
        seed: the random seed.
        ngram_words: words of an n-gram that no two splits share.
        read: reads the corpus; by default JSON Lines.

    Raises:
        InputError: if the corpus is one of the files to write, and see :func:`assign_splits`.
    """
    for name in SPLIT_NAMES:
        check_output_file(Path(output) / f"{name}.jsonl", path)
    split = assign_splits(
        path, dev=dev, test=test, by=by, seed=seed, ngram_words=ngram_words, read=read
    )
    settings = {"dev": dev, "test": test, "by": by, "seed": seed, "ngram_words": ngram_words}
    _write_splits(Path(path), read, split, Path(output), settings)
    return split


def assign_splits(
    path: Path,
    *,
    dev: float = 0.1,
    test: float = 0.1,
    by: SplitMethod = "cluster",
    seed: int = 0,
    ngram_words: int = NGRAM_WORDS,
    read: ReadDocuments = read_documents,
) -> CorpusSplit:
    """Assign the documents of a corpus to splits; each cluster stays in one split.

    The result does not depend on the order of the documents.

    Args:
        path: the corpus; streamed several times.
        dev: share of the documents in dev.
        test: share of the documents in test.
        by: `cluster` stratifies by source and label; `time` assigns the oldest documents to train
            and the newest to test; `given` takes `meta.split`.
        seed: random seed of `cluster`.
        ngram_words: words of an n-gram that puts two documents into one cluster.
        read: reads the corpus; by default JSON Lines.

    Raises:
        InputError: if a share is out of range, there are too few documents, a date or a given
            split is missing, or given splits have a cluster in common.
    """
    if not (0 < dev < 1 and 0 < test < 1 and dev + test < 1):
        raise InputError("--dev and --test must be above 0 and together below 1")
    path = Path(path)
    documents = _DocumentFile(path, read)
    keys = [_make_keys(document) for document in documents]
    roots = find_clusters(documents, sum(k.words for k in keys), ngram_words=ngram_words)
    clusters: dict[int, list[_SplitKeys]] = defaultdict(list)
    for document_keys, root in zip(keys, roots, strict=True):
        clusters[root].append(document_keys)
    groups = sorted(
        (sorted(group, key=lambda k: k.id) for group in clusters.values()),
        key=lambda group: group[0].id,
    )
    if by == "given":
        splits = _splits_from_meta(groups, path)
    elif len(groups) < len(SPLIT_NAMES):
        raise InputError(
            f"{path}: {len(SPLIT_NAMES)} splits need as many documents without common text, and "
            f"there {'is' if len(groups) == 1 else 'are'} only {len(groups)}; add other documents"
        )
    elif by == "time":
        splits = _splits_by_time(groups, dev, test, path)
    else:
        splits = _stratified_splits(groups, dev, test, seed)
    split_by_id = {k.id: split for group, split in zip(groups, splits, strict=True) for k in group}
    several = (tuple(k.id for k in group) for group in groups if len(group) > 1)
    return CorpusSplit(split_by_id, tuple(sorted(several, key=lambda ids: (-len(ids), ids))))


@dataclass(frozen=True)
class _SplitKeys:
    """The properties of a document that determine its split."""

    id: str
    date: str
    meta_split: str
    stratum: str
    words: int


class _DocumentFile:
    """The documents of a file, read again at each iteration."""

    def __init__(self, path: Path, read: ReadDocuments) -> None:
        self._path = path
        self._read = read

    def __iter__(self) -> Iterator[Document]:
        return self._read(self._path)


def _make_keys(document: Document) -> _SplitKeys:
    labels = Counter(span.label for span in document.spans)
    main_label = min(labels, key=lambda label: (-labels[label], label), default="none")
    return _SplitKeys(
        document.id,
        document_date(document),
        str(document.meta.get("split", "")),
        f"{document_source(document)}|{main_label}",
        len(normalized_words(document.text)),
    )


_Groups = Sequence[Sequence[_SplitKeys]]
"""The clusters of a corpus, in the order of their first id."""


def _splits_from_meta(groups: _Groups, path: Path) -> list[str]:
    for keys in itertools.chain.from_iterable(groups):
        if keys.meta_split not in SPLIT_NAMES:
            raise InputError(
                f"{path}: meta.split of '{keys.id}' is '{keys.meta_split}'; write one of "
                f"{', '.join(SPLIT_NAMES)}"
            )
    for group in groups:
        other = next((keys for keys in group if keys.meta_split != group[0].meta_split), None)
        if other is not None:
            raise InputError(
                f"{path}: meta.split of '{group[0].id}' is {group[0].meta_split}, and that of "
                f"'{other.id}', of the same cluster, is {other.meta_split}; put them into one split"
            )
    return [group[0].meta_split for group in groups]


def _splits_by_time(groups: _Groups, dev: float, test: float, path: Path) -> list[str]:
    undated = next((keys for keys in itertools.chain.from_iterable(groups) if not keys.date), None)
    if undated is not None:
        raise InputError(
            f"{path}: '{undated.id}' has no meta.{DATE_KEYS[0]}; add it, or split by cluster"
        )
    dates = [min(keys.date for keys in group) for group in groups]
    order = sorted(range(len(groups)), key=lambda index: (dates[index], index))
    total = sum(map(len, groups))
    splits, assigned = [""] * len(groups), 0
    for index in order:
        assigned += len(groups[index])
        share = (assigned - len(groups[index]) / 2) / total
        splits[index] = "train" if share < 1 - dev - test else "dev" if share < 1 - test else "test"
    # No split of a small corpus may be empty, and dev stays between the two others in time.
    splits[order[0]], splits[order[-1]] = "train", "test"
    if "dev" not in splits:
        inner = order[1:-1]
        newer = [index for index in inner if splits[index] == "test"]
        splits[newer[0] if newer else inner[-1]] = "dev"
    return splits


def _stratified_splits(groups: _Groups, dev: float, test: float, seed: int) -> list[str]:
    """Assign clusters to splits, each to the one that is furthest below its share.

    The share is that of the corpus and that of each stratum in the cluster. As in scikit-learn's
    StratifiedGroupKFold, the largest clusters are assigned first; here, shares may differ.
    """
    import numpy as np

    shares = {"train": 1 - dev - test, "dev": dev, "test": test}
    # In smaller strata, the share of the smallest split is less than a document.
    strata = _merge_rare_strata(groups, math.ceil(1 / min(shares.values())))
    sizes: Counter[str | None] = Counter(itertools.chain.from_iterable(strata))
    sizes[None] = sizes.total()
    assigned: Counter[tuple[str, str | None]] = Counter()

    def excess(split: str, added: Mapping[str | None, int]) -> float:
        # By how much chi-square grows, except for what is the same for all splits.
        return sum(
            count * (2 * assigned[split, name] + count) / (shares[split] * sizes[name])
            for name, count in added.items()
        )

    shuffled = np.random.default_rng(seed).permutation(len(groups)).tolist()
    order = sorted(shuffled, key=lambda index: -len(groups[index]))
    splits = [""] * len(groups)
    for index in order:
        added = {**Counter(strata[index]), None: len(groups[index])}
        costs = {split: excess(split, added) for split in SPLIT_NAMES}
        splits[index] = min(costs, key=costs.__getitem__)
        for name, count in added.items():
            assigned[splits[index], name] += count
    # No split of a small corpus may be empty: it gets the smallest cluster of a split with several.
    for split in SPLIT_NAMES:
        if split not in splits:
            counts = Counter(splits)
            splits[next(index for index in reversed(order) if counts[splits[index]] > 1)] = split
    return splits


def _merge_rare_strata(groups: _Groups, smallest: int) -> list[list[str]]:
    """Return the stratum of each document of each cluster; small strata count as one."""
    sizes = Counter(keys.stratum for keys in itertools.chain.from_iterable(groups))
    return [
        [keys.stratum if sizes[keys.stratum] >= smallest else "rest" for keys in group]
        for group in groups
    ]


def _write_splits(
    path: Path, read: ReadDocuments, split: CorpusSplit, output: Path, settings: Mapping[str, Any]
) -> None:
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(open_atomic(output / f"{name}.jsonl")) for name in SPLIT_NAMES
        }
        for document in read(path):
            name = split.split_by_id[document.id]
            marked = replace(document, meta={**document.meta, "split": name})
            line = json.dumps(document_to_json(marked), ensure_ascii=False)
            files[name].write(line.encode() + b"\n")
    write_json(
        output / "splits.json",
        {
            "corpus": {"file": path.name, "sha256": sha256_path(path)},
            "settings": dict(settings),
            "documents": split.sizes,
            "clusters": [list(cluster) for cluster in split.clusters],
            "sha256": {name: sha256_file(output / f"{name}.jsonl") for name in SPLIT_NAMES},
        },
    )
