"""Readers of e-mail (RFC 5322), mailboxes and web pages saved as MHTML (RFC 2557)."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from functools import partial
from pathlib import Path
from typing import Any, cast

from ...errors import InputError
from ..addresses import hide_password
from ..reading.boundary import guard
from ..reading.bounded import check_lines, read_limited
from .raw_article import RawArticle, RawArticles, ReaderOptions

MESSAGE_EXTENSIONS = (".eml", ".emlx", ".mht", ".mhtml")
MAILBOX_EXTENSIONS = (".mbox",)
_HEADER_START = re.compile(
    rb"(?:From [^\n]+\n)?[!-9;-~]+:[^\n]*\n(?:[!-9;-~]+:[^\n]*\n|[ \t][^\n]*\n)*"
)
_MAIL_HEADER = re.compile(rb"^(?:mime-version|message-id|received|delivered-to):", re.I | re.M)
_MAX_HEADER_CHARACTERS = 2**14
"""Longest header that is parsed; the time to parse one grows with the square of its length."""
_ESCAPED_FROM = re.compile(rb"^>(>*From )", re.M)


class _Policy(policy.EmailPolicy):
    """How `email` reads a message: as usual, but no header that takes long to parse.

    Headers are parsed when they are read. Those that are not, such as `To`, may have any length.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:
        """Return the parsed value of a header."""
        if len(value) > _MAX_HEADER_CHARACTERS:
            limit = f"{_MAX_HEADER_CHARACTERS:,} characters"
            raise InputError(f"has a header '{name[:40]}' of more than {limit}; save its text")
        parsed: str = super().header_fetch_parse(name, value)
        return parsed


@dataclass(frozen=True)
class _Parts:
    """The parts of a message: those with text, and the names of the others."""

    plain: MIMEPart | None
    html: MIMEPart | None
    others: tuple[str, ...]


def looks_like_message(content: bytes) -> bool:
    """Return whether bytes begin with the header of an e-mail or of a saved web page."""
    header = _HEADER_START.match(content[:65536].replace(b"\r\n", b"\n"))
    return header is not None and _MAIL_HEADER.search(header[0]) is not None


def read_message(raw: RawArticle, options: ReaderOptions) -> RawArticle:
    """Return the article in an e-mail or MHTML file.

    Of an e-mail, that is its first plain text, or without one its first HTML part; subject, date
    and sender become metadata. Attachments are not read, but named. Of MHTML, it is the page that
    was saved, with its URL.

    Args:
        raw: the file's bytes.
        options: whom to tell about attachments.

    Raises:
        InputError: if it is no message or contains no text.
    """
    content = raw.content
    if raw.extension == ".emlx":  # Apple Mail: the length, the message, a property list.
        length, _, rest = content.partition(b"\n")
        content = rest[: int(length)] if length.strip().isdigit() else content
    message = cast(EmailMessage, message_from_bytes(content, policy=_Policy()))
    if not message.keys():
        raise InputError(f"{raw.location}: not an e-mail or MHTML, it has no header; give its text")
    url = _header(message, "Snapshot-Content-Location") or _header(message, "Content-Location")
    parts = _find_parts(message, url)
    is_page = message.get_content_type() in ("multipart/related", "text/html")
    if parts.html and is_page and (url or raw.extension in (".mht", ".mhtml")):
        url = url or _header(parts.html, "Content-Location")
        origin = {**raw.origin, **({"url": hide_password(url)} if "://" in url else {})}
        return replace(_with_part(raw, parts.html), origin=origin)
    if parts.others:
        names = ", ".join(parts.others[:10]) + (", …" if len(parts.others) > 10 else "")
        kind = "attachment" if len(parts.others) == 1 else "attachments"
        options.notify(f"{raw.location}: {len(parts.others)} {kind} not read: {names}")
    part = parts.plain or parts.html
    if part is None:
        raise InputError(f"{raw.location}: has no text or HTML part; save its text")
    return replace(_with_part(raw, part), metadata=_metadata(message))


def read_mailbox(path: Path, options: ReaderOptions) -> RawArticles:
    """Yield the e-mails of a mailbox (RFC 4155).

    Raises:
        InputError: if it holds no e-mail, or a line is too long.
    """
    check_lines(path)
    box = mailbox.mbox(path, create=False)
    try:
        number = 0
        for number, key in enumerate(box.iterkeys(), 1):
            location = f"{path}: message {number}"
            yield guard(location, partial(_read_mail, box, key, number, path, options))
        if not number:
            raise InputError(f"{path}: holds no e-mail, no line begins with 'From '")
    finally:
        box.close()


def _read_mail(
    box: mailbox.mbox, key: str, number: int, path: Path, options: ReaderOptions
) -> RawArticle:
    location = f"{path}: message {number}"
    with box.get_file(key) as file:
        content = read_limited(file, location)
    # A mailbox puts ">" before a line of the text that begins with "From ".
    content = _ESCAPED_FROM.sub(rb"\1", content)
    origin = {"file": f"{path.name}: message {number}"}
    raw = RawArticle(location, f"{path.stem}-{number}", content, extension=".eml", origin=origin)
    return read_message(raw, options)


def _find_parts(message: MIMEPart, url: str) -> _Parts:
    """Find the text of a message; the HTML part with the given URL is preferred."""
    plain: MIMEPart | None = None
    html: MIMEPart | None = None
    others: list[str] = []
    for part in _leaves(message):
        is_attached = part.get_content_disposition() == "attachment"
        media_type = part.get_content_type()
        is_blank = not _payload(part).strip()
        if media_type == "text/html" and url and _header(part, "Content-Location") == url:
            html = part
        elif media_type == "text/plain" and not (is_attached or is_blank or plain):
            plain = part
        elif media_type == "text/html" and not (is_attached or is_blank or html):
            html = part
        elif is_attached or not (is_blank and media_type in ("text/plain", "text/html")):
            others.append(_file_name(part) or media_type)
    return _Parts(plain, html, tuple(others))


def _leaves(message: MIMEPart) -> Iterator[MIMEPart]:
    """Yield the parts that contain no others; a message that is attached is one part."""
    if not message.is_multipart() or message.get_content_type() == "message/rfc822":
        yield message
        return
    for part in message.iter_parts():
        yield from _leaves(part)


def _with_part(raw: RawArticle, part: MIMEPart) -> RawArticle:
    """Return the article with the bytes, type and charset of a part of the message."""
    return replace(
        raw,
        content=_payload(part),
        extension=".html" if part.get_content_type() == "text/html" else ".txt",
        charset=part.get_content_charset() or "",
    )


def _payload(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _metadata(message: MIMEPart) -> dict[str, Any]:
    found = {"title": _header(message, "Subject"), "author": _header(message, "From")}
    try:
        date = message["Date"].datetime.isoformat()
    except (AttributeError, ValueError, TypeError, IndexError):
        date = _header(message, "Date")
    return {name: value for name, value in {**found, "date": date}.items() if value}


def _header(part: MIMEPart, name: str) -> str:
    """Return a header as text; "" if it is missing, or so damaged that `email` cannot read it."""
    try:
        value = str(part[name] or "")
    except (AttributeError, ValueError, TypeError, IndexError, LookupError):
        return ""
    value = value.encode("utf-8", "replace").decode()
    return " ".join(value.split())


def _file_name(part: MIMEPart) -> str:
    try:
        return part.get_filename() or ""
    except (AttributeError, ValueError, TypeError, IndexError, LookupError):
        return ""
