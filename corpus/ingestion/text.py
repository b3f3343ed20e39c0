"""From raw bytes to clean text: encodings, line ends, boilerplate."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ...errors import InputError

_TRAILING_BLANKS = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")
_HTML_START = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)


_STRAY = re.compile("[\udc80-\udcff]")
_MOJIBAKE = re.compile("[\u00c2\u00c3\u00c5\u00e2\u0102\u0139]")


@dataclass(frozen=True)
class CleanText:
    """A clean text with what was learnt and changed on the way to it."""

    text: str
    encoding: str
    changes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def decode(raw: bytes, where: str) -> tuple[str, str]:
    """Decode bytes as UTF-8 or as what their byte order mark or content says.

    Stray bytes in what is mostly UTF-8 are taken for Windows-1252.

    Returns:
        The text and the name of the encoding.

    Raises:
        InputError: if the bytes are empty, binary or of no known encoding.
    """
    if not raw.strip():
        raise InputError(f"{where}: is empty; give a file with text in it")
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise InputError(f"{where}: broken {encoding}; save it as UTF-8") from error
    if b"\0" in raw or sum(byte < 9 or 13 < byte < 27 for byte in raw[:4096]) > 8:
        raise InputError(f"{where}: binary data given as text; convert it to text, HTML or JSONL")
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        mixed = _decode_mixed(raw)
        if mixed is not None:
            return mixed, "utf-8 and windows-1252"

        from charset_normalizer import from_bytes

        best = from_bytes(raw).best()
        if best is None:
            raise InputError(
                f"{where}: binary data or an unknown encoding; save it as UTF-8"
            ) from None
        return str(best), best.encoding


def _decode_mixed(raw: bytes) -> str | None:
    """Decode UTF-8 with some bytes of Windows-1252 in it; None where it is not mostly UTF-8."""
    text = raw.decode("utf-8", "surrogateescape")
    stray = len(_STRAY.findall(text))
    if sum(character > "\x7f" for character in text) < 3 * stray:
        return None
    return _STRAY.sub(
        lambda found: bytes([ord(found[0]) - 0xDC00]).decode("windows-1252", "replace"), text
    )


def looks_like_html(raw: bytes) -> bool:
    """Say whether the bytes begin as an HTML page does."""
    return _HTML_START.match(raw.removeprefix(b"\xef\xbb\xbf")[:4096]) is not None


def tidy(text: str) -> tuple[str, tuple[str, ...]]:
    """Normalise line ends and outer white space; words and their order stay.

    CR LF and CR become LF, blanks at line ends go, runs of blank lines become one, the text ends
    with one line feed, NUL and lone surrogates become U+FFFD.

    Returns:
        The text and the names of the changes that were made.
    """
    steps: list[tuple[str, str]] = []
    after = text.replace("\r\n", "\n").replace("\r", "\n")
    steps.append(("line ends", after))
    after = re.sub(r"[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", after)
    steps.append(("characters", after))
    after = _BLANK_LINES.sub("\n\n", _TRAILING_BLANKS.sub("", after)).strip() + "\n"
    steps.append(("white space", after))
    changes = []
    for name, result in steps:
        if result != text:
            changes.append(name)
        text = result
    return text, tuple(changes)


def mend_encoding(text: str) -> tuple[str, bool]:
    """Undo what decoding UTF-8 as another encoding did to a text, by ftfy; tell whether it had."""
    # Without such a letter there is nothing to undo, and asking ftfy takes its time.
    if not _MOJIBAKE.search(text):
        return text, False
    from ftfy import fix_encoding

    mended = fix_encoding(text)
    return mended, mended != text


def clean_text(raw: bytes, where: str) -> CleanText:
    """Decode and tidy a plain-text article.

    Raises:
        InputError: if the bytes are empty or not text.
    """
    decoded, encoding = decode(raw, where)
    decoded, mended = mend_encoding(decoded)
    text, changes = tidy(decoded)
    if mended:
        changes = ("mojibake", *changes)
    title = text.partition("\n")[0]
    return CleanText(text, encoding, changes, {"title": title})
