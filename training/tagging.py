"""Tagging documents with a text tagger: spans, word probabilities and dev scores."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..annotation.word_probabilities import WordProbabilities
from ..corpus.document import Document, Span
from ..errors import ModelError
from ..evaluation.calibration import Confidences
from ..evaluation.counts import counts_to_json, total_counts
from ..evaluation.operating_points import choose_threshold
from .base import ProbabilisticTextTagger, TextTagger
from .tagger.mentions import Mention
from .tagger.thresholds import DIGITS
from .values.normalizer import ValueNormalizer


def tag_documents(tagger: TextTagger, documents: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents in order, their spans replaced by the tagger's.

    Ids, texts and meta are not changed. The stream is read lazily.
    """
    stream, texts = itertools.tee(documents)
    tagged = tagger.pipe(document.text for document in texts)
    for document, mentions in zip(stream, tagged, strict=True):
        yield document.with_spans(mentions_to_spans(mentions))


def mentions_to_spans(mentions: Iterable[Mention]) -> list[Span]:
    """Convert mentions to spans. Scores are rounded to :data:`DIGITS` digits."""
    return [
        Span(m.start, m.end, m.label, score=None if m.score is None else round(m.score, DIGITS))
        for m in mentions
    ]


def with_norms(document: Document, normalizer: ValueNormalizer) -> Document:
    """Return the document with the values of its mentions in :attr:`Span.norm`."""
    norms = normalizer(document.text, document.spans)
    spans = (
        span if norm is None else replace(span, norm=norm.to_json())
        for span, norm in zip(document.spans, norms, strict=True)
    )
    return replace(document, spans=tuple(spans))


def predict_probabilities(
    tagger: TextTagger, texts: Iterable[str], name: str
) -> Iterator[WordProbabilities]:
    """Yield the predicted label probabilities of the words of each text, in order.

    Args:
        tagger: a :class:`~.base.ProbabilisticTextTagger`; other taggers are refused.
        texts: the texts.
        name: names the tagger in the error message.

    Raises:
        ModelError: if the tagger gives no probabilities.
    """
    if not isinstance(tagger, ProbabilisticTextTagger):
        raise ModelError(
            f"{name}: gives no probabilities of words; train a transformer or baseline-linear"
        )
    for words, values in tagger.probabilities(texts):
        yield WordProbabilities(words, tagger.labels, values)


def tune_threshold(gold: Iterable[Document], tagged: Iterable[Document]) -> float:
    """Return the confidence threshold that gold documents choose.

    See :func:`orbat.evaluation.operating_points.choose_threshold`.

    Args:
        gold: documents with gold spans.
        tagged: the same documents with predicted spans.
    """
    confidences = Confidences(zip(gold, tagged, strict=True))
    return choose_threshold(confidences.scores, confidences.correct, confidences.gold)


def score_dev(tagger: TextTagger, documents: Sequence[Document]) -> dict[str, Any]:
    """Return the strict scores of a tagger on gold documents, micro-averaged and by label."""
    return score_tagged(documents, tag_documents(tagger, documents))


def score_tagged(gold: Iterable[Document], tagged: Iterable[Document]) -> dict[str, Any]:
    """Return the strict scores of tagged documents, micro-averaged and by label."""
    micro, by_label = total_counts(zip(gold, tagged, strict=True))
    labels = {label: counts_to_json(counts) for label, counts in by_label.items()}
    return {**counts_to_json(micro), "labels": labels}
