"""The text of an article as a page's structured data (JSON-LD) hold it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

_LINE_END = re.compile(r"<(?:br|/p|/div|/h\d|/li)\b[^<>]*>", re.I)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.I)


def find_article_body(tree: Any) -> list[str]:
    """Return the paragraphs of the longest `articleBody` of a page; empty if it has none.

    Scripts of the type application/ld+json are searched for the property of
    https://schema.org/articleBody; markup in it is removed.
    """
    bodies: list[str] = []
    for script in tree.xpath('//script[@type="application/ld+json"]'):
        try:
            bodies += _find_bodies(json.loads(script.text or "", strict=False))
        except (ValueError, RecursionError):
            continue
    body = html.unescape(_TAG.sub("", _LINE_END.sub("\n", max(bodies, key=len, default=""))))
    return [" ".join(line.split()) for line in body.splitlines() if line.strip()]


def _find_bodies(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        body = value.get("articleBody")
        if isinstance(body, str):
            yield body
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _find_bodies(item)
