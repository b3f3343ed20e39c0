"""Lists of links in a page, found in one pass, however deeply its elements are nested."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

_BLOCKS = ("ul", "ol", "table", "div", "p", "section")
_MIN_LINKS = 4
_MAX_LINK_SHARE = 0.8
"""Blocks with at least so many links, which hold more than this share of the text, are lists."""


def find_link_lists(tree: Any) -> list[Any]:
    """Return the blocks of a page that consist of links, except its root, in document order."""
    page = _Page(tree)
    return [
        element
        for element in tree.iter(*_BLOCKS)
        if element is not tree and page.is_link_list(element)
    ]


class _Page:
    """The text of a page and where its elements begin and end in it.

    The length of any part of the text with single spaces is the difference of two sums. To take
    the text of each element by itself would take time times the depth of the page.
    """

    def __init__(self, tree: Any) -> None:
        from lxml import etree

        self._start: dict[Any, tuple[int, int]] = {}
        self._end: dict[Any, tuple[int, int]] = {}
        links: list[Any] = []
        parts: list[str] = []
        position = 0
        for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
            is_element = isinstance(element.tag, str)
            if event == "start":
                self._start[element] = (position, len(links))
                if element.tag == "a":
                    links.append(element)
                text = element.text
            else:
                if is_element:
                    self._end[element] = (position, len(links))
                text = element.tail if element is not tree else None
            if text:
                parts.append(text)
                position += len(text)
        self._text = "".join(parts)
        # Up to each character: the characters that are not blanks, and the words that begin.
        solid = [not character.isspace() for character in self._text]
        self._solid = [0, *accumulate(map(int, solid))]
        before = [False, *solid]
        begins = [now and not last for now, last in zip(solid, before, strict=False)]
        self._words = [0, *accumulate(map(int, begins))]
        self._links = [0, *accumulate(map(self._length, links))]

    def is_link_list(self, element: Any) -> bool:
        """Return whether an element has enough links, and little text besides them."""
        (_, first), (_, last) = self._start[element], self._end[element]
        first += element.tag == "a"
        if last - first < _MIN_LINKS:
            return False
        length = self._length(element)
        return bool(length) and self._links[last] - self._links[first] > _MAX_LINK_SHARE * length

    def _length(self, element: Any) -> int:
        """Return the length of an element's text with single spaces."""
        start, end = self._start[element][0], self._end[element][0]
        words = self._words[end] - self._words[start]
        if start < end and not self._text[start].isspace():
            # The element may begin within a word.
            words += self._words[start + 1] == self._words[start]
        return self._solid[end] - self._solid[start] + max(words - 1, 0)
