"""Damaged files: valid content that is changed by random numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

VALUES = [
    *(None, True, 0, -1, 7, 1.5, 1e999, -1e999, 2**31, 2**63, 10**30, float("nan")),
    *("", " ", "x", "0", "-1", "O", "B-", "é\u2028\n", "\ud83d", "2" * 30),
    *([], [0], ["x"], [[]], [{}], [None], {}, {"a": 1}, {"id": []}),
]
"""What any value of a JSON text may become."""
TOKENS = [
    *(b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\xbd", b"\\ud83d", b"\\u0000", b"\r", b"\n\n"),
    b"\x1b[2J",
    *(b"1" * 4301, b"9" * 30, b"1e999", b"-", b"NaN", b"null", b"[" * 3000, b"{" * 300, b'{"a":'),
    *(b"<" * 300, b"<div>" * 300, b"&#x110000;", b"&a;", b"<!DOCTYPE a [", b"<![CDATA[", b"-->"),
    *(b"../../x", b"/etc/passwd", b"file:///etc/passwd", b"http://[::1", b":99999", b"%00", b"\\"),
    *(
        b'"',
        b"'",
        b"'''",
        b'"""',
        b"]",
        b"}",
        b"=",
        b"\t",
        b",",
        b";",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
    ),
]
"""What is inserted: ends of lines, marks of other encodings, numbers that are too long."""
_GROWN_BYTES = 2**18

Files = dict[str, bytes]
"""The files of a source by their relative path; "" for a single file."""


def damage_files(files: Files, random: Random) -> Files:
    """Change one or two files of a source, each at one to three places."""
    changed = dict(files)
    for _ in range(random.randint(1, 2)):
        name = random.choice(sorted(changed))
        for _ in range(random.randint(1, 3)):
            changed[name] = damage(changed[name], random)
    return changed


def damage(content: bytes, random: Random) -> bytes:
    """Change a file at one place: a value if it is JSON, or else bytes or lines."""
    if random.randrange(4):
        changed = _change_any_json(content, random)
        if changed is not None:
            return changed
    return random.choice(_CHANGES)(content, random)


def _change_any_json(content: bytes, random: Random) -> bytes | None:
    """Change a value of a JSON text, or of a line of one; None if there is no JSON."""
    if not content.strip():
        return None
    if content.lstrip()[:1] in b"[{":
        try:
            return change_json(content, random)
        except (ValueError, RecursionError):
            pass
    lines = content.split(b"\n")
    number = random.randrange(len(lines))
    if lines[number].lstrip()[:1] not in (b"[", b"{"):
        return None
    try:
        lines[number] = change_json(lines[number], random)
    except (ValueError, RecursionError):
        return None
    return b"\n".join(lines)


def change_json(content: bytes, random: Random) -> bytes:
    """Replace or remove one value of a JSON text, at any depth."""
    root = [json.loads(content)]
    parent, key = random.choice(_find_places(root))
    if random.randrange(6):
        parent[key] = random.choice(VALUES)
    elif parent is not root:
        del parent[key]
    return json.dumps(root[0]).encode()


def _find_places(value: Any) -> list[tuple[Any, Any]]:
    """Return the containers of all values inside a value, and the keys to them."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    places = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            places += _find_places(value[key])
    return places


def _flip_bit(content: bytes, random: Random) -> bytes:
    if not content:
        return b"\x01"
    at = random.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]


def _insert(content: bytes, random: Random) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + random.choice(TOKENS) + content[at:]


def _overwrite(content: bytes, random: Random) -> bytes:
    token, at = random.choice(TOKENS)[:8], random.randint(0, len(content))
    return content[:at] + token + content[at + len(token) :]


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randint(0, len(content))]


def _drop(content: bytes, random: Random) -> bytes:
    start, end = sorted(random.randint(0, len(content)) for _ in range(2))
    return content[:start] + content[end:]


def _repeat(content: bytes, random: Random) -> bytes:
    start = random.randint(0, len(content))
    end = random.randint(start, min(start + 2000, len(content)))
    return content[:end] + content[start:end] * random.randint(1, 30) + content[end:]


def _grow(content: bytes, random: Random) -> bytes:
    """Repeat a few bytes until a reader that takes the square of their number is seen."""
    if random.randrange(6):
        return _repeat(content, random)
    start = random.randint(0, len(content))
    chunk = content[start : start + random.randint(1, 60)] or b" "
    return content[:start] + chunk * (_GROWN_BYTES // len(chunk)) + content[start:]


def _change_field(content: bytes, random: Random) -> bytes:
    """Replace what is between two tabs, quotes, commas, or signs of markup."""
    separator = random.choice([b"\t", b'"', b",", b">", b" ", b":"])
    fields = content.split(separator)
    value = str(random.choice(VALUES)).encode(errors="surrogatepass")
    fields[random.randrange(len(fields))] = value
    return separator.join(fields)


def _change_lines(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    number, other = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(3)
    if kind == 0:
        del lines[number]
    elif kind == 1:
        lines.insert(other, lines[number])
    else:
        lines[number], lines[other] = lines[other], lines[number]
    return b"\n".join(lines)


_CHANGES: list[Callable[[bytes, Random], bytes]] = [
    *(_flip_bit, _insert, _overwrite, _cut, _drop, _repeat, _grow, _change_field, _change_lines),
]
