"""Transformed documents: gold spans cover the same words in the new text."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span, check_spans
from orbat.evaluation.robustness.transformations import (
    TRANSFORMATIONS,
    WRAP_WIDTH,
    Edit,
    apply_edits,
    capitals,
    hard_wrap,
    irregular_blanks,
    lower_case,
    straight_quotes,
    typographic_quotes,
)

WORDS = st.text("aBß İſﬁΣ1.\"'“”’-(\N{NO-BREAK SPACE}", min_size=1, max_size=12)
BLANKS = st.sampled_from((" ", " ", " ", "  ", "\t", "\n", "\n\n"))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A text of up to forty words, with spans that begin and end at words."""
    pieces: list[str] = []
    for word in draw(st.lists(WORDS, max_size=40)):
        pieces += (word, draw(BLANKS))
    text = "".join(pieces)
    words = [match.span() for match in re.finditer(r"\S+", text)]
    spans, end = [], 0
    while words and draw(st.booleans()):
        first = draw(st.integers(0, len(words) - 1))
        last = draw(st.integers(first, min(first + 3, len(words) - 1)))
        if words[first][0] >= end:
            spans.append(Span(words[first][0], words[last][1], "A", note=f"{len(spans)}"))
            end = words[last][1]
    return Document("d", text, tuple(spans), {"title": "T"})


def plain(text: str) -> str:
    """Return what all versions of a text have in common."""
    unquoted = text.translate(str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''"))
    return " ".join(unquoted.upper().lower().upper().split())


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@given(document=documents())
def test_every_span_covers_the_same_words(name: str, document: Document) -> None:
    changed = TRANSFORMATIONS[name](document)
    check_spans(changed, changed.spans, name, ["A"])
    assert plain(changed.text) == plain(document.text)
    assert len(changed.spans) == len(document.spans)
    for before, after in zip(document.spans, changed.spans, strict=True):
        words = plain(document.text[before.start : before.end])
        assert plain(changed.text[after.start : after.end]) == words
        assert after.note == before.note
    assert (changed.id, changed.meta) == (document.id, document.meta)


@given(documents())
def test_case_and_quotes_keep_all_offsets(document: Document) -> None:
    for transform in (lower_case, capitals, straight_quotes, typographic_quotes):
        changed = transform(document)
        assert changed.spans == document.spans
        assert len(changed.text) == len(document.text)


@given(st.data())
def test_spans_move_with_the_text_around_an_edit(data: st.DataObject) -> None:
    text = data.draw(st.text("abc", min_size=1, max_size=20))
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    edits: list[Edit] = [(start, stop, data.draw(st.text("xy", max_size=5)))]
    before, after = Span(0, start, "A"), Span(stop, len(text), "A")
    changed = apply_edits(Document("d", text, (before, after)), edits)
    left, right = changed.spans
    if start < stop:
        assert changed.text[left.start : left.end] == text[:start]
    assert changed.text[right.start : right.end] == text[stop:]


def test_letters_that_become_two_stay() -> None:
    assert capitals(Document("d", "Straße, ﬁn")).text == "STRAßE, ﬁN"
    assert lower_case(Document("d", "İzmir GEN.")).text == "İzmir gen."


def test_long_lines_are_wrapped_and_titles_and_short_lines_stay() -> None:
    title = "A headline of more than eighty columns, as some newspapers have them even in the print"
    paragraph = "The 3rd Division, " + "which is far away and has been there for years, " * 4
    text = f"{title}\n\n{paragraph}\n- a short line\nhttps://example.org/{'x' * 90} end\n"
    start = text.index("far away and")
    wrapped = hard_wrap(Document("d", text, (Span(start, start + 12, "A"),)))
    lines = wrapped.text.split("\n")
    assert lines[:2] == [title, ""]
    assert "- a short line" in lines
    long = [line for line in lines[1:] if len(line) > WRAP_WIDTH]
    assert [line[:20] for line in long] == ["https://example.org/"]
    # Each line is as full as it can be: the next word would not have fitted.
    body = wrapped.text.split("\n\n")[1].split("\n- ")[0].split("\n")
    assert len(body) > 2
    for line, following in itertools.pairwise(body):
        assert len(line) + 1 + len(following.split()[0]) > WRAP_WIDTH


def test_a_first_paragraph_is_no_title() -> None:
    paragraph = "The division left. " * 8
    assert hard_wrap(Document("d", f"{paragraph.strip()}\n\nMore.")).text.count("\n") > 2


def test_blanks_are_doubled_or_non_breaking() -> None:
    changed = irregular_blanks(Document("d", "Maj. Gen. A. Doe of 3  Div\nlast line"))
    assert changed.text == "Maj.  Gen.\xa0A.  Doe\xa0of  3  Div\nlast\xa0line"


def test_quotes_open_and_close() -> None:
    straight = '"It\'s \'Op X\'" ("Y") he said--"no"'
    typographic = "“It’s ‘Op X’” (“Y”) he said--“no”"
    assert typographic_quotes(Document("d", straight)).text == typographic
    assert straight_quotes(Document("d", typographic)).text == straight
