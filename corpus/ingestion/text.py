"""Plain text: decoding and white space."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .charsets.decoding import decode, repair_encoding, replace_controls

_BLANK_LINES = re.compile(r"\n{3,}")
_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)


@dataclass(frozen=True)
class CleanText:
    """A clean text and the record of how it was made.

    Attributes:
        text: the text.
        encoding: the encoding of its bytes.
        changes: names of the changes made to the decoded text.
        metadata: title, author, date and the like, where the article has them.
        undecodable: number of places that could not be decoded; U+FFFD stands for them.
    """

    text: str
    encoding: str
    changes: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    undecodable: int = 0


def looks_like_html(raw: bytes) -> bool:
    """Return whether the bytes begin as an HTML page does."""
    return _HTML_START.match(raw.removeprefix(b"\xef\xbb\xbf")[:4096]) is not None


def tidy(text: str) -> tuple[str, tuple[str, ...]]:
    """Normalize line ends and white space; words and their order do not change.

    CR LF and CR become LF. Trailing blanks of lines are removed, several blank lines become one,
    and the text ends with one line feed. NUL and unpaired surrogates become U+FFFD.

    Returns:
        The text and the names of the changes made.
    """
    steps: list[tuple[str, str]] = []
    tidied = text.replace("\r\n", "\n").replace("\r", "\n")
    steps.append(("line ends", tidied))
    tidied = re.sub(r"[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", tidied)
    steps.append(("characters", tidied))
    tidied = "\n".join(map(str.rstrip, tidied.split("\n")))
    tidied = _BLANK_LINES.sub("\n\n", tidied).strip() + "\n"
    steps.append(("white space", tidied))
    changes = []
    for name, result in steps:
        if result != text:
            changes.append(name)
        text = result
    return text, tuple(changes)


def clean_text(raw: bytes, location: str, charset: str = "") -> CleanText:
    """Decode, repair and tidy a plain-text article; its first line is its title.

    Args:
        raw: the bytes.
        location: their source, for messages.
        charset: the encoding that the source declares; empty if it declares none.

    Raises:
        InputError: if the bytes are empty or not text.
    """
    decoded = decode(raw, location, [charset])
    repaired, is_repaired = repair_encoding(decoded.text)
    repaired, controls = replace_controls(repaired)
    text, changes = tidy(repaired)
    if is_repaired:
        changes = ("mojibake", *changes)
    title = text.partition("\n")[0]
    undecodable = decoded.undecodable + controls
    return CleanText(text, decoded.encoding, changes, {"title": title}, undecodable)
