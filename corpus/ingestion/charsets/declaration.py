"""The character encodings that a page, feed or Content-Type header declares."""

from __future__ import annotations

import re

_MAX_HEAD_BYTES = 2**18
"""Beginning of a page in which a declaration is sought."""
_CHARSET = re.compile(r"charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;\"']+))", re.I)
_TAG = re.compile(
    rb"<(?:(?P<comment>!--)|(?P<meta>meta(?=[\s/]))|(?P<tag>/?[a-z][^\s>]*)|[!/?])", re.I
)
_ATTRIBUTE = re.compile(
    rb"[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(?![\"'])([^\s>]*)))?"
)
_RAW_TEXT = (b"script", b"style", b"title", b"textarea")
"""Elements whose content is no markup."""
_XML = re.compile(rb"<\?xml\b[^>]*?\bencoding\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^>]*>", re.I)
_MAX_DECLARATION_BYTES = 1024
_UTF16_XML = {b"<\0?\0x\0": "utf-16le", b"\0<\0?\0x": "utf-16be"}
_LABELS_IN_MARKUP = {
    **dict.fromkeys(("utf-16", "utf-16le", "utf-16be", "unicode"), "utf-8"),
    "x-user-defined": "windows-1252",
}
"""Labels that cannot be true of markup which was read as ASCII, and what browsers take instead."""


def charset_of_content_type(content_type: str) -> str:
    """Return the charset parameter of a Content-Type header or meta element; empty if none."""
    match = _CHARSET.search(content_type)
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def charsets_of_page(raw: bytes) -> list[str]:
    """Return the labels that a web page declares, in the order in which browsers take them.

    The page is scanned by the algorithm of the HTML standard
    (https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding), but not only
    its first 1,024 bytes, and not inside scripts: browsers decode a page again when they parse a
    meta element that the scan missed. An XML declaration comes last.
    """
    for start, label in _UTF16_XML.items():
        if raw.startswith(start):
            return [label]
    meta = _prescan(raw[:_MAX_HEAD_BYTES])
    return [label for label in (meta, *charsets_of_xml(raw)) if label]


def charsets_of_xml(raw: bytes) -> list[str]:
    """Return the label in an XML declaration, as a list of none or one."""
    for start, label in _UTF16_XML.items():
        if raw.startswith(start):
            return [label]
    match = _XML.match(raw[:_MAX_DECLARATION_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip())
    return [_to_label(match[1] or match[2] or b"")] if match else []


def _prescan(raw: bytes) -> str:
    """Return the label of the first meta element that declares one; empty if none does."""
    position = 0
    unclosed: set[bytes] = set()
    while match := _TAG.search(raw, position):
        if match["comment"]:
            # The two dashes of the end may be those of the beginning: "<!-->" is a comment.
            end = raw.find(b"-->", match.start() + 2)
            if end < 0:
                return ""
            position = end + 3
        elif match["meta"] or match["tag"]:
            attributes, position = _read_attributes(raw, match.end())
            label = _charset_of_meta(attributes) if match["meta"] else ""
            if label:
                return label
            name = (match["tag"] or b"").lower()
            if name in _RAW_TEXT and name not in unclosed:
                end_tag = re.compile(rb"</" + name, re.I).search(raw, position)
                if end_tag:
                    position = end_tag.start()
                else:
                    unclosed.add(name)
        else:
            position = raw.find(b">", match.end()) + 1
            if not position:
                return ""
    return ""


def _read_attributes(raw: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    """Return the attributes from a position, and the position after them; the first one counts."""
    attributes: dict[bytes, bytes] = {}
    while match := _ATTRIBUTE.match(raw, position):
        value = next((group for group in match.groups()[1:] if group is not None), b"")
        attributes.setdefault(match[1].lower(), value)
        position = match.end()
    return attributes, position


def _charset_of_meta(attributes: dict[bytes, bytes]) -> str:
    from webencodings import lookup

    label = _to_label(attributes.get(b"charset", b""))
    if not label and attributes.get(b"http-equiv", b"").strip().lower() == b"content-type":
        content = attributes.get(b"content", b"").decode("latin-1")
        label = _to_label(charset_of_content_type(content).encode("latin-1"))
    return label if lookup(label) else ""


def _to_label(raw: bytes) -> str:
    label = raw.decode("latin-1").strip().lower()
    return _LABELS_IN_MARKUP.get(label, label)
