"""Preparation of a page's markup, so that the extractor finds all paragraphs of the article."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .links import find_link_lists

_BLOCKS = {
    *("article", "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre"),
    *("section", "table", "ul", "aside", "dl", "figure", "footer", "form", "header", "hr"),
    *("main", "nav", "tr", "td", "th", "tbody", "thead", "li"),
}
_INLINE_WRAPPERS = ("span", "font", "center", "b", "strong")
_MIN_LOOSE_CHARACTERS = 60
"""Length from which text between block elements is made a paragraph."""
_SENTENCE_ENDS = (".", "!", "?", "…", '"', "”", "’", "»", "。")
_DROPPED = "orbat-dropped"
"""The name of elements that are removed."""
_MIN_LAYOUT_CELL_CHARACTERS = 200
"""Length of a cell with paragraphs from which its table lays out the page."""


def text_of(element: Any) -> str:
    """Return the text of an element with single spaces."""
    return " ".join(element.text_content().split())


def prepare_page(tree: Any) -> None:
    """Change the tree of a page in place for extraction.

    Scripts, banners of web archives and lists of links are removed. Tables that lay out the page
    become blocks. Text outside of paragraphs, such as that between `<br>`, becomes paragraphs. The
    source of a quotation is kept.
    """
    _drop(
        tree,
        tree.xpath('//script|//style|//noscript|//*[starts-with(@id,"wm-ipp")]|//*[@id="donato"]'),
    )
    for element in list(tree.iter(*_INLINE_WRAPPERS)):
        if any(child.tag in _BLOCKS for child in element):
            element.tag = "div"
    _drop(tree, find_link_lists(tree))
    _keep_sources_of_quotations(tree)
    _dissolve_layout_tables(tree)
    for element in list(tree.iter("div", "td", "section", "article")):
        _wrap_loose_text(element)


def _drop(tree: Any, elements: Iterable[Any]) -> None:
    """Remove elements with their content, in one pass: each removal by itself copies the text."""
    from lxml import etree

    for element in elements:
        element.tag = _DROPPED
    etree.strip_elements(tree, _DROPPED, with_tail=False)


def _keep_sources_of_quotations(tree: Any) -> None:
    """Make those elements paragraphs that the extractor takes for page footers and pictures."""
    figures: set[Any] = set()
    for quotation in tree.iter("blockquote"):
        for figure in quotation.iterancestors("figure"):
            if figure in figures:  # And those around it.
                break
            figures.add(figure)
    footers = [
        e for e in tree.iter("footer") if next(e.iterancestors("blockquote"), None) is not None
    ]
    captions = [
        element
        for element in tree.iter("figcaption")
        if not figures.isdisjoint(element.iterancestors("figure"))
    ]
    for element in (*footers, *captions):
        element.tag = "p"
    for element in figures:
        element.tag = "div"


def _dissolve_layout_tables(tree: Any) -> None:
    """Make blocks of the cells of tables that hold whole articles or other tables."""
    for table in list(tree.iter("table")):
        cells = table.xpath("./tr/td|./tbody/tr/td")
        if any(
            cell.find(".//table") is not None
            or cell.find(".//h1") is not None
            or (cell.find("p") is not None and len(text_of(cell)) >= _MIN_LAYOUT_CELL_CHARACTERS)
            for cell in cells
        ):
            parts = table.xpath("./tbody|./tr|./tbody/tr")
            for element in (table, *parts, *cells):
                element.tag = "div"


def _wrap_loose_text(element: Any) -> None:
    """Make paragraphs of the runs of text and inline elements between blocks and `<br>`.

    Short ones are labels and menus, unless they are sentences after a long one.
    """
    from lxml import html

    follows_text = False
    for before, text, children in _find_runs(element):
        own_text = " ".join("".join([text, *(child.tail or "" for child in children)]).split())
        is_sentence = own_text.endswith(_SENTENCE_ENDS)
        if not (len(own_text) > _MIN_LOOSE_CHARACTERS or (follows_text and is_sentence)):
            continue
        follows_text = True
        if before is None and not len(element):
            continue
        paragraph = html.Element("p")
        paragraph.text = text
        if before is None:
            element.text = None
            element.insert(0, paragraph)
        else:
            before.tail = None
            before.addnext(paragraph)
        paragraph.extend(children)
        if before is not None and before.tag == "br":
            element.remove(before)


def _find_runs(element: Any) -> list[tuple[Any, str, list[Any]]]:
    """Return the runs: the block before each, its text up to its first element, its elements."""
    runs: list[tuple[Any, str, list[Any]]] = [(None, element.text or "", [])]
    for child in element:
        is_block = child.tag in _BLOCKS or child.tag == "br" or not isinstance(child.tag, str)
        if is_block or any(descendant.tag in _BLOCKS for descendant in child.iter()):
            runs.append((child, child.tail or "", []))
        else:
            runs[-1][2].append(child)
    return runs
