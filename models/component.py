"""The spaCy component of a model wheel: `orbat_ner` sets `doc.ents`.

A model wheel contains a copy of this file. It needs spaCy and what the runtime needs.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints

import spacy
import srsly
from spacy.language import Language
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import dict_to_dot, load_model_from_init_py

from ..training.tagger.mentions import Mention
from ..training.tagger.tagger import NeuralTagger
from ..training.tagger.thresholds import check_thresholds, drop_below, find_thresholds
from ..training.values.normalizer import ValueNormalizer
from .entities import Norms, make_spans, set_entities
from .runtime import (
    OPERATING_POINTS_FILE,
    check_names,
    load_normalizer,
    load_packaged,
    read_files,
)

COMPONENT = "orbat_ner"
"""Name of the component in a pipeline."""
FACTORY = f"{__name__.partition('.')[0]}_ner"
"""Name of the factory. spaCy has one registry for all installed packages, so each has its own."""

ANY_LENGTH = f"{__name__.partition('.')[0]}_any_length"
"""Name of the callback :func:`allow_any_length`, for the same reason."""
CHUNK_SIZE = 64
"""Documents encoded together: enough to fill batches with windows of similar length."""

_load_lock = threading.Lock()
"""Held while a model is loaded, so that threads do not load it once each."""


def _renew_lock() -> None:
    """Replace the lock in a forked process, which has no thread that could release it."""
    global _load_lock
    _load_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class EntityTagger:
    """Finds entities with a packaged orbat model.

    Entities set by earlier components are kept; new ones that overlap them are dropped. With
    `spans_key`, all entities go to `doc.spans[spans_key]` and `doc.ents` is not changed. A spaCy
    token inside which an entity begins or ends is split there, so that entities keep the model's
    character offsets. `span._.confidence` is the estimated probability that an entity is correct.
    `span._.norm` has the values of the mention ("Lt. Gen.": NATO code OF-8), and `span.kb_id_` the
    id of the entity; see :meth:`orbat.training.values.norm.Norm.to_json`.

    Args:
        name: the component's name in its pipeline.
        batch_size: number of full windows in a batch.
        workers: batches scored in parallel; 0 for one per processor.
        spans_key: key of `doc.spans` for the entities; None for `doc.ents`.
        threshold: the lowest confidence of an entity, for all labels or by label; None for all
            entities. The model itself predicts none below the threshold of its recipe.
        target_precision: instead of a threshold: a precision on the dev documents, for all labels
            together or by label. The lowest threshold that reaches it is used.

    Raises:
        ValueError: if `batch_size` or `workers` is too small or no whole number, `spans_key` is
            empty, both a threshold and a target precision are given, or one of them is not from
            0 to 1.
    """

    def __init__(
        self,
        name: str,
        batch_size: int = 8,
        workers: int = 0,
        spans_key: str | None = None,
        threshold: float | dict[str, float] | None = None,
        target_precision: float | dict[str, float] | None = None,
    ) -> None:
        # spaCy lets texts such as "8" pass as numbers.
        for option, number in (("batch_size", batch_size), ("workers", workers)):
            if not isinstance(number, int):
                raise ValueError(f"{name}: {option} is {number!r}; give a whole number")
        if batch_size < 1:
            raise ValueError(f"{name}: batch_size is {batch_size}; give at least 1")
        if spans_key == "":
            raise ValueError(f"{name}: spans_key is empty; give a name, or null for doc.ents")
        if workers < 0:
            raise ValueError(f"{name}: workers is {workers}; give 0 for one per processor, or more")
        check_thresholds(threshold, target_precision)
        self.name = name
        self.batch_size = batch_size
        self.workers = workers
        self.spans_key = spans_key
        self.threshold = threshold
        self.target_precision = target_precision
        self._files: dict[str, bytes] = {}
        # By process id: onnxruntime's threads do not exist after a fork, and a child process that
        # destroyed the session of its parent would wait for them forever.
        self._taggers: dict[int, NeuralTagger] = {}
        self._normalizer: ValueNormalizer | None = None

    @property
    def tagger(self) -> NeuralTagger:
        """The model in this process, loaded at first use.

        Raises:
            ValueError: if the component has no model, or a damaged one.
        """
        process = os.getpid()
        if process not in self._taggers:
            with _load_lock:
                if process not in self._taggers:
                    self._taggers[process] = self._load()
        return self._taggers[process]

    def _load(self) -> NeuralTagger:
        if not self._files:
            raise ValueError(f"component '{self.name}' has no model; load it with spacy.load")
        return load_packaged(self._files, batch_size=self.batch_size, workers=self.workers)

    @property
    def normalizer(self) -> ValueNormalizer:
        """What gives mentions their values, loaded at first use.

        Raises:
            ValueError: if the model's value tables are damaged.
        """
        normalizer = self._normalizer
        if normalizer is None:
            with _load_lock:
                normalizer = self._normalizer or load_normalizer(self._files)
                self._normalizer = normalizer
        return normalizer

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model can predict."""
        return self.tagger.config.labels if self._files else ()

    @property
    def thresholds(self) -> dict[str, float]:
        """The lowest confidence of an entity by label; empty if all entities are kept.

        Raises:
            ValueError: if a label is unknown, or the target precision was not reached on the dev
                documents.
        """
        points = None
        if self.target_precision is not None:
            points = json.loads(self._files.get(OPERATING_POINTS_FILE, b"null"))
        return find_thresholds(self.labels, self.threshold, self.target_precision, points)

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Set the entities of a stream of documents.

        Args:
            stream: the documents.
            batch_size: documents that are encoded together, at most. Two batches are read ahead;
                with 1, each document is returned before the next is read.
        """
        docs, again = itertools.tee(stream)
        # nlp.pipe passes 1,000. In smaller chunks, encoding overlaps with the network.
        size = min(batch_size, CHUNK_SIZE)
        mentions_per_doc = self.tagger.pipe((doc.text for doc in again), chunk_size=size)
        thresholds = self.thresholds
        for doc, mentions in zip(docs, mentions_per_doc, strict=True):
            self.set_mentions(doc, drop_below(mentions, thresholds))
            yield doc

    def set_mentions(self, doc: Doc, mentions: Iterable[Mention]) -> None:
        """Set mentions as entities of a document, or in its span group, with their values."""
        mentions = list(mentions)
        norms = self._norms(doc.text, mentions)
        if self.spans_key is None:
            set_entities(doc, mentions, norms)
        else:
            doc.spans[self.spans_key] = make_spans(doc, mentions, norms)

    def _norms(self, text: str, mentions: Sequence[Mention]) -> Norms:
        """Return the values of the mentions that have any."""
        found = zip(mentions, self.normalizer(text, mentions), strict=True)
        return {mention: norm.to_json() for mention, norm in found if norm is not None}

    def score(self, examples: Iterable[Example], **options: Any) -> dict[str, Any]:
        """Return precision, recall and F1 as spaCy's components do, for `spacy evaluate`.

        Returns:
            `ents_p`, `ents_r`, `ents_f` and `ents_per_type`; with a `spans_key`, the same names
            with `spans_KEY` in place of `ents`.
        """
        scores: dict[str, Any]
        if self.spans_key is None:
            scores = get_ner_prf(examples, **options)
        else:
            scores = Scorer.score_spans(
                examples,
                f"spans_{self.spans_key}",
                getter=lambda doc, name: doc.spans.get(name.removeprefix("spans_"), []),
                has_annotation=lambda doc: self.spans_key in doc.spans,
                allow_overlap=True,
            )
        return scores

    def update(self, examples: Iterable[Example], **options: Any) -> None:
        """Warn that spaCy cannot train the model, and do nothing."""
        warnings.warn(
            f"'{self.name}' cannot be trained by spaCy and stays as it is; use orbat train",
            stacklevel=2,
        )

    def load_files(self, files: Mapping[str, bytes]) -> None:
        """Set the contents of a packaged model's files, by name.

        Raises:
            ValueError: if a name is not that of a file in the model's own folder.
        """
        check_names(files)
        self._files = dict(files)
        self._taggers.pop(os.getpid(), None)
        self._normalizer = None

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model's files into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self._files.items():
            (folder / name).write_bytes(content)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> EntityTagger:
        """Read the model's files from a folder.

        Raises:
            ValueError: if a file is missing or damaged, or has no threshold of that precision.
        """
        self.load_files(read_files(Path(path)))
        # Load the model now, so that spacy.load refuses a damaged one and the first text is fast.
        # It also refuses thresholds that the model does not have.
        _ = self.tagger, self.thresholds, self.normalizer
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the model's files as MessagePack."""
        packed: bytes = srsly.msgpack_dumps(self._files)
        return packed

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> EntityTagger:
        """Read the model's files from MessagePack.

        Raises:
            ValueError: if they are not files, or a name leads out of the model's folder.
        """
        files = srsly.msgpack_loads(data)
        is_model = isinstance(files, dict) and all(isinstance(f, bytes) for f in files.values())
        if not is_model:
            raise ValueError(f"component '{self.name}': the bytes hold no model; write them again")
        self.load_files(files)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_taggers": {}, "_normalizer": None}


