"""Train, dev and test parts that share nothing."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from .analysis.statistics import DATES, date_of, source_of
from .document import Document, document_to_json
from .duplicates import DuplicateFinder, sketch, words_of
from .files import open_atomic, read_documents, sha256_file, write_json
from .ngrams import PASSAGE_WORDS, shared_passages

PARTS = ("train", "dev", "test")
By = Literal["cluster", "time", "given"]
_MOST_FOLDS = 20


@dataclass(frozen=True)
class Split:
    """Which part each document of a corpus is in.

    Attributes:
        parts: part by document id.
        clusters: clusters of more than one document, each in one part; the largest first.
    """

    parts: Mapping[str, str]
    clusters: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Facts:
    """What splitting must know of a document."""

    id: str
    date: str
    given: str
    stratum: str
    words: int


class _Texts:
    """The documents of a file, read anew at each iteration."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Document]:
        return read_documents(self.path)


def find_clusters(
    documents: Iterable[Document], count: int, *, passage: int = PASSAGE_WORDS
) -> list[int]:
    """Return for each document the place of the first one of its cluster.

    Documents are in one cluster when they are near duplicates or share a passage, directly or
    through others.

    Args:
        documents: read several times.
        count: their words, all together.
        passage: words in a row that make two documents one cluster.
    """
    finder = DuplicateFinder()
    places: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    for place, document in enumerate(documents):
        sketched = sketch(document.text)
        links += [(place, places[near.of]) for near in finder.find(document, sketched)]
        places[document.id] = place
        finder.remember(document, sketched)
    roots = list(range(len(places)))

    def root(place: int) -> int:
        while roots[place] != place:
            roots[place] = roots[roots[place]]
            place = roots[place]
        return place

    for a, b in itertools.chain(links, shared_passages(documents, count, passage)):
        first, second = sorted((root(a), root(b)))
        roots[second] = first
    return [root(place) for place in range(len(roots))]


def split_corpus(
    path: Path,
    *,
    dev: float = 0.1,
    test: float = 0.1,
    by: By = "cluster",
    seed: int = 0,
    passage: int = PASSAGE_WORDS,
) -> Split:
    """Share a corpus out so that no cluster stands in two parts.

    The same documents in any order give the same parts.

    Args:
        path: the corpus, JSON Lines; it streams through.
        dev: share of the documents for dev.
        test: share for test.
        by: `cluster` stratifies over sources and labels (scikit-learn's StratifiedGroupKFold);
            `time` puts the oldest into train and the newest into test; `given` takes `meta.split`.
        seed: of the shuffling.
        passage: words in a row that make two documents one cluster.

    Raises:
        InputError: if there is too little to share out, a date or a given part is missing, or
            given parts leak.
    """
    if not (0 < dev < 1 and 0 < test < 1 and dev + test < 1):
        raise InputError("--dev and --test must be above 0 and together below 1")
    path = Path(path)
    texts = _Texts(path)
    facts = [_facts(document) for document in texts]
    roots = find_clusters(texts, sum(fact.words for fact in facts), passage=passage)
    clusters: dict[int, list[_Facts]] = defaultdict(list)
    for fact, place in zip(facts, roots, strict=True):
        clusters[place].append(fact)
    groups = sorted(
        (sorted(group, key=lambda fact: fact.id) for group in clusters.values()),
        key=lambda group: group[0].id,
    )
    if by == "given":
        chosen = _given(groups, path)
    elif len(groups) < len(PARTS):
        raise InputError(f"{path}: {len(groups)} clusters of articles only; add other articles")
    elif by == "time":
        chosen = _by_time(groups, dev, test, path)
    else:
        chosen = _stratified(groups, dev, test, seed)
    parts = {fact.id: part for group, part in zip(groups, chosen, strict=True) for fact in group}
    many = sorted(
        (tuple(f.id for f in g) for g in groups if len(g) > 1), key=lambda g: (-len(g), g)
    )
    return Split(parts, tuple(many))


def _facts(document: Document) -> _Facts:
    labels = Counter(span.label for span in document.spans)
    main = min(labels, key=lambda label: (-labels[label], label), default="none")
    return _Facts(
        document.id,
        date_of(document),
        str(document.meta.get("split", "")),
        f"{source_of(document)}|{main}",
        len(words_of(document.text)),
    )


