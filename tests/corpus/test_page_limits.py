"""Pages made to take long: they are refused, or take time in proportion to their size."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from orbat.corpus.ingestion.pages.html import clean_html
from orbat.corpus.ingestion.pages.layout import prepare_page, text_of
from orbat.corpus.ingestion.pages.links import find_link_lists
from orbat.errors import InputError

ARTICLE = "<p>The 4th Brigade took the port on Monday, said Gen. Doe of the army staff.</p>" * 5


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<p>" * 100_001, "more than 100,000 elements"),
        ("<div>" * 200 + "<i>x</i>" * 20_000, "too deep nesting"),
        ("<p " + " ".join(f"a{n}" for n in range(6000)) + ">", "more than 5,000 attributes"),
        ("<p a=\">\" b='>'" + " c" * 6000 + ">", "more than 5,000 attributes"),
        ("<p>" + "x" * (16 * 2**20), "larger than 16 MB"),
    ],
)
def test_pages_beyond_the_limits_are_refused(page: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        clean_html(f"<html><body>{page}{ARTICLE}".encode(), "x")


@pytest.mark.parametrize(
    "page",
    [
        "<p>" + " ".join(["<", "word"] * 3000) + "</p>",
        f"<p data-x='{'> < ' * 9000}'>x</p>",
        "<pre>" + "plain words " * 9000 + "</pre>",
        "<p>" + "<a b c d>x</a> " * 2000 + "</p>",
    ],
)
def test_much_text_is_no_attribute(page: str) -> None:
    assert "4th Brigade" in clean_html(f"<html><body>{page}{ARTICLE}".encode(), "x").text


def _count_calls(function: Callable[[], object]) -> int:
    """Return the number of calls of Python and C functions."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    ("opening", "inner"),
    [
        ("<div>", "<a href=x>link</a> "),
        ("<table><tr><td>", "<a href=x>link</a> and more text "),
        ("<blockquote>", "<footer>x</footer>"),
        ("<figure>", "<figcaption>x</figcaption><blockquote>y</blockquote>"),
        ("<figure><figcaption>", "<blockquote>y</blockquote>"),
    ],
)
def test_the_work_for_links_and_quotations_does_not_grow_with_the_depth(
    opening: str, inner: str
) -> None:
    def work(depth: int) -> int:
        tree = html.fromstring(f"<html><body>{opening * depth}{inner * 1000}")
        return _count_calls(lambda: prepare_page(tree))

    assert work(60) < 2 * work(6)


def test_finding_lists_of_links_takes_little_memory() -> None:
    text = "The army took the port. " * 5000
    tree = html.fromstring("<html><body>" + f"<p>{text}</p>" * 20)
    tracemalloc.start()
    try:
        find_link_lists(tree)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The text itself, in parts, and not numbers for each of its 2.4 million characters.
    assert peak < 8 * 2**20


MARKUP = st.recursive(
    st.sampled_from(["word ", "  a b\n", "x", " ", "é", "<!-- c -->", "<br>", "<a>to b</a>"] * 2),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(["div", "ul", "a", "b", "p", "table", "section", "script"]),
        st.lists(inner, max_size=8),
    ),
)


@given(MARKUP)
def test_lists_of_links_are_found_by_their_share_of_the_text(markup: str) -> None:
    tree = html.fromstring(f"<html><body>{markup}</body></html>")
    expected = []
    for element in tree.iter("ul", "ol", "table", "div", "p", "section"):
        links = element.xpath(".//a")
        length = len(text_of(element))
        if len(links) >= 4 and length and sum(len(text_of(a)) for a in links) > 0.8 * length:
            expected.append(element)
    assert find_link_lists(tree) == expected