@spacy.registry.callbacks(ANY_LENGTH)
def make_any_length() -> Callable[[Language], Language]:
    """Create the callback that a packaged pipeline is created with."""
    return allow_any_length


def allow_any_length(nlp: Language) -> Language:
    """Let a pipeline take texts of more than a million characters.

    spaCy's limit is for components whose memory grows with the length of a text.
    """
    nlp.max_length = sys.maxsize
    return nlp


@Language.factory(
    FACTORY,
    assigns=["doc.ents", "doc.spans"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
    default_config={
        "batch_size": 8,
        "workers": 0,
        "spans_key": None,
        "threshold": None,
        "target_precision": None,
    },
)
def make_entity_tagger(
    nlp: Language,
    name: str,
    batch_size: int,
    workers: int,
    spans_key: str | None,
    threshold: Any,
    target_precision: Any,
) -> EntityTagger:
    """Create the component for a pipeline."""
    return EntityTagger(name, batch_size, workers, spans_key, threshold, target_precision)


# The confection of spaCy 3.8.2 cannot read annotations that are strings.
make_entity_tagger.__annotations__ = get_type_hints(make_entity_tagger)


def load_pipeline(
    init_file: str, *, config: Mapping[str, Any] = MappingProxyType({}), **options: Any
) -> Language:
    """Load an installed pipeline.

    spaCy refuses overrides that put a table in the place of a number, so thresholds by label are
    set after loading.

    Args:
        init_file: the `__init__.py` of the package.
        config: overrides of the pipeline's configuration, as `spacy.load` takes them.
        options: the other arguments of `spacy.load`.

    Raises:
        ValueError: if the model is damaged, or does not have the thresholds.
    """
    overrides = dict_to_dot(dict(config), for_overrides=True)
    by_label: dict[str, dict[str, float]] = {}
    for option in ("threshold", "target_precision"):
        prefix = f"components.{COMPONENT}.{option}."
        for key in [key for key in overrides if key.startswith(prefix)]:
            by_label.setdefault(option, {})[key.removeprefix(prefix)] = overrides.pop(key)
    nlp = load_model_from_init_py(init_file, config=overrides, **options)
    if by_label and COMPONENT in nlp.component_names:
        tagger: EntityTagger = nlp.get_pipe(COMPONENT)
        tagger.threshold = by_label.get("threshold", tagger.threshold)
        tagger.target_precision = by_label.get("target_precision", tagger.target_precision)
        _ = tagger.thresholds  # refuses thresholds that the model does not have
        nlp.get_pipe_config(COMPONENT).update(by_label)
    return nlp
