"""Mentions as entities of a spaCy document.

A model wheel contains a copy of this file. It needs spaCy only.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spacy.tokens import Doc, Span

from ..training.tagger.mentions import Mention

Norms = Mapping[Mention, dict[str, Any]]
"""The values of mentions, as JSON objects."""

for _name in ("confidence", "norm"):
    # Several models, and orbat beside them, share the attributes.
    if not Span.has_extension(_name):
        Span.set_extension(_name, default=None)


def set_entities(doc: Doc, mentions: Iterable[Mention], norms: Norms | None = None) -> None:
    """Add to `doc.ents` the mentions that overlap none of its entities; mark other tokens as none.

    Args:
        doc: the document.
        mentions: without overlaps among themselves.
        norms: the values of those that have any.
    """
    starts = [ent.start_char for ent in doc.ents]
    ends = [ent.end_char for ent in doc.ents]

    def is_free(mention: Mention) -> bool:
        before = bisect_left(starts, mention.end)  # entities that start before the mention ends
        return before == 0 or ends[before - 1] <= mention.start

    spans = make_spans(doc, [mention for mention in mentions if is_free(mention)], norms)
    # Also without entities: spaCy distinguishes documents without any from those not searched.
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
    starts = doc.to_array("IDX").tolist()
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
