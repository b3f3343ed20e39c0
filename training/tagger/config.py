"""The configuration of a tagger: everything but weights, tokenizer and gazetteer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .mentions import tag_names
from .span_constraints import SpanConstraints


@dataclass(frozen=True)
class TaggerConfig:
    """Labels, windows, special tokens and decoding of a tagger; saved as `tagger.json`.

    Attributes:
        labels: the label names.
        window: pieces in a window, special tokens included.
        stride: pieces that neighboring windows share.
        prefix_ids: ids of the special tokens before the pieces of a window.
        suffix_ids: ids of the special tokens after them.
        pad_id: id of the padding token.
        word_features: whether the network takes word features.
        gazetteer: whether the network takes the tags of gazetteer matches.
        by_line: whether each line is decoded as its own sequence, so that no mention crosses a
            line break.
        unwrap_lines: whether hard-wrapped paragraphs are read across their line breaks; see
            :func:`orbat.training.tagger.line_wraps.unwrap_lines`.
        transformers_compatible: whether texts are tagged as the token-classification pipeline of
            transformers does: windows may begin inside a word, each word takes its best tag
            instead of its tag in the best sequence, and of mentions that overlap in two windows
            the longest is kept.
        words_from_pieces: whether words are the groups of pieces that the pipeline of transformers
            takes for words; see :func:`~.words.find_piece_words`.
        unk_id: id of the piece for unknown characters; needed with `words_from_pieces` only.
        transitions: score of each tag (column) after each tag (row), *Shape:* (tags, tags).
            Empty if the network has no CRF.
        start_transitions: score of each tag at the start of a sequence, *Shape:* (tags,). Empty
            if the network has no CRF.
        span_constraints: where mentions may begin and end; None to keep what the network predicts.
        threshold: lowest confidence of a mention, before calibration.
        calibration: raw confidences and the share of correct mentions at each, in rising order,
            *Shape:* (points, 2). Empty if confidences are not calibrated.
    """

    labels: tuple[str, ...]
    window: int
    stride: int
    prefix_ids: tuple[int, ...]
    suffix_ids: tuple[int, ...]
    pad_id: int
    word_features: bool
    gazetteer: bool = False
    by_line: bool = False
    unwrap_lines: bool = False
    transformers_compatible: bool = False
    words_from_pieces: bool = False
    unk_id: int | None = None
    transitions: tuple[tuple[float, ...], ...] = ()
    start_transitions: tuple[float, ...] = ()
    span_constraints: SpanConstraints | None = None
    threshold: float = 0.0
    calibration: tuple[tuple[float, float], ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The classes of the classifier; see :func:`tag_names`."""
        return tag_names(self.labels)

    @property
    def capacity(self) -> int:
        """Pieces of text in a window, special tokens not counted."""
        return self.window - len(self.prefix_ids) - len(self.suffix_ids)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TaggerConfig:
        """Build a configuration from the JSON form of `dataclasses.asdict`.

        Raises:
            TypeError: if a field is missing or unknown.
        """
        fields = {name: _to_tuples(item) for name, item in value.items()}
        if fields.get("span_constraints") is not None:
            fields["span_constraints"] = SpanConstraints(**fields["span_constraints"])
        return cls(**fields)


def _to_tuples(value: Any) -> Any:
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
