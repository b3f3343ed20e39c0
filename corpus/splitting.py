"""Splits of a corpus into train, dev and test that share no near duplicate and no n-gram."""

from __future__ import annotations

import itertools
import json
import warnings
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
from .files import check_output, read_documents, sha256_file, sha256_path, write_json
from .metadata import DATE_KEYS, document_date, document_source
from .output.atomic import open_atomic

SPLIT_NAMES = ("train", "dev", "test")
SplitMethod = Literal["cluster", "time", "given"]
ReadDocuments = Callable[[Path], Iterator[Document]]
_MAX_FOLDS = 20


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
        check_output(Path(output) / f"{name}.jsonl", path)
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
        by: `cluster` stratifies by source and label (scikit-learn's StratifiedGroupKFold); `time`
            assigns the oldest documents to train and the newest to test; `given` takes
            `meta.split`.
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
        raise InputError(f"{path}: only {len(groups)} clusters of articles; add other articles")
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
    # No split of a small corpus may be empty.
    for split, index in zip(SPLIT_NAMES[1:], order[-2:], strict=True):
        if split not in splits:
            splits[index] = split
    return splits


def _stratified_splits(groups: _Groups, dev: float, test: float, seed: int) -> list[str]:
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    folds = min(_choose_folds(dev, test), len(groups))
    owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    strata = _merge_rare_strata([keys.stratum for group in groups for keys in group], folds)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    test_folds = max(1, round(test * folds))
    dev_folds = min(max(1, round(dev * folds)), folds - test_folds - 1)
    splits = ["train"] * len(groups)
    with warnings.catch_warnings():
        # scikit-learn warns of each stratum that clusters prevent from being spread evenly.
        warnings.simplefilter("ignore", UserWarning)
        held_out = splitter.split(np.zeros(len(strata)), strata, owners)
        for fold, (_, documents) in enumerate(held_out):
            split = (
                "test" if fold < test_folds else "dev" if fold < test_folds + dev_folds else "train"
            )
            for group in np.unique(owners[documents]).tolist():
                splits[group] = split
    return splits


def _choose_folds(dev: float, test: float) -> int:
    """Return the number of folds of which whole numbers come closest to both shares."""

    def error(folds: int) -> float:
        rounding = abs(dev * folds - round(dev * folds)) + abs(test * folds - round(test * folds))
        return round(rounding, 6) + (round(dev * folds) < 1) + (round(test * folds) < 1)

    return min(range(3, _MAX_FOLDS + 1), key=lambda folds: (error(folds), folds))


def _merge_rare_strata(strata: list[str], folds: int) -> list[str]:
    """Merge the strata that have fewer documents than there are folds."""
    sizes = Counter(strata)
    strata = [name if sizes[name] >= folds else "rest" for name in strata]
    if Counter(strata).most_common(1)[0][1] < folds:
        return ["rest"] * len(strata)
    return strata


def _write_splits(
    path: Path,
    read: ReadDocuments,
    split: CorpusSplit,
    output: Path,
    settings: Mapping[str, Any],
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
