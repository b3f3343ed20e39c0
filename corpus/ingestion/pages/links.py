"""Lists of links in a page, found in one pass, however deeply its elements are nested."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

_BLOCKS = ("ul", "ol", "table", "div", "p", "section")
_MIN_LINKS = 4
_MAX_LINK_SHARE = 0.8
"""Blocks with at least so many links, which hold more than this share of the text, are lists."""
_PART_CHARACTERS = 2**16


def find_link_lists(tree: Any) -> list[Any]:
    """Return the blocks of a page that consist of links, except its root, in document order."""
    page = _Page(tree)
    return [
        element
        for element in tree.iter(*_BLOCKS)
        if element is not tree and page.is_link_list(element)
    ]


class _Place(NamedTuple):
    """What is before the beginning or end of an element.

    Attributes:
        characters: the number of characters of the text.
        solid: how many of them are not blanks.
        words: the number of words that begin.
        links: the number of links that begin.
    """

    characters: int
    solid: int
    words: int
    links: int


class _Page:
    """Where the elements of a page begin and end in its text.

    The length of any element's text with single spaces is the difference of two sums. To take the
    text of each element by itself would take time times the depth of the page.
    """

    def __init__(self, tree: Any) -> None:
        from lxml import etree

        self._start: dict[Any, _Place] = {}
        self._end: dict[Any, _Place] = {}
        self._within_word: set[Any] = set()
        """The elements that begin within a word, or would if they had text."""
        links: list[Any] = []
        begun: list[Any] = []  # since the last text
        characters = solid = words = 0
        is_word = False  # whether a word goes on if no blank follows
        for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
            place = _Place(characters, solid, words, len(links))
            if event == "start":
                self._start[element] = place
                begun.append(element)
                if element.tag == "a":
                    links.append(element)
                text = element.text
            else:
                if isinstance(element.tag, str):
                    self._end[element] = place
                text = element.tail if element is not tree else None
            # In parts, because the words of a long text take much memory.
            for part in _parts(text or ""):
                goes_on = is_word and not part[0].isspace()
                if goes_on:
                    self._within_word.update(begun)
                begun.clear()
                found = part.split()
                characters += len(part)
                solid += sum(map(len, found))
                words += len(found) - goes_on
                is_word = not part[-1].isspace()
        self._links = [0, *accumulate(map(self._length, links))]

    def is_link_list(self, element: Any) -> bool:
        """Return whether an element has enough links, and little text besides them."""
        first, last = self._start[element].links, self._end[element].links
        first += element.tag == "a"
        if last - first < _MIN_LINKS:
            return False
        length = self._length(element)
        return bool(length) and self._links[last] - self._links[first] > _MAX_LINK_SHARE * length

    def _length(self, element: Any) -> int:
        """Return the length of an element's text with single spaces."""
        start, end = self._start[element], self._end[element]
        words = end.words - start.words
        words += element in self._within_word and start.characters < end.characters
        return end.solid - start.solid + max(words - 1, 0)


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PART_CHARACTERS):
        yield text[start : start + _PART_CHARACTERS]
