"""Hard-wrapped paragraphs are read across their line breaks; other lines are not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.training.tagger.line_wraps import unwrap_lines
from orbat.training.tagger.words import find_words
from tests.conftest import ARTICLES
from tests.corpus.test_document import documents

PARAGRAPH = (
    "Soldiers of the 3rd Mechanised Brigade reached the crossroads north of the town on Tuesday "
    "night, two days after the ceasefire, and found the bridge intact. Colonel Ana Rees said that "
    "the engineers would need a week. Nobody was hurt, although a lorry of the 12th Logistics "
    "Battalion slid into a ditch."
)
TITLE = "Brigade reaches the crossroads"
NOT_WRAPPED = {
    "paragraphs on a line each": "\n".join((TITLE, PARAGRAPH, PARAGRAPH[:150], PARAGRAPH)),
    "a list": "Promoted today:\n"
    "- Captain John Smith, 2nd Battalion, to the rank of major\n"
    "- Major Ana Rees, 3rd Mechanised Brigade, to colonel\n"
    "- Lieutenant Ola Brandt, who commanded the patrol boat\n"
    "- Sergeant Kofi Mensah, to warrant officer\n",
    "a numbered list": "\n".join(
        f"{number}. the commander of the {number}th Battalion and all of his staff officers"
        for number in range(1, 9)
    ),
    "a table": "\n".join(
        f"{number}th Brigade   |  Colonel Smith, since the reform of the army in {number}"
        for number in range(1990, 1999)
    ),
    "an address": "Ministry of Defence\nHistoric Branch and Archives of the Army\n"
    "3 Whitehall Place\nLondon\nSW1A 2HD\nUnited Kingdom",
    "verse": "They went with songs to the battle, they were young,\n"
    "Straight of limb, true of eye, steady and aglow.\n"
    "They were staunch to the end against odds uncounted;\n"
    "They fell with their faces to the foe.",
    "a signature": "Regards,\nMajor Ana Rees\nPublic Affairs, 3rd Mechanised Brigade\n+44 20 5550",
    "an empty text": "",
    "blank lines": "\n \n\r\n\n",
}


@pytest.mark.parametrize("width", [50, 60, 72, 80, 100, 120])
@pytest.mark.parametrize("case", [str, str.lower, str.upper])
@pytest.mark.parametrize("indent", ["", "    ", "> "])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_breaks_inside_paragraphs_are_read_as_blanks(
    width: int, case: Callable[[str], str], indent: str, line_break: str
) -> None:
    lines = textwrap.wrap(case(PARAGRAPH), width, break_on_hyphens=False)
    paragraph = line_break.join(indent + line for line in lines)
    title = case(TITLE) + line_break * 2
    unwrapped = unwrap_lines(title + paragraph + line_break * 2 + paragraph)
    blank = " " * len(line_break)
    read = blank.join(indent + line for line in lines)
    assert unwrapped == title + read + line_break * 2 + read


@pytest.mark.parametrize("kind", NOT_WRAPPED)
@pytest.mark.parametrize("case", [str, str.lower, str.upper])
def test_other_lines_still_end(kind: str, case: Callable[[str], str]) -> None:
    text = case(NOT_WRAPPED[kind])
    assert unwrap_lines(text) == text


@pytest.mark.parametrize("kind", ["a list", "a table", "an address", "verse", "a signature"])
def test_lines_of_other_blocks_still_end_in_a_wrapped_text(kind: str) -> None:
    block = NOT_WRAPPED[kind]
    text = f"{textwrap.fill(PARAGRAPH, 72)}\n\n{block}\n\n{textwrap.fill(PARAGRAPH, 72)}"
    assert unwrap_lines(text) == f"{PARAGRAPH}\n\n{block}\n\n{PARAGRAPH}"


def test_blocks_may_have_different_widths() -> None:
    text = "\n\n".join(textwrap.fill(PARAGRAPH, width) for width in (60, 72, 100))
    assert unwrap_lines(text) == "\n\n".join([PARAGRAPH] * 3)


def test_the_last_line_of_a_paragraph_ends_without_a_blank_line() -> None:
    """Paragraphs may be told apart by their short last lines only."""
    text = "\n".join(textwrap.fill(PARAGRAPH, 60) for _ in range(3))
    assert unwrap_lines(text) == "\n".join([PARAGRAPH] * 3)


def test_shipped_articles_keep_almost_all_of_their_lines() -> None:
    """Most have each paragraph on one line; fewer than 2 % were written as wrapped text."""
    articles = [article.text for split in ("train", "dev") for article in read(split)]
    changed = [text for text in articles if unwrap_lines(text) != text]
    assert len(changed) <= 0.02 * len(articles)


def read(split: str) -> list[Document]:
    return list(read_documents(ARTICLES / f"{split}.jsonl"))


@given(documents(), st.integers(45, 120))
def test_length_words_and_other_characters_stay(document: Document, width: int) -> None:
    for text in (document.text, textwrap.fill(document.text, width)):
        unwrapped = unwrap_lines(text)
        assert len(unwrapped) == len(text)
        assert find_words(unwrapped).tolist() == find_words(text).tolist()
        assert all(
            a == b or (a in "\r\n" and b == " ") for a, b in zip(text, unwrapped, strict=True)
        )


@given(
    st.lists(st.sampled_from(["Army", "of the", "- x", "\n", "\r\n", " ", "> ", PARAGRAPH[:61]]))
)
def test_any_mixture_of_lines_keeps_its_length(parts: list[str]) -> None:
    text = "".join(parts)
    unwrapped = unwrap_lines(text)
    assert len(unwrapped) == len(text)
    assert unwrap_lines(unwrapped.replace("\n", "\n\n")) == unwrapped.replace("\n", "\n\n")
