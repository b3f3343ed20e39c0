"""The spaCy component of a model wheel: `orbat_ner` sets `doc.ents`.

A model wheel contains a copy of this file. It needs spaCy and what the runtime needs.
"""

from __future__ import annotations

import itertools
import json
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import dict_to_dot, load_model_from_init_py

from ..training.tagger.mentions import Mention
from ..training.tagger.tagger import NeuralTagger
from ..training.tagger.thresholds import check_thresholds, drop_below, find_thresholds
from ..training.values.normalizer import ValueNormalizer
from .runtime import (
    HASHES_FILE,
    OPERATING_POINTS_FILE,
    file_names,
    load_normalizer,
    load_packaged,
)

COMPONENT = "orbat_ner"
"""Name of the component in a pipeline."""
FACTORY = f"{__name__.partition('.')[0]}_ner"
"""Name of the factory. spaCy has one registry for all installed packages, so each has its own."""

Norms = Mapping[Mention, dict[str, Any]]
"""The values of mentions, as JSON objects."""
CHUNK_SIZE = 64
"""Documents encoded together: enough to fill batches with windows of similar length."""

if not Span.has_extension("confidence"):
    Span.set_extension("confidence", default=None)
if not Span.has_extension("norm"):
    Span.set_extension("norm", default=None)


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
            entities.
        target_precision: instead of a threshold: a precision on the dev documents, for all labels
            together or by label. The lowest threshold that reaches it is used.

    Raises:
        ValueError: if both a threshold and a target precision are given, or one is not from 0 to 1.
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
            ValueError: if the component has no model.
        """
        process = os.getpid()
        if process not in self._taggers:
            if not self._files:
                raise ValueError(f"component '{self.name}' has no model; load it with spacy.load")
            self._taggers[process] = load_packaged(
                self._files, batch_size=self.batch_size, workers=self.workers
            )
        return self._taggers[process]

    @property
    def normalizer(self) -> ValueNormalizer:
        """What gives mentions their values, loaded at first use.

        Raises:
            ValueError: if the model's value tables are damaged.
        """
        if self._normalizer is None:
            self._normalizer = load_normalizer(self._files)
        return self._normalizer

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
        points = json.loads(self._files.get(OPERATING_POINTS_FILE, b"null"))
        return find_thresholds(self.labels, self.threshold, self.target_precision, points)

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Set the entities of a stream of documents, at most `batch_size` of them at a time."""
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

    def load_files(self, files: Mapping[str, bytes]) -> None:
        """Set the contents of a packaged model's files, by name."""
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
        """Read the model's files from a folder."""
        folder = Path(path)
        names = file_names((folder / HASHES_FILE).read_bytes())
        self.load_files({name: (folder / name).read_bytes() for name in names})
        # Load the model now, so that spacy.load refuses a damaged one and the first text is fast.
        # It also refuses thresholds that the model does not have.
        _ = self.tagger, self.thresholds, self.normalizer
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the model's files as MessagePack."""
        packed: bytes = srsly.msgpack_dumps(self._files)
        return packed

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> EntityTagger:
        """Read the model's files from MessagePack."""
        self.load_files(srsly.msgpack_loads(data))
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_taggers": {}, "_normalizer": None}


def set_entities(doc: Doc, mentions: Iterable[Mention], norms: Norms | None = None) -> None:
    """Add to `doc.ents` the mentions that overlap none of its entities.

    Args:
        doc: the document.
        mentions: without overlaps among themselves.
        norms: the values of those that have any.
    """
    present = [(ent.start_char, ent.end_char) for ent in doc.ents]
    new = [m for m in mentions if all(m.end <= s or e <= m.start for s, e in present)]
    if new:
        spans = make_spans(doc, new, norms)
        doc.set_ents(sorted([*doc.ents, *spans], key=lambda ent: ent.start))


def make_spans(doc: Doc, mentions: Sequence[Mention], norms: Norms | None = None) -> list[Span]:
    """Return mentions as spans of a document, with `_.confidence`, `_.norm` and `kb_id_`.

    Tokens are split where a mention begins or ends inside them.
    """
    _split_tokens(doc, {offset for m in mentions for offset in (m.start, m.end)})
    spans = []
    for mention in mentions:
        norm = (norms or {}).get(mention)
        kb_id = (norm or {}).get("id") or ""
        span = doc.char_span(mention.start, mention.end, label=mention.label, kb_id=kb_id)
        span._.confidence = mention.score
        if norm is not None:
            span._.norm = norm
        spans.append(span)
    return spans


def _split_tokens(doc: Doc, offsets: set[int]) -> None:
    """Split the tokens that contain one of the character offsets."""
    cuts: dict[int, list[int]] = {}
    starts = [token.idx for token in doc]
    for offset in sorted(offsets):
        index = bisect_right(starts, offset) - 1
        if index >= 0 and starts[index] < offset < starts[index] + len(doc[index]):
            cuts.setdefault(index, []).append(offset - starts[index])
    if not cuts:
        return
    # The retokenizer updates doc.ents, but not doc.spans.
    groups = {
        key: [(s.start_char, s.end_char, s.label_, s.kb_id_, s.id_) for s in group]
        for key, group in doc.spans.items()
    }
    with doc.retokenize() as retokenizer:
        for index, inner in cuts.items():
            token = doc[index]
            bounds = [0, *inner, len(token)]
            parts = [token.text[a:b] for a, b in itertools.pairwise(bounds)]
            retokenizer.split(token, parts, heads=[(token, 0)] * len(parts))
    for key, spans in groups.items():
        doc.spans[key] = [
            doc.char_span(start, end, label=label, kb_id=kb_id, span_id=span_id)
            for start, end, label, kb_id, span_id in spans
        ]


@Language.factory(
    FACTORY,
    assigns=["doc.ents", "doc.spans"],
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
