"""The recorded annotation pass of the replay, and what an annotator must change in an article."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...annotation.adjudication.annotation_sets import read_annotation_set
from ...corpus.document import Document, Span
from ...corpus.files import read_documents
from ...corpus.labels import LabelSet
from ...training.baselines.rules import RuleTagger
from .common import ARTICLES

Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Task:
    """An article to annotate.

    Attributes:
        suggested: the article with the suggestions of the rules.
        gold: the article with the spans of the recorded pass.
    """

    suggested: Document
    gold: Document


@dataclass(frozen=True)
class Edit:
    """A difference between the spans of an article and those of the recorded pass.

    Attributes:
        old: a span that is there and should not be, or None.
        new: the span that should be there instead, or None.
    """

    old: Span | None
    new: Span | None

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return min(span.start for span in (self.old, self.new) if span)


def read_tasks(labels: LabelSet, count: int = 10) -> list[Task]:
    """Read articles of the second recorded pass, evenly distributed over its file.

    Articles with characters outside the Basic Multilingual Plane are left out, so that an offset in
    Python is one in the browser.
    """
    texts = {document.id: document for document in read_documents(ARTICLES / "train.jsonl")}
    passed = read_annotation_set(ARTICLES / "second-pass.jsonl", labels.names, texts).documents
    simple = [document for document in passed if max(map(ord, document.text)) < 0x10000]
    chosen = simple[:: len(simple) // count][:count]
    tagger = RuleTagger.from_file(None, labels.names)
    suggested = tagger.tag([document.with_spans(()) for document in chosen])
    return [Task(*pair) for pair in zip(suggested, chosen, strict=True)]


def bare(spans: Iterable[Span]) -> Spans:
    """Return spans in order without notes and scores, so that they can be compared."""
    return tuple(sorted(Span(span.start, span.end, span.label) for span in spans))


def overlapping(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """Return the spans that have a character in common with a range."""
    return [span for span in spans if span.start < end and start < span.end]


def list_edits(present: Sequence[Span], gold: Sequence[Span]) -> list[Edit]:
    """Return what must be changed, in the order of the text.

    A wrong span is corrected into the missing one that it shares most characters with.
    """
    wrong = [span for span in bare(present) if span not in bare(gold)]
    edits = []
    for new in bare(gold):
        if new in bare(present):
            continue
        near = overlapping(wrong, new.start, new.end)
        old = max(near, key=lambda span: _shared(span, new), default=None)
        if old:
            wrong.remove(old)
        edits.append(Edit(old, new))
    edits += [Edit(span, None) for span in wrong]
    return sorted(edits, key=lambda edit: edit.start)


def _shared(one: Span, other: Span) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def gain_of_marking_all(
    places: Iterable[tuple[int, int]], label: str, present: Sequence[Span], gold: Sequence[Span]
) -> int:
    """Return how many right spans a command for all other occurrences adds, less the wrong ones.

    Args:
        places: start and end of each occurrence of the words.
        label: the label that they would get.
        present: the spans of the article; occurrences that they overlap are left alone.
        gold: the spans of the recorded pass.
    """
    free = [place for place in places if not overlapping(present, *place)]
    right = sum(Span(*place, label) in bare(gold) for place in free)
    return right - (len(free) - right)


def same_words(text: str, spans: Iterable[Span], span: Span) -> list[Span]:
    """Return the spans that have the words and the label of one of them."""
    words = text[span.start : span.end]
    return [s for s in spans if s.label == span.label and text[s.start : s.end] == words]
