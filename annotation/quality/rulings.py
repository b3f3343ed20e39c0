"""What guidelines in Markdown say of a label or of some words."""

from __future__ import annotations

import re

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")


def section_of(guidelines: str, label: str) -> str:
    """Return the section whose heading names a label, without the heading; "" if there is none."""
    level, lines = 0, []
    for line in guidelines.splitlines():
        heading = _HEADING.match(line)
        if heading and level and len(heading[1]) <= level:
            break
        if level:
            lines.append(line)
        elif heading and _names(heading[2], label):
            level = len(heading[1])
    return "\n".join(lines).strip()


def items_naming(guidelines: str, words: str) -> list[str]:
    """Return the list items and paragraphs that contain some words, each in one line.

    Single words without a capital letter are not looked for: they occur in other senses.
    """
    words = " ".join(words.split())
    if words.islower() and " " not in words:
        return []
    return [block for block in _blocks(guidelines) if _names(block, words, re.NOFLAG)]


def _names(text: str, words: str, flags: re.RegexFlag = re.IGNORECASE) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, flags))


def _blocks(guidelines: str) -> list[str]:
    """Return list items and paragraphs, each in one line; headings and tables are left out."""
    blocks: list[list[str]] = [[]]
    for line in guidelines.splitlines():
        item = _ITEM.match(line)
        if item or not line.strip() or _HEADING.match(line) or line.lstrip().startswith("|"):
            blocks.append([])
        if line.strip() and not _HEADING.match(line) and not line.lstrip().startswith("|"):
            blocks[-1].append(line[item.end() :] if item else line)
    return [" ".join(" ".join(block).split()) for block in blocks if block]
