"""Extraction of articles from web pages."""

from __future__ import annotations

import pytest

from orbat.corpus.ingestion.pages.html import clean_html
from orbat.corpus.ingestion.text import CleanText
from orbat.errors import InputError

ONE = "The 3rd Brigade left Kidal on Monday after eleven months in the desert, officers said."
TWO = "Gen. Ann Doe, who commands it, thanked the people of the town for their patience and help."
THREE = "Its last lorries crossed the river before dawn, and the barracks were handed over."


def clean(body: str, head: str = "<title>Brigade leaves Kidal - Daily Post</title>") -> CleanText:
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    return clean_html(page.encode(), "page.html")


def article(*paragraphs: str, before: str = "", after: str = "") -> CleanText:
    inner = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return clean(f"{before}<div class=story><h1>Brigade leaves Kidal</h1>{inner}</div>{after}")


def test_the_headline_comes_first_and_once_without_the_site() -> None:
    page = article("Brigade leaves Kidal", ONE, TWO, THREE)
    assert page.text == f"Brigade leaves Kidal\n\n{ONE}\n\n{TWO}\n\n{THREE}\n"
    assert page.metadata["title"] == "Brigade leaves Kidal"


@pytest.mark.parametrize(
    "line",
    [
        "All rights reserved. Copyright Daily Post.",
        "Be the first to comment on this story",
        "Share this: Facebook Twitter",
        "We use cookies to improve your experience.",
        "Sign up for our newsletter",
        "Leave your contact details below; please read the terms and conditions.",
    ],
)
def test_boilerplate_lines_are_removed(line: str) -> None:
    page = article(ONE, TWO, THREE, line)
    assert line not in page.text
    assert THREE in page.text


def test_a_byline_becomes_the_author() -> None:
    page = article("By Jane Roe, Bamako", ONE, TWO, THREE)
    assert "Jane Roe" not in page.text
    assert page.metadata["author"] == "Jane Roe, Bamako"


@pytest.mark.parametrize(
    ("after", "date"),
    [
        ("<footer>© 2019 Daily Post. Founded in 1954.</footer>", None),
        ("<p>Published 12 May 2019</p>", "2019-05-12"),
        ('<time datetime="2019-01-01">New Year</time>', "2019-01-01"),
        (
            '<time datetime="2019-05-12T08:00:00Z">Sunday</time><footer>© 2020</footer>',
            "2019-05-12",
        ),
    ],
)
def test_a_year_alone_is_no_date(after: str, date: str | None) -> None:
    assert article(ONE, TWO, THREE, after=after).metadata.get("date") == date


def test_archive_banners_and_lists_of_links_are_removed() -> None:
    banner = '<div id="wm-ipp-base"><p>The Wayback Machine captured this 14 times so far</p></div>'
    links = "".join(
        f'<p><a href="/{n}">Read how this one trick made a fortune</a></p>' for n in range(8)
    )
    page = article(ONE, TWO, THREE, before=banner, after=f"<div>{links}</div>")
    assert "Wayback" not in page.text
    assert "fortune" not in page.text


def test_text_between_blocks_is_kept() -> None:
    page = clean(
        f"<h1>Brigade leaves Kidal</h1><span class=full><p>{ONE}</p>{TWO}<br><br>{THREE}</span>"
    )
    assert all(part in page.text for part in (ONE, TWO, THREE))


def test_a_page_in_a_wrong_encoding_is_repaired() -> None:
    wrong = "The Army’s “new base”".encode().decode("cp1252", "ignore")
    assert "The Army’s “new base" in article(f"{wrong} is in Gao, officers said.", TWO, THREE).text


@pytest.mark.parametrize("page", [b"<html></html>", b"<!doctype html><body><script>x</script>"])
def test_a_page_without_an_article_is_refused(page: bytes) -> None:
    with pytest.raises(InputError, match="no article found in the page"):
        clean_html(page, "page.html")


LONG = "The third brigade of the northern army left the old desert town after eleven long months"


def test_a_long_headline_stands_once() -> None:
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in (ONE, TWO, THREE))
    page = clean(f"<article><h1>{LONG}</h1>{paragraphs}</article>", f"<title>{LONG} - News</title>")
    assert page.text == f"{LONG}\n\n{ONE}\n\n{TWO}\n\n{THREE}\n"


@pytest.mark.parametrize(
    "quotation",
    [
        "<blockquote><p>We did it.</p><footer>Maj. Poe, <cite>staff</cite></footer></blockquote>",
        "<figure><blockquote>We did it.</blockquote><figcaption>Maj. Poe, staff</figcaption>"
        "</figure>",
    ],
)
def test_the_source_of_a_quotation_is_kept(quotation: str) -> None:
    paragraphs = (f"<p>{ONE}</p>", f"<p>{TWO}</p>", quotation, f"<p>{THREE}</p>")
    page = clean(f"<article><h1>Brigade leaves Kidal</h1>{''.join(paragraphs)}</article>")
    assert f"{TWO}\n\nWe did it.\n\nMaj. Poe, staff\n\n{THREE}" in page.text


def test_cells_of_a_table_are_separated_by_tabs() -> None:
    rows = "<tr><th>Unit</th><th>Town</th></tr><tr><td>3rd <b>Brigade</b></td><td>Kidal</td></tr>"
    page = clean(f"<article><p>{ONE}</p><p>{TWO}</p><table>{rows}</table><p>{THREE}</p></article>")
    assert f"{TWO}\n\nUnit\tTown\n\n3rd Brigade\tKidal\n\n{THREE}" in page.text


def test_paragraphs_in_the_cell_of_a_layout_table_are_kept_apart() -> None:
    page = clean(
        "<table><tr><td><a href=a>Home</a><br><a href=b>News</a></td><td><font><b>Brigade leaves "
        f"Kidal</b></font><p>{ONE}<p>{TWO}<p>{THREE}</td></tr></table>"
    )
    assert page.text == f"Brigade leaves Kidal\n\n{ONE}\n\n{TWO}\n\n{THREE}\n"


def test_text_between_line_breaks_is_complete() -> None:
    linked = ONE.replace("Kidal", "<a href=k><b>Kidal</b></a>")
    page = clean(
        f"<h1>Brigade leaves Kidal</h1><div>{linked}<br><br>{TWO}<br/><br/>They were tired.<br><br>"
        f"{THREE}<br></div>"
    )
    expected = (ONE, TWO, "They were tired.", THREE)
    assert page.text == "\n\n".join(("Brigade leaves Kidal", *expected)) + "\n"


@pytest.mark.parametrize("visible", ["<div id=app></div>", f"<article><p>{ONE}</p></article>"])
def test_the_text_in_structured_data_is_used_where_the_page_lacks_it(visible: str) -> None:
    body = f"<p>{ONE}</p>\\n{TWO}\\n\\n{THREE} It was &quot;time&quot;."
    data = f'{{"@graph": [{{"@type": "NewsArticle", "articleBody": "{body}"}}]}}'
    page = clean(f'<script type="application/ld+json">{data}</script>{visible}')
    assert page.text.endswith(f'\n\n{ONE}\n\n{TWO}\n\n{THREE} It was "time".\n')
    assert page.metadata["title"].startswith("Brigade leaves Kidal")
