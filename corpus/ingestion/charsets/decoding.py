"""Decoding of bytes: by what is declared, else by a guess; repair of wrongly decoded text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ....errors import InputError
from ...reading.bounded import MAX_MARKUP_BYTES

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
"""A byte that is not UTF-8, as the error handler `surrogateescape` decodes it."""
_C1_CONTROL = re.compile("[\x80-\x9f]")
_MOJIBAKE = re.compile("[\u00c2\u00c3\u00c5\u00e2\u0102\u0139\x80-\x9f]")
"""Characters of which at least one occurs in all text that ftfy can repair."""
_MAX_CONTROL_BYTES = 8
"""Control characters, in the first 4,096 bytes, that a text may have."""
_MAX_CONTROL_BYTES_OF_PAGE = 400
_MAX_INVALID_SHARE = 0.05
"""Share of the bytes beyond ASCII up to which a declared encoding may fail."""
_MIN_UTF8_CHARACTERS = 4
"""Characters beyond ASCII from which valid UTF-8 is UTF-8, whatever is declared."""
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
_CODECS = {
    **{f"windows-{n}": f"sloppy-windows-{n}" for n in range(1250, 1259)},
    "gbk": "gb18030",
    "euc-jp": "euc_jis_2004",
}
"""Codecs that decode what browsers decode, where the codec of the same name decodes less. Those of
ftfy decode the bytes that a Windows code page leaves undefined as control characters."""
_CP932_INVALID = re.compile("[\uf8f0-\uf8f3]")
"""Private characters as which Python's cp932 decodes invalid bytes."""
_COMMON_CODECS = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"),
    *("iso8859_2", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
"""Encodings to guess from; others are rarely right, and are tried if none of these fits.
Windows-1252 is taken if none looks more orderly."""
_WINDOWS_OF_ISO = {
    "iso-8859-2": "windows-1250",
    "iso-8859-5": "windows-1251",
    "iso-8859-6": "windows-1256",
    "iso-8859-7": "windows-1253",
    "iso-8859-8": "windows-1255",
    "iso-8859-8-i": "windows-1255",
    "iso-8859-13": "windows-1257",
    "iso-8859-15": "windows-1252",
    "iso-8859-16": "windows-1250",
}
"""Windows code pages that programs write under the name of an ISO encoding."""


class Decoded(NamedTuple):
    """A decoded text.

    Attributes:
        text: the text.
        encoding: the name of its encoding.
        undecodable: number of places whose bytes are invalid in it; U+FFFD stands for them.
    """

    text: str
    encoding: str
    undecodable: int = 0


def decode(
    raw: bytes, location: str, declared: Iterable[str] = (), *, is_page: bool = False
) -> Decoded:
    """Decode bytes by their byte order mark, as declared, or else by a guess.

    The labels are those of the Encoding standard (https://encoding.spec.whatwg.org), in which
    iso-8859-1 is windows-1252. The first declared encoding in which all bytes are valid is taken,
    unless it has one byte a character and the text is valid UTF-8. If none is and few bytes are
    invalid, they become U+FFFD. Without a declaration, or where it plainly fails, the text is
    decoded as UTF-8 or by a guess of charset-normalizer. Bytes that are not UTF-8, in a text that
    mostly is, are decoded as Windows-1252.

    Args:
        raw: the bytes.
        location: their source, for messages.
        declared: labels of encodings, the most important one first.
        is_page: whether some NUL and control characters are allowed, as in browsers.

    Raises:
        InputError: if the bytes are empty, binary or of an unknown encoding.
    """
    if not raw.strip():
        raise InputError(f"{location}: is empty; give a file with text in it")
    if len(raw) > MAX_MARKUP_BYTES:
        raise InputError(f"{location}: larger than {MAX_MARKUP_BYTES >> 20} MB of text; split it")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            raw, declared = raw.removeprefix(mark), [encoding, *declared]
            break
    names = _find_names(declared)
    if not any(name.startswith("utf-16") for name in names[:1]):
        _refuse_binary(raw, location, is_page)
    results = [_decode_as(raw, name) for name in names]
    exact = next((result for result in results if not result.undecodable), None)
    if exact is not None and not _is_utf8_after_all(raw, exact.encoding):
        return exact
    guess = _decode_utf8(raw)
    if guess is not None and (not names or "utf-8" in names or not guess.undecodable):
        return guess
    if exact is not None:
        return exact
    allowed = _MAX_INVALID_SHARE * sum(byte > 127 for byte in raw)
    partial = next((result for result in results if result.undecodable <= allowed), None)
    if partial is None and names and names[0].startswith("utf-16"):
        raise InputError(f"{location}: not valid {names[0]}; save it as UTF-8")
    return partial or guess or _guess(raw, location)


def _refuse_binary(raw: bytes, location: str, is_page: bool) -> None:
    limit = _MAX_CONTROL_BYTES_OF_PAGE if is_page else _MAX_CONTROL_BYTES
    controls = sum(byte < 9 or 13 < byte < 27 for byte in raw[:4096])
    if controls > limit or (b"\0" in raw and not is_page):
        raise InputError(f"{location}: binary data, not text; convert it to text, HTML or JSONL")


def _find_names(labels: Iterable[str]) -> list[str]:
    """Return the names of the encodings that the labels stand for; unknown ones are left out."""
    from webencodings import lookup

    names = [encoding.name for label in labels if (encoding := lookup(label))]
    return [name for name in dict.fromkeys(names) if name != "replacement"]


def _decode_as(raw: bytes, name: str) -> Decoded:
    # Registers the codecs whose names begin with "sloppy".
    import ftfy.bad_codecs  # noqa: F401
    from webencodings import lookup

    codec = _CODECS.get(name) or lookup(name).codec_info.name
    text = raw.decode(codec, "replace")
    if name == "shift_jis":
        text = _CP932_INVALID.sub("\ufffd", text)
    genuine = raw.count("\ufffd".encode(codec)) if name.startswith(("utf", "gb")) else 0
    result = Decoded(text, name, text.count("\ufffd") - genuine)
    windows = _WINDOWS_OF_ISO.get(name)
    controls = set(_C1_CONTROL.findall(text)) if windows else set()
    if not windows or not controls:
        return result
    characters = {c: c.encode("latin-1").decode(f"sloppy-{windows}") for c in controls}
    if any(character.isalpha() for character in characters.values()):
        return _decode_as(raw, windows)
    text = text.translate(str.maketrans(characters))
    return Decoded(text, f"{name} and {windows}", result.undecodable)


def _is_utf8_after_all(raw: bytes, name: str) -> bool:
    """Return whether text is UTF-8 although an encoding of one byte a character is declared."""
    if not name.startswith(("windows-", "iso-8859-", "koi8-", "macintosh", "x-mac-", "ibm")):
        return False
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(character > "\x7f" for character in text) >= _MIN_UTF8_CHARACTERS


def _decode_utf8(raw: bytes) -> Decoded | None:
    """Decode UTF-8, which may contain bytes of Windows-1252; None if it is not mostly UTF-8."""
    text = raw.decode("utf-8", "surrogateescape")
    invalid = len(_ESCAPED_BYTE.findall(text))
    if not invalid:
        return Decoded(text, "utf-8")
    if sum(character > "\x7f" for character in text) < 3 * invalid:
        return None
    text = _ESCAPED_BYTE.sub(
        lambda match: bytes([ord(match[0]) - 0xDC00]).decode("windows-1252", "replace"), text
    )
    genuine = raw.count("\ufffd".encode())
    return Decoded(text, "utf-8 and windows-1252", text.count("\ufffd") - genuine)


def _guess(raw: bytes, location: str) -> Decoded:
    from charset_normalizer import from_bytes

    matches = from_bytes(raw, cp_isolation=_COMMON_CODECS) or from_bytes(raw)
    best = matches.best()
    if best is None:
        raise InputError(f"{location}: binary data or an unknown encoding; save it as UTF-8")
    western = (match for match in matches if "cp1252" in match.could_be_from_charset)
    # charset-normalizer compares texts with languages; letters of a few names decide little.
    best = next((match for match in western if match.chaos <= best.chaos), best)
    return Decoded(str(best), best.encoding)


def replace_controls(text: str) -> tuple[str, int]:
    """Replace the control characters U+0080 to U+009F by U+FFFD; return the text and their number.

    In a text that was decoded they are bytes for which its encoding has no character.
    """
    return _C1_CONTROL.subn("\ufffd", text)


def repair_encoding(text: str) -> tuple[str, bool]:
    """Repair text that was decoded with a wrong encoding (mojibake), by ftfy.

    Returns:
        The text and whether it was changed.
    """
    # Texts without such a character need no repair; the check is much faster than ftfy.
    if not _MOJIBAKE.search(text):
        return text, False
    from ftfy import fix_encoding

    repaired = fix_encoding(text)
    return repaired, repaired != text