def _given(groups: Sequence[Sequence[_Facts]], path: Path) -> list[str]:
    for fact in itertools.chain.from_iterable(groups):
        if fact.given not in PARTS:
            raise InputError(
                f"{path}: meta.split of '{fact.id}' is '{fact.given}'; write one of "
                f"{', '.join(PARTS)}"
            )
    for group in groups:
        other = next((fact for fact in group if fact.given != group[0].given), None)
        if other is not None:
            raise InputError(
                f"{path}: '{group[0].id}' is given to {group[0].given} and '{other.id}', of the "
                f"same cluster, to {other.given}; put them into one part"
            )
    return [group[0].given for group in groups]


def _by_time(groups: Sequence[Sequence[_Facts]], dev: float, test: float, path: Path) -> list[str]:
    undated = next((f for f in itertools.chain.from_iterable(groups) if not f.date), None)
    if undated is not None:
        raise InputError(
            f"{path}: '{undated.id}' has no meta.{DATES[0]}; date it, or split by cluster"
        )
    dates = [min(fact.date for fact in group) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: (dates[place], place))
    total = sum(map(len, groups))
    chosen, taken = [""] * len(groups), 0
    for place in order:
        taken += len(groups[place])
        share = (taken - len(groups[place]) / 2) / total
        chosen[place] = "train" if share < 1 - dev - test else "dev" if share < 1 - test else "test"
    # However few there are, no part stays empty.
    for part, place in zip(PARTS[1:], order[-2:], strict=True):
        if part not in chosen:
            chosen[place] = part
    return chosen


def _stratified(
    groups: Sequence[Sequence[_Facts]], dev: float, test: float, seed: int
) -> list[str]:
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    folds = min(
        range(3, _MOST_FOLDS + 1),
        key=lambda n: (
            round(abs(dev * n - round(dev * n)) + abs(test * n - round(test * n)), 6)
            + (round(dev * n) < 1)
            + (round(test * n) < 1),
            n,
        ),
    )
    folds = min(folds, len(groups))
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    strata = [fact.stratum for group in groups for fact in group]
    sizes = Counter(strata)
    strata = [name if sizes[name] >= folds else "rest" for name in strata]
    if Counter(strata).most_common(1)[0][1] < folds:
        strata = ["rest"] * len(strata)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    of_test = max(1, round(test * folds))
    of_dev = min(max(1, round(dev * folds)), folds - of_test - 1)
    chosen = ["train"] * len(groups)
    with warnings.catch_warnings():
        # Strata that clusters hold together cannot be spread; scikit-learn warns of each.
        warnings.simplefilter("ignore", UserWarning)
        held = splitter.split(np.zeros(len(strata)), strata, owner)
        for fold, (_, places) in enumerate(held):
            part = "test" if fold < of_test else "dev" if fold < of_test + of_dev else "train"
            for group in np.unique(owner[places]).tolist():
                chosen[group] = part
    return chosen


def write_split(
    path: Path, split: Split, output: Path, settings: Mapping[str, Any]
) -> dict[str, int]:
    """Write ``train.jsonl``, ``dev.jsonl``, ``test.jsonl`` and their manifest, ``splits.json``.

    Each document's part stands in its `meta.split`.

    Args:
        path: the corpus that was split.
        split: the parts.
        output: folder.
        settings: how it was split, for the manifest.

    Returns:
        The number of documents in each part.
    """
    import json

    output = Path(output)
    counts = dict.fromkeys(PARTS, 0)
    with ExitStack() as stack:
        files = {part: stack.enter_context(open_atomic(output / f"{part}.jsonl")) for part in PARTS}
        for document in read_documents(path):
            part = split.parts[document.id]
            counts[part] += 1
            marked = replace(document, meta={**document.meta, "split": part})
            line = json.dumps(document_to_json(marked), ensure_ascii=False)
            files[part].write(line.encode() + b"\n")
    write_json(
        output / "splits.json",
        {
            "corpus": {"file": Path(path).name, "sha256": sha256_file(path)},
            "settings": dict(settings),
            "documents": counts,
            "clusters": [list(cluster) for cluster in split.clusters],
            "sha256": {part: sha256_file(output / f"{part}.jsonl") for part in PARTS},
        },
    )
    return counts
