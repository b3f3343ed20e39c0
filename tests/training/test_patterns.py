"""Token patterns, compared with spaCy's Matcher."""

from __future__ import annotations

import threading

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.matcher import Matcher
from spacy.tokens import Doc

from orbat.corpus.document import Document
from orbat.corpus.gazetteer import iterate_patterns
from orbat.training.tagger.gazetteer import longest_spans
from orbat.training.tagger.patterns import PatternMatcher

TOKENS = ["1st", "2nd", "Mountain", "Brigade", "brigade", "of", "the", "-", "Army", "led"]
NLP = spacy.blank("en")


def make_spacy_matcher(patterns: list[dict]) -> Matcher:
    matcher = Matcher(NLP.vocab)
    for number, entry in enumerate(patterns):
        matcher.add(str(number), [entry["pattern"]])
    return matcher


def find_by_spacy(matcher: Matcher, patterns: list[dict], doc: Doc) -> set[tuple[int, int, str]]:
    spans = set()
    for key, start, end in matcher(doc):
        entry = patterns[int(NLP.vocab.strings[key])]
        start, end = start + entry.get("trim_start", 0), end - entry.get("trim_end", 0)
        if start < end:
            spans.add((doc[start].idx, doc[end - 1].idx + len(doc[end - 1]), entry["label"]))
    return spans


predicates = st.one_of(
    st.builds(lambda text: {"TEXT": text}, st.sampled_from(TOKENS)),
    st.builds(lambda text: {"LOWER": text.lower()}, st.sampled_from(TOKENS)),
    st.builds(lambda texts: {"TEXT": {"IN": texts}}, st.lists(st.sampled_from(TOKENS), min_size=1)),
    st.sampled_from([{"TEXT": {"REGEX": "^[A-Z]"}}, {"LOWER": {"REGEX": "^[0-9]+(st|nd)$"}}]),
)
steps = st.builds(
    lambda predicate, operator: {**predicate, **({"OP": operator} if operator else {})},
    predicates,
    st.sampled_from(["", "", "?", "+", "{1,2}"]),
)
patterns = st.builds(
    lambda first, rest, trim: {"label": "UNIT", "pattern": [first, *rest], "trim_end": trim},
    predicates,
    st.lists(steps, max_size=3),
    st.integers(0, 1),
)


@given(st.lists(patterns, min_size=1, max_size=3), st.lists(st.sampled_from(TOKENS), min_size=1))
def test_the_longest_match_from_each_token_is_spacys(
    entries: list[dict], tokens: list[str]
) -> None:
    text = " ".join(tokens)
    doc = Doc(NLP.vocab, words=text.split(" "))
    spacy_spans = find_by_spacy(make_spacy_matcher(entries), entries, doc)
    orbat_spans = set(PatternMatcher(entries).find(text))
    # spaCy also returns shorter matches from the same token. No start token is missed.
    assert orbat_spans <= spacy_spans
    for start in {start for start, _, _ in spacy_spans}:
        assert any(first == start for first, _, _ in orbat_spans)


def test_the_shipped_patterns_find_what_spacy_finds(train_articles: list[Document]) -> None:
    patterns = [entry for _, entry in iterate_patterns()]
    matcher, spacy_matcher = PatternMatcher(patterns), make_spacy_matcher(patterns)
    orbat_spans, spacy_spans = set(), set()
    for article in train_articles[::6]:
        text = article.text
        orbat_spans |= {(article.id, *span) for span in longest_spans(text, matcher.find(text))}
        matches = find_by_spacy(spacy_matcher, patterns, NLP.make_doc(text))
        spacy_spans |= {(article.id, *span) for span in longest_spans(text, matches)}
    # They differ where their tokens do: 4/15th and VMGR-352 are one token for spaCy.
    assert len(spacy_spans) > 300
    assert len(orbat_spans & spacy_spans) > 0.98 * len(orbat_spans | spacy_spans)


def test_threads_share_a_matcher() -> None:
    names = [f"Name{number}" for number in range(300)]
    matcher = PatternMatcher(
        [{"label": "UNIT", "pattern": [{"TEXT": {"REGEX": f"^{n}$"}}]} for n in names]
    )
    counts: list[int] = []

    def work(part: list[str]) -> None:
        counts.extend(len(matcher.find(name)) for name in part)

    threads = [threading.Thread(target=work, args=(names[start:],)) for start in range(0, 300, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(counts) == {1}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ({"POS": "NOUN"}, "one attribute, TEXT or LOWER, not POS"),
        ({"TEXT": "a", "LOWER": "a"}, "one attribute, TEXT or LOWER, not TEXT, LOWER"),
        ({}, "one attribute, TEXT or LOWER, not none"),
        ({"TEXT": {"NOT_IN": ["a"]}}, "must be a text, IN or REGEX"),
        ({"TEXT": "a", "OP": "!"}, "operator ! is not supported"),
    ],
)
def test_a_pattern_that_cannot_be_matched_is_refused(token: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PatternMatcher([{"label": "UNIT", "pattern": [token]}])
