"""Web pages: extraction of the article and its metadata, without boilerplate."""

from __future__ import annotations

import re
from typing import Any

from ....errors import InputError
from ..charsets.declaration import charsets_of_page
from ..charsets.decoding import decode, repair_encoding, replace_controls
from ..text import CleanText, tidy

_BLOCKS = {
    *("article", "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre"),
    *("section", "table", "ul"),
}
_MIN_LOOSE_CHARACTERS = 60
"""Length from which text between block elements is made a paragraph."""
_MIN_LINKS = 4
_MIN_LINK_SHARE = 0.8
"""Blocks with at least so many links, which hold at least this share of the text, are removed."""
_BOILERPLATE = re.compile(
    r"all rights reserved|terms and conditions|be the first to|share this|leave a (?:comment|reply)"
    r"|contact details|contact number|click here|follow us|subscribe|email.{0,3}protected"
    r"|advertisement|read also|also read|related (?:stories|articles|posts)|main menu|^tags?:"
    r"|may not be (?:published|reproduced)|copyright|©|we use cookies|accept (?:all )?cookies"
    r"|sign up (?:for|to)|log ?in to|featured news|aggregates and indexes|share on|newsletter",
    re.I,
)
"""Phrases of boilerplate that are common to news sites; none belongs to one site."""
_MAX_BOILERPLATE_WORDS = 12
"""Length up to which a line with such a phrase is removed anywhere in the page; a longer line is
removed in the second half only."""
_BYLINE = re.compile(r"(?:by|from)\b[:\s]", re.I)
_WORD = re.compile(r"\w+")
_JOINER = re.compile("[\u200c\u200d\U000e0020-\U000e007f]")
"""Invisible characters that join letters or emoji to words or signs."""
_RARE_LETTERS = range(0x10600, 0x10737)
"""Letters of Linear A."""
_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f]")
"""Characters that browsers leave out or do not show."""


def clean_html(raw: bytes, location: str, charset: str = "") -> CleanText:
    """Extract the article of a web page: headline and paragraphs, separated by blank lines.

    Extraction is trafilatura's (Barbaresi 2021, https://aclanthology.org/2021.acl-demo.15). Before
    it, banners of web archives and lists of links are removed, and text between block elements is
    made paragraphs. After it, bylines and boilerplate lines are removed. Comments are dropped.
    Title, author, date, site, license and URL are returned as metadata.

    Args:
        raw: the bytes of the page.
        location: their source, for messages.
        charset: the encoding that the server declared; empty if it declared none. It counts more
            than what the page declares.

    Raises:
        InputError: if the page is empty or contains no article.
    """
    import trafilatura
    from lxml import etree, html

    decoded = decode(raw, location, [charset, *charsets_of_page(raw)], is_page=True)
    markup, is_repaired = repair_encoding(_CONTROL.sub("", decoded.text))
    markup, controls = replace_controls(markup)
    missing = InputError(f"{location}: no article found in the page; give its text instead")
    try:
        # lxml refuses strings with an encoding declaration.
        tree = html.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", markup))
    except (etree.ParserError, ValueError) as error:
        raise missing from error
    _prepare(tree)
    prepared = html.tostring(tree, encoding="unicode")
    joiners = _find_substitutes(prepared)
    # fast: trafilatura's fallbacks return the whole page more often than they find an article.
    page = trafilatura.bare_extraction(
        prepared.translate(joiners),
        with_metadata=True,
        include_comments=False,
        fast=True,
    )
    if page is None or not (page.text or "").strip():
        raise missing
    title = _find_title(tree, page)
    extracted = page.text.translate({ord(new): old for old, new in joiners.items()})
    lines, author = _filter_lines(extracted.split("\n"), title)
    if not lines:
        raise missing
    text, _ = tidy("\n\n".join([title, *lines] if title else lines))
    metadata = {
        "title": title,
        "author": page.author or author,
        "date": page.date,
        "site": page.sitename,
        "url": page.url,
        "license": page.license,
    }
    changes = ("boilerplate", *(["mojibake"] if is_repaired else []))
    return CleanText(
        text,
        decoded.encoding,
        changes,
        {name: value for name, value in metadata.items() if value},
        decoded.undecodable + controls,
    )


def _find_substitutes(markup: str) -> dict[int, str]:
    """Return letters, which the page lacks, in place of its joiners, which trafilatura removes."""
    joiners = sorted(set(_JOINER.findall(markup)))
    unused = (chr(code) for code in _RARE_LETTERS if chr(code) not in markup)
    return {ord(joiner): letter for joiner, letter in zip(joiners, unused, strict=False)}


def _text(element: Any) -> str:
    return " ".join(element.text_content().split())


def _prepare(tree: Any) -> None:
    """Remove scripts, archive banners and lists of links; make loose text paragraphs."""
    from lxml import html

    for element in tree.xpath(
        '//script|//style|//noscript|//*[starts-with(@id,"wm-ipp")]|//*[@id="donato"]'
    ):
        if element.getparent() is not None:
            element.drop_tree()
    for element in list(tree.iter("span", "font", "center", "b", "strong")):
        if any(child.tag in _BLOCKS for child in element):
            element.tag = "div"
    for element in list(tree.iter("ul", "ol", "table", "div", "p", "section")):
        links = element.xpath(".//a")
        if element.getparent() is None or len(links) < _MIN_LINKS:
            continue
        length = len(_text(element))
        if length and sum(len(_text(link)) for link in links) > _MIN_LINK_SHARE * length:
            element.drop_tree()
    for element in list(tree.iter("div", "td", "section", "article")):
        for child in list(element):
            is_loose = child.tail and len(child.tail.strip()) > _MIN_LOOSE_CHARACTERS
            if child.tag in _BLOCKS | {"br"} and is_loose:
                paragraph = html.Element("p")
                paragraph.text, child.tail = child.tail, None
                element.insert(element.index(child) + 1, paragraph)


def _find_title(tree: Any, page: Any) -> str:
    """Return the longest heading contained in the page's title, else the title without the site."""
    title = " ".join((page.title or "").split())
    headings = [_text(heading) for heading in tree.xpath("//h1|//h2")]
    in_title = [h for h in headings if 15 < len(h) < 200 and h.lower() in title.lower()]
    if in_title:
        return max(in_title, key=len)
    if page.sitename:
        site = re.escape(page.sitename.split()[0])
        match = re.match(rf"(.+?)\s+[-|–—:»]+\s+{site}", title)
        if match:
            return match[1]
    return title


def _filter_lines(lines: list[str], title: str) -> tuple[list[str], str | None]:
    """Return the lines of the article itself, and the author that a byline names."""
    lines = [line for line in lines if line.strip()]
    article, author = [], None
    title_words = _WORD.findall(title.lower())
    for index, line in enumerate(lines):
        is_short = len(line.split()) <= _MAX_BOILERPLATE_WORDS
        if _BOILERPLATE.search(line) and (is_short or index > len(lines) / 2):
            continue
        if index < 4 and is_short:
            if _BYLINE.match(line):
                author = author or _BYLINE.sub("", line).strip()
                continue
            if _WORD.findall(line.lower()) == title_words:
                continue
        article.append(line)
    return article, author
