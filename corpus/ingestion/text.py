"""Plain text: decoding, repair of encoding errors, white space."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import InputError

_TRAILING_BLANKS = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")
_HTML_START = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
"""A byte that is not UTF-8, as the error handler `surrogateescape` decodes it."""
_MOJIBAKE = re.compile("[\u00c2\u00c3\u00c5\u00e2\u0102\u0139]")
"""Letters of which at least one occurs in all text that ftfy can repair."""
_MAX_CONTROL_BYTES = 8
"""Control characters, in the first 4,096 bytes, that a text may have."""


@dataclass(frozen=True)
class CleanText:
    """A clean text and the record of how it was made.

    Attributes:
        text: the text.
        encoding: the encoding of its bytes.
        changes: names of the changes made to the decoded text.
        metadata: title, author, date and the like, where the article has them.
    """

    text: str
    encoding: str
    changes: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def decode(raw: bytes, location: str) -> tuple[str, str]:
    """Decode bytes by their byte order mark, as UTF-8, or by a guess of charset-normalizer.

    Bytes that are not UTF-8, in a text that mostly is, are decoded as Windows-1252.

    Returns:
        The text and the name of the encoding.

    Raises:
        InputError: if the bytes are empty, binary or of an unknown encoding.
    """
    if not raw.strip():
        raise InputError(f"{location}: is empty; give a file with text in it")
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise InputError(f"{location}: not valid {encoding}; save it as UTF-8") from error
    control_bytes = sum(byte < 9 or 13 < byte < 27 for byte in raw[:4096])
    if b"\0" in raw or control_bytes > _MAX_CONTROL_BYTES:
        raise InputError(f"{location}: binary data, not text; convert it to text, HTML or JSONL")
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
                f"{location}: binary data or an unknown encoding; save it as UTF-8"
            ) from None
        return str(best), best.encoding


def _decode_mixed(raw: bytes) -> str | None:
    """Decode UTF-8 that contains bytes of Windows-1252; None if it is not mostly UTF-8."""
    text = raw.decode("utf-8", "surrogateescape")
    invalid = len(_ESCAPED_BYTE.findall(text))
    if sum(character > "\x7f" for character in text) < 3 * invalid:
        return None
    return _ESCAPED_BYTE.sub(
        lambda match: bytes([ord(match[0]) - 0xDC00]).decode("windows-1252", "replace"), text
    )


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
    tidied = _BLANK_LINES.sub("\n\n", _TRAILING_BLANKS.sub("", tidied)).strip() + "\n"
    steps.append(("white space", tidied))
    changes = []
    for name, result in steps:
        if result != text:
            changes.append(name)
        text = result
    return text, tuple(changes)


def repair_encoding(text: str) -> tuple[str, bool]:
    """Repair text that was decoded with a wrong encoding (mojibake), by ftfy.

    Returns:
        The text and whether it was changed.
    """
    # Texts without such a letter need no repair; the check is much faster than ftfy.
    if not _MOJIBAKE.search(text):
        return text, False
    from ftfy import fix_encoding

    repaired = fix_encoding(text)
    return repaired, repaired != text


def clean_text(raw: bytes, location: str) -> CleanText:
    """Decode, repair and tidy a plain-text article; its first line is its title.

    Raises:
        InputError: if the bytes are empty or not text.
    """
    decoded, encoding = decode(raw, location)
    decoded, is_repaired = repair_encoding(decoded)
    text, changes = tidy(decoded)
    if is_repaired:
        changes = ("mojibake", *changes)
    title = text.partition("\n")[0]
    return CleanText(text, encoding, changes, {"title": title})
