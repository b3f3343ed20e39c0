"""The configuration of a tagger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .mentions import tag_names


@dataclass(frozen=True)
class TaggerConfig:
    """What a trained tagger must know beside its weights.

    Attributes:
        labels: the label names.
        window: pieces in a window, special tokens included.
        overlap: pieces that neighbouring windows share.
        prefix: ids of the special tokens before the pieces of a window.
        suffix: ids of the special tokens behind them.
        pad: id that fills up a batch.
        features: whether the network takes word features.
        gazetteer: whether it is told of known phrases.
        by_line: whether no span goes over a line break: each line is decoded by itself.
        greedy: whether texts are read as transformers' pipeline does: windows begin at any piece,
            each word has its own best tag instead of its tag in the best sequence, and of spans
            that overlap in two windows the longer is kept.
        transitions: score of each tag (column) behind each tag (row), *Shape:* (tags, tags);
            empty for none but those that BIO tags allow.
        starts: score of each tag at the beginning, *Shape:* (tags,); empty for none.
        calibration: confidences that the model gives and the share of mentions that are right at
            each, in rising order, *Shape:* (points, 2); empty for none.
    """

    labels: tuple[str, ...]
    window: int
    overlap: int
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    features: bool
    gazetteer: bool = False
    by_line: bool = False
    greedy: bool = False
    transitions: tuple[tuple[float, ...], ...] = ()
    starts: tuple[float, ...] = ()
    calibration: tuple[tuple[float, float], ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The classes of the classifier."""
        return tag_names(self.labels)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TaggerConfig:
        """Build from the object that `dataclasses.asdict` gave, lists for tuples."""
        return cls(**{name: _to_tuples(each) for name, each in value.items()})


def _to_tuples(value: Any) -> Any:
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
