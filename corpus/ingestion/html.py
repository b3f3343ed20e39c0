"""Web pages: the article out of its frame."""

from __future__ import annotations

import re
from typing import Any

from ...errors import InputError
from .text import CleanText, decode, mend_encoding, tidy

_BLOCKS = {
    *("article", "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre"),
    *("section", "table", "ul"),
}
_LOOSE = 60
"""Characters from which text that stands bare between blocks is taken for a paragraph."""
_LINKS = 4
_LINK_SHARE = 0.8
"""A block of so many links, and so much of whose text they are, is no part of the article."""
_FRAME = re.compile(
    r"all rights reserved|terms and conditions|be the first to|share this|leave a (?:comment|reply)"
    r"|contact details|contact number|click here|follow us|subscribe|email.{0,3}protected"
    r"|advertisement|read also|also read|related (?:stories|articles|posts)|main menu|^tags?:"
    r"|may not be (?:published|reproduced)|copyright|©|we use cookies|accept (?:all )?cookies"
    r"|sign up (?:for|to)|log ?in to|featured news|aggregates and indexes|share on|newsletter",
    re.I,
)
"""What the frames of news pages say, in the words of many sites and of no single one."""
_SHORT = 12
"""Words up to which a line with such words is dropped wherever it stands."""
_BYLINE = re.compile(r"(?:by|from)\b[:\s]", re.I)
_WORD = re.compile(r"\w+")


def clean_html(raw: bytes, where: str) -> CleanText:
    """Extract the article of a web page: headline first, then paragraphs, blank lines between.

    Extraction is trafilatura's (Barbaresi 2021, https://aclanthology.org/2021.acl-demo.15). Before
    it, archive banners and lists of links go, and text that stands bare between blocks becomes
    paragraphs; after it, bylines and lines of the page's frame go. Comments are left out; title,
    author, date, site, licence and URL become facts.

    Raises:
        InputError: if the page is empty or holds no article.
    """
    import trafilatura
    from lxml import etree, html

    decoded, encoding = decode(raw, where)
    decoded, mended = mend_encoding(decoded)
    missing = InputError(f"{where}: no article found in the page; give its text instead")
    try:
        # lxml refuses a text that declares an encoding.
        tree = html.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", decoded))
    except (etree.ParserError, ValueError) as error:
        raise missing from error
    _prepare(tree)
    # fast: its fallbacks take whole pages for the article more often than they find a lost one.
    page = trafilatura.bare_extraction(
        html.tostring(tree, encoding="unicode"),
        with_metadata=True,
        include_comments=False,
        fast=True,
    )
    if page is None or not (page.text or "").strip():
        raise missing
    title = _title(tree, page)
    lines, author = _article_lines(page.text.split("\n"), title)
    if not lines:
        raise missing
    text, _ = tidy("\n\n".join([title, *lines] if title else lines))
    facts = {
        name: value
        for name, value in (
            ("title", title),
            ("author", page.author or author),
            ("date", page.date),
            ("site", page.sitename),
            ("url", page.url),
            ("licence", page.license),
        )
        if value
    }
    changes = ("boilerplate", *(["mojibake"] if mended else []))
    return CleanText(text, encoding, changes, facts)


def _text(element: Any) -> str:
    return " ".join(element.text_content().split())


def _prepare(tree: Any) -> None:
    """Drop scripts, archive banners and lists of links; give bare text a paragraph of its own."""
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
        if element.getparent() is None or len(links) < _LINKS:
            continue
        length = len(_text(element))
        if length and sum(len(_text(link)) for link in links) > _LINK_SHARE * length:
            element.drop_tree()
    for element in list(tree.iter("div", "td", "section", "article")):
        for child in list(element):
            if child.tag in _BLOCKS | {"br"} and child.tail and len(child.tail.strip()) > _LOOSE:
                paragraph = html.Element("p")
                paragraph.text, child.tail = child.tail, None
                element.insert(element.index(child) + 1, paragraph)


def _title(tree: Any, page: Any) -> str:
    """Return the headline: a heading that the title holds, else the title without the site."""
    title = " ".join((page.title or "").split())
    headings = [_text(heading) for heading in tree.xpath("//h1|//h2")]
    held = [h for h in headings if 15 < len(h) < 200 and h.lower() in title.lower()]
    if held:
        return max(held, key=len)
    if page.sitename:
        site = re.escape(page.sitename.split()[0])
        found = re.match(rf"(.+?)\s+[-|–—:»]+\s+{site}", title)
        if found:
            return found[1]
    return title


def _article_lines(lines: list[str], title: str) -> tuple[list[str], str | None]:
    """Return the lines that belong to the article, and the author that a byline names."""
    lines = [line for line in lines if line.strip()]
    kept, author = [], None
    bare_title = _WORD.findall(title.lower())
    for place, line in enumerate(lines):
        short = len(line.split()) <= _SHORT
        if _FRAME.search(line) and (short or place > len(lines) / 2):
            continue
        if place < 4 and short:
            if _BYLINE.match(line):
                author = author or _BYLINE.sub("", line).strip()
                continue
            if _WORD.findall(line.lower()) == bare_title:
                continue
        kept.append(line)
    return kept, author
