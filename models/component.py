"""The spaCy component of a model wheel: `orbat_ner` sets `doc.ents`.

A model wheel carries a copy of this file; it needs spaCy beside what the runtime needs.
"""

from __future__ import annotations

import itertools
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from models.runtime import FILES, load_packaged
from training.tagging import Mention, Tagger

FACTORY = "orbat_ner"

if not Span.has_extension("confidence"):
    Span.set_extension("confidence", default=None)


class EntityTagger:
    """Finds entities with a packaged orbat model.

    Entities set by earlier components stay; found ones that overlap them are left out. Where an
    entity begins or ends inside a spaCy token, the token is split there, so that `doc.ents` has
    exactly what the model found. `span._.confidence` is the model's probability from 0 to 1.

    Args:
        nlp: the pipeline.
        name: the component's name in it.
        batch_size: windows run at once.
    """

    def __init__(self, nlp: Language, name: str, batch_size: int) -> None:
        self.name = name
        self.batch_size = batch_size
        self._files: dict[str, bytes] = {}
        # By process: onnxruntime's threads do not survive a fork, and a child that destroyed its
        # parent's session would wait for them for ever.
        self._taggers: dict[int, Tagger] = {}

    @property
    def tagger(self) -> Tagger:
        """The tagger of this process.

        Raises:
            ValueError: if the component was made without a model.
        """
        process = os.getpid()
        if process not in self._taggers:
            if not self._files:
                raise ValueError(f"component '{self.name}' has no model; load it with spacy.load")
            self._taggers[process] = load_packaged(self._files, batch_size=self.batch_size)
        return self._taggers[process]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model knows."""
        return self.tagger.config.labels if self._files else ()

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Set the entities of a stream of documents, `batch_size` of them at a time."""
        for docs in minibatch(stream, size=batch_size):
            found = self.tagger.tag([doc.text for doc in docs])
            for doc, mentions in zip(docs, found, strict=True):
                set_entities(doc, mentions)
                yield doc

    def set_files(self, files: dict[str, bytes]) -> None:
        """Take the contents of a packaged model."""
        self._files = dict(files)
        self._taggers.pop(os.getpid(), None)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model's files into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self._files.items():
            (folder / name).write_bytes(content)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> EntityTagger:
        """Read the model's files from a folder."""
        self.set_files({name: (Path(path) / name).read_bytes() for name in FILES})
        # Load now, so that a damaged model is found at spacy.load and the first text is not slow.
        _ = self.tagger
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the model's files as MessagePack."""
        packed: bytes = srsly.msgpack_dumps(self._files)
        return packed

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> EntityTagger:
        """Take the model's files from MessagePack."""
        self.set_files(srsly.msgpack_loads(data))
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_taggers": {}}


def set_entities(doc: Doc, mentions: Iterable[Mention]) -> None:
    """Add mentions to `doc.ents` where they overlap no entity that is there."""
    present = [(ent.start_char, ent.end_char) for ent in doc.ents]
    new = [m for m in mentions if all(m.end <= s or e <= m.start for s, e in present)]
    if not new:
        return
    _split_tokens(doc, {offset for m in new for offset in (m.start, m.end)})
    ents = list(doc.ents)
    for mention in new:
        span = doc.char_span(mention.start, mention.end, label=mention.label)
        span._.confidence = mention.score
        ents.append(span)
    doc.set_ents(sorted(ents, key=lambda ent: ent.start))


def _split_tokens(doc: Doc, offsets: set[int]) -> None:
    """Split every token that has one of the character offsets inside it."""
    cuts: dict[int, list[int]] = {}
    starts = [token.idx for token in doc]
    for offset in sorted(offsets):
        index = bisect_right(starts, offset) - 1
        if index >= 0 and starts[index] < offset < starts[index] + len(doc[index]):
            cuts.setdefault(index, []).append(offset - starts[index])
    if not cuts:
        return
    with doc.retokenize() as retokenizer:
        for index, inner in cuts.items():
            token = doc[index]
            bounds = [0, *inner, len(token)]
            parts = [token.text[a:b] for a, b in itertools.pairwise(bounds)]
            retokenizer.split(token, parts, heads=[(token, 0)] * len(parts))


@Language.factory(FACTORY, assigns=["doc.ents"], default_config={"batch_size": 8})
def make_entity_tagger(nlp: Language, name: str, batch_size: int) -> EntityTagger:
    """Make the component."""
    return EntityTagger(nlp, name, batch_size)
