"""Limits on pages, since what parses and searches them may take time times depth or number."""

from __future__ import annotations

import re
from typing import Any

from ....errors import InputError

MAX_ATTRIBUTES = 5000
"""Attributes of one tag: libxml2 compares each with all before it."""
MAX_ELEMENTS = 100_000
MAX_ANCESTORS = 2_000_000
"""Sum of the depths of all elements."""
_ATTRIBUTE = r"""[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+))?+"""
_TAG = re.compile(rf"<[a-z][^\s/>]*+(?:[\s/]*+{_ATTRIBUTE})*+", re.I)


def check_markup(markup: str, location: str) -> None:
    """Check a page before it is parsed.

    Raises:
        InputError: if a tag has too many attributes.
    """
    for tag in _TAG.finditer(markup):
        # An attribute takes two characters at least.
        if len(tag[0]) > 2 * MAX_ATTRIBUTES:
            count = sum(1 for _ in re.finditer(_ATTRIBUTE, tag[0]))
            if count > MAX_ATTRIBUTES:
                raise InputError(
                    f"{location}: a tag has more than {MAX_ATTRIBUTES:,} attributes; "
                    "give the article's text instead"
                )


def check_tree(tree: Any, location: str) -> None:
    """Check a page after it was parsed.

    Raises:
        InputError: if it has too many elements, or they are nested too deeply.
    """
    from lxml import etree

    depth = elements = ancestors = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "start":
            elements += 1
            ancestors += depth
            if elements > MAX_ELEMENTS or ancestors > MAX_ANCESTORS:
                fault = "more than {:,} elements" if elements > MAX_ELEMENTS else "too deep nesting"
                raise InputError(
                    f"{location}: {fault.format(MAX_ELEMENTS)}; give the article's text instead"
                )
