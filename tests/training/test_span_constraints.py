"""Span constraints: predicted mentions end where gold spans end, and have balanced brackets."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.training.tagger.mentions import Mention
from orbat.training.tagger.span_constraints import SpanConstraints, learn_span_constraints

LEARNED = SpanConstraints(start="", end=").", balanced=True)


def apply(marked: str, constraints: SpanConstraints = LEARNED) -> list[str]:
    """Return the valid mentions of a text whose predicted mention is between | and |."""
    before, mention, after = marked.split("|")
    found = Mention(len(before), len(before) + len(mention), "UNIT", 0.9)
    text = before + mention + after
    valid = constraints.apply(text, [found])
    assert all((m.label, m.score) == ("UNIT", 0.9) for m in valid)
    return [text[m.start : m.end] for m in valid]


@pytest.mark.parametrize(
    ("marked", "valid"),
    [
        ("to (|CENTCOM)|.", "CENTCOM"),
        ("the (|GOC) 1 Division|,", "1 Division"),
        ("the |(GOC) 1 Division|,", "1 Division"),
        ("a |Joint Task Force (JTF|,", "Joint Task Force"),
        ("the |Fleet Support Group (West|) sailed", "Fleet Support Group (West)"),
        ("the |Fleet Support Group (West)| sailed", "Fleet Support Group (West)"),
        ("by |Gen.| Doe", "Gen."),
        ("the |1 Division,| which", "1 Division"),
        ("the |KFOR[3]| said", "KFOR"),
        ("the |KFOR*| said", "KFOR"),
        ("the |KFOR²| said", "KFOR"),
        ("the |-– KFOR —| said", "KFOR"),
        ("the “|KFOR”| said", "KFOR"),
        ("the |“KFOR”| said", "KFOR"),
        ("the |KFOR’| said", "KFOR"),
        ("the |Queen's Dragoon Guards| rode", "Queen's Dragoon Guards"),
        ("the |'One' Division| met", "'One' Division"),
        ('in |Operation "Lafiya Dole|" and', 'Operation "Lafiya Dole"'),
        ('in |Operation "Lafiya Dole"| and', 'Operation "Lafiya Dole"'),
        ("the |\u200bKFOR\xa0\ufeff| said", "KFOR"),
        ("the |\u202aKFOR\xad\u202c| said", "KFOR"),
        ("the |1re Armée\u0301| said", "1re Armée\u0301"),
    ],
)
def test_a_mention_keeps_its_longest_valid_part(marked: str, valid: str) -> None:
    assert apply(marked) == [valid]


@pytest.mark.parametrize("mention", ["", "-", "()", " \u200b", "“”", ")(", "²"])
def test_a_mention_without_letters_and_digits_is_dropped(mention: str) -> None:
    assert apply(f"a |{mention}| b") == []


def test_constraints_can_allow_more() -> None:
    assert apply("it cost |$5, | then", SpanConstraints("$", ",")) == ["$5,"]
    assert apply("the |GOC) 1 Division|", SpanConstraints(balanced=False)) == ["GOC) 1 Division"]


def test_a_closing_mark_is_not_taken_from_the_next_mention() -> None:
    text = "Group (West)x"
    mentions = [Mention(0, 11, "UNIT", None), Mention(11, 13, "UNIT", None)]
    assert [text[m.start : m.end] for m in LEARNED.apply(text, mentions)] == ["Group", "x"]


texts = st.text(
    st.sampled_from("aZ1 .,-–()[]{}\"“”«»'’‘*$²\u0301\u200b\xad\ufeff\xa0\n\u202e"), max_size=30
)
bounds = st.lists(st.integers(0, 30), max_size=8)


@given(texts, bounds, st.sampled_from([LEARNED, SpanConstraints(), SpanConstraints("$(", "]”,")]))
def test_mentions_become_valid_and_stay_in_the_text(
    text: str, offsets: list[int], constraints: SpanConstraints
) -> None:
    offsets = sorted({min(offset, len(text)) for offset in offsets})
    mentions = [Mention(a, b, "UNIT", 0.5) for a, b in itertools.pairwise(offsets)]
    valid = constraints.apply(text, mentions)
    assert constraints.apply(text, valid) == valid
    assert all(a.end <= b.start for a, b in itertools.pairwise(valid))
    for mention in valid:
        assert any(m.start <= mention.start and mention.end <= m.end + 1 for m in mentions)
        span = text[mention.start : mention.end]
        assert any(character.isalnum() for character in span)
        assert not {span[0], span[-1]} & set(" \u200b\xad\ufeff\xa0\n\u202e*–")
        assert span[-1] != "," or "," in constraints.end
        depth = {"(": 0, "[": 0, "{": 0}
        for character in span:
            for opener, closer in ("()", "[]", "{}"):
                depth[opener] += (character == opener) - (character == closer)
                assert depth[opener] >= 0
        assert not any(depth.values())


@given(st.lists(texts.map(str.strip).filter(bool), min_size=1, max_size=20))
def test_no_constraint_is_learned_against_common_gold(spans: list[str]) -> None:
    constraints = learn_span_constraints(spans)
    for span in spans:
        if any(c.isalpha() for c in span) and not set(span) & set("()[]{}\"“”«»'’‘"):
            assert constraints.narrow(span, 0, len(span), len(span)) == (0, len(span))


def test_gold_spans_of_the_shipped_articles_are_valid(
    train_articles: list[Document], dev_articles: list[Document]
) -> None:
    def gold(documents: list[Document]) -> list[tuple[str, int, int]]:
        return [(d.text, span.start, span.end) for d in documents for span in d.spans]

    train = gold(train_articles)
    constraints = learn_span_constraints(text[start:end] for text, start, end in train)
    assert constraints == LEARNED
    for text, start, end in [*train, *gold(dev_articles)]:
        assert constraints.narrow(text, start, end, len(text)) == (start, end), text[start:end]


def test_rare_characters_are_not_learned() -> None:
    assert learn_span_constraints(["KFOR"] * 5000 + ["KFOR,", "(KFOR"]) == SpanConstraints("", "")
    assert learn_span_constraints(["$5", ":-)", "Gen."]) == SpanConstraints("$:", ").", False)
    assert learn_span_constraints([]) == SpanConstraints()
