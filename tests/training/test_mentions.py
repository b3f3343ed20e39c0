"""Overlapping mentions, resolved as transformers does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orbat.training.tagger.mentions import Mention, keep_longest_mentions

spans_in_windows = st.lists(
    st.builds(
        lambda start, length, score: Mention(start, start + length, "UNIT", score),
        *(st.integers(0, 30), st.integers(1, 8), st.sampled_from([0.25, 0.5, 0.75])),
    ),
    max_size=12,
)


@given(spans_in_windows)
def test_overlapping_mentions_are_resolved_as_in_transformers(mentions: list[Mention]) -> None:
    from transformers import TokenClassificationPipeline

    aggregate: Any = TokenClassificationPipeline.aggregate_overlapping_entities
    entities = [{"start": m.start, "end": m.end, "score": m.score} for m in mentions]
    assert [(m.start, m.end, m.score) for m in keep_longest_mentions(mentions)] == [
        (entity["start"], entity["end"], entity["score"]) for entity in aggregate(None, entities)
    ]
