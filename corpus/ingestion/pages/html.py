"""Web pages: extraction of the article and its metadata, without boilerplate."""

from __future__ import annotations

import re
from typing import Any

from ....errors import InputError
from ...addresses import hide_password
from ..charsets.declaration import charsets_of_page
from ..charsets.decoding import decode, repair_encoding, replace_controls
from ..text import CleanText, tidy
from .layout import prepare_page, text_of
from .limits import check_markup, check_tree
from .structured import find_article_body

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
_TABLE_RULE = re.compile(r"\|(?:---\|)+")
_WORD = re.compile(r"\w+")
_MAX_TITLE_CHARACTERS = 2000
_MIN_MORE_WORDS = 1.5
"""Ratio of words from which the text in structured data is taken instead of the extracted one."""
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
    made paragraphs. After it, bylines and boilerplate lines are removed. Comments are dropped. The
    cells of a table row are separated by tabs. If the page's structured data hold a much longer
    text, such as that of a page drawn by a script, it is taken.
    Title, author, date, site, license and URL are returned as metadata.

    Args:
        raw: the bytes of the page.
        location: their source, for messages.
        charset: the encoding that the server declared; empty if it declared none. It counts more
            than what the page declares.

    Raises:
        InputError: if the page is empty, contains no article, or exceeds a limit of `limits.py`.
    """
    import trafilatura
    from lxml import etree, html

    decoded = decode(raw, location, [charset, *charsets_of_page(raw)], is_page=True)
    markup, is_repaired = repair_encoding(_CONTROL.sub("", decoded.text))
    markup, controls = replace_controls(markup)
    check_markup(markup, location)
    missing = InputError(f"{location}: no article found in the page; give its text instead")
    try:
        # lxml refuses strings with an encoding declaration.
        tree = html.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", markup))
    except (etree.ParserError, ValueError) as error:
        raise missing from error
    check_tree(tree, location)
    article_body = find_article_body(tree)
    prepare_page(tree)
    prepared = html.tostring(tree, encoding="unicode")
    joiners = _find_substitutes(prepared)
    # fast: trafilatura's fallbacks return the whole page more often than they find an article.
    page = trafilatura.bare_extraction(
        prepared.translate(joiners),
        with_metadata=True,
        include_comments=False,
        fast=True,
    )
    lines = _read_table_rows((page.text or "").split("\n")) if page else []
    page = page or trafilatura.extract_metadata(prepared.translate(joiners))
    if _count_words(article_body) > _MIN_MORE_WORDS * _count_words(lines):
        lines = article_body
    if page.date and page.date.endswith("-01"):
        # The extensive search makes it of a year or month alone, such as that of a copyright. A
        # first of a month that only the running text has is lost with them.
        page.date = trafilatura.extract_metadata(prepared, extensive=False).date
    originals = {ord(new): old for old, new in joiners.items()}
    page.title = page.title and page.title.translate(originals)
    title = _find_title(tree, page)
    lines, author = _filter_lines([line.translate(originals) for line in lines], title)
    if not lines:
        raise missing
    text, _ = tidy("\n\n".join([title, *lines] if title else lines))
    metadata = {
        "title": title,
        "author": page.author or author,
        "date": page.date,
        "site": page.sitename,
        "url": page.url and hide_password(page.url),
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


def _find_title(tree: Any, page: Any) -> str:
    """Return the longest heading contained in the page's title, else the title without the site."""
    title = " ".join((page.title or "")[:_MAX_TITLE_CHARACTERS].split())
    headings = [text_of(heading) for heading in tree.xpath("//h1|//h2")]
    in_title = [h for h in headings if 15 < len(h) < 200 and h.lower() in title.lower()]
    if in_title:
        return max(in_title, key=len)
    if page.sitename:
        site = re.escape(page.sitename.split()[0])
        match = re.search(rf"(?<=\S) [-|–—:»]+ {site}", title)
        if match:
            return title[: match.start()]
    return title


def _count_words(lines: list[str]) -> int:
    return sum(len(line.split()) for line in lines)


def _read_table_rows(lines: list[str]) -> list[str]:
    """Write the rows of tables, which trafilatura writes as Markdown, with tabs between cells."""
    rows = []
    for line in map(str.strip, lines):
        if line.startswith("| ") and line.endswith(" |"):
            cells = [cell.strip() for cell in line[2:-2].split(" | ")]
            line = "\t".join(cell for cell in cells if cell)
        if not _TABLE_RULE.fullmatch(line):
            rows.append(line)
    return rows


def _filter_lines(lines: list[str], title: str) -> tuple[list[str], str | None]:
    """Return the lines of the article itself, and the author that a byline names."""
    lines = [line for line in lines if line.strip()]
    article, author = [], None
    title_words = _WORD.findall(title.lower())
    for index, line in enumerate(lines):
        is_short = len(line.split()) <= _MAX_BOILERPLATE_WORDS
        if _BOILERPLATE.search(line) and (is_short or index > len(lines) / 2):
            continue
        if index < 4:
            if is_short and _BYLINE.match(line):
                author = author or _BYLINE.sub("", line).strip()
                continue
            if _WORD.findall(line.lower()) == title_words:
                continue
        article.append(line)
    return article, author
