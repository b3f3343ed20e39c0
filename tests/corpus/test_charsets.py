"""Encodings of pages and texts: what is declared, what browsers take, and what is guessed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.charsets.declaration import (
    charset_of_content_type,
    charsets_of_page,
    charsets_of_xml,
)
from orbat.corpus.ingestion.charsets.decoding import decode
from orbat.corpus.ingestion.pages.html import clean_html
from orbat.corpus.ingestion.text import CleanText, clean_text
from tests.conftest import Orbat

PARAGRAPH = (
    "Neither of the two would say how long the talks in the old barracks by the river had lasted, "
    "but an aide said that both sides had asked for a longer pause between the two exercises."
)
NAMES = {
    "iso-8859-1": "Gen. André Côté met Hélène Forêt",
    "iso-8859-2": "Gen. Łukasz Śląski met Żaneta Gęś",
    "iso-8859-15": "Gen. André Cœur met Hélène Žak",
    "koi8-r": "Gen. Иван Петров met Олег Сидоров",
    "windows-1250": "Gen. Łukasz Śląski met Žaneta Šťastná",
    "windows-1251": "Gen. Тарас Шевчук met Олена Їжак",
    "windows-1252": "Gen. André “Bo” Côté met Hélène Forêt’s aide",
    "windows-1254": "Gen. İsmail Şağdağ met Gülşen Işık",
    "shift_jis": "山田陸将 met 佐藤二佐",
    "gb2312": "王将军 met 李上校",
    "euc-kr": "김 대장 met 박 소령",
    "big5": "陳將軍 met 林上校",
    "utf-8": "Gen. Łukasz “Bo” Côté met Олег",
}
SCRIPT = '<script src="/banner.js" charset="UTF-8"></script>'


def page(names: str, charset: str, head: str) -> bytes:
    markup = (
        f"<!DOCTYPE html><html><head>{head}<title>Talks in the barracks</title></head><body>"
        f"<article><h1>Talks in the barracks</h1><p>{names} in Drawsko. {PARAGRAPH}</p>"
        f"<p>{PARAGRAPH} A second meeting will follow.</p></article></body></html>"
    )
    return markup.encode(charset)


def clean(names: str, charset: str, head: str, transport: str = "") -> CleanText:
    return clean_html(page(names, charset, head), "page.html", transport)


@pytest.mark.parametrize("charset", NAMES)
@pytest.mark.parametrize(
    "head",
    [
        SCRIPT + '<meta charset="{0}">',
        "<!-- <meta charset=utf-8> --><META CHARSET={0} />",
        "<meta name=x content='text/html; charset=utf-8'>"
        '<meta content="text/html; charset={0}" http-equiv="Content-Type">',
        "<script>" + "x = '<meta charset=utf-16>';" * 60 + "</script><meta charset='{0}'>",
        f'<!-- {"a long license " * 90} --><meta charset="{{0}}">',
    ],
    ids=["script", "comment", "http-equiv", "script over 1 kB", "comment over 1 kB"],
)
def test_the_charset_that_the_page_declares_is_used(charset: str, head: str) -> None:
    cleaned = clean(NAMES[charset], charset, head.format(charset))
    assert f"{NAMES[charset]} in Drawsko." in cleaned.text
    assert not cleaned.undecodable


@pytest.mark.parametrize("charset", NAMES)
def test_the_header_counts_more_than_the_page(charset: str) -> None:
    other = "windows-1253" if charset != "utf-8" else "utf-8"
    assert NAMES[charset] in clean(NAMES[charset], charset, f"<meta charset={other}>", charset).text


def test_a_byte_order_mark_counts_more_than_header_and_page() -> None:
    for mark, charset in (("\ufeff", "utf-8"), ("\ufeff", "utf-16le"), ("\ufeff", "utf-16be")):
        raw = mark.encode(charset) + page(NAMES["utf-8"], charset, "<meta charset=koi8-r>")
        assert NAMES["utf-8"] in clean_html(raw, "page.html", "windows-1251").text


def test_a_declaration_that_plainly_fails_is_not_followed() -> None:
    polish, french = NAMES["windows-1250"], NAMES["iso-8859-1"]
    # A server that declares UTF-8, or a Western encoding, for all its pages.
    assert polish in clean(polish, "windows-1250", "<meta charset=windows-1250>", "utf-8").text
    assert NAMES["utf-8"] in clean(NAMES["utf-8"], "utf-8", "", "iso-8859-1").text
    assert french in clean(french, "iso-8859-1", "<meta charset=utf-8>").text
    assert french in clean(french, "iso-8859-1", "<meta charset=unknown-8>").text
    assert polish in clean(polish, "cp1250", "<meta charset=cp1250>", "unknown-8").text


def test_windows_characters_in_iso_pages_are_read() -> None:
    quotes = "“Łukasz” – the Army’s man…"
    assert quotes in clean(quotes, "cp1250", "<meta charset=iso-8859-2>").text
    mixed = "Gęś".encode("iso-8859-2") + " “here”".encode("cp1250")
    raw = page("NAMES", "ascii", "<meta charset=iso-8859-2>").replace(b"NAMES", mixed)
    assert "Gęś “here”" in clean_html(raw, "page.html").text
    letters = "Šimon Žák “Śląsk”"
    assert letters in clean(letters, "cp1250", "<meta charset=iso-8859-2>").text
    assert "Cœur’s" in clean("Cœur’s", "cp1252", "<meta charset=us-ascii>").text


def test_bytes_that_are_invalid_in_the_charset_are_counted(orbat: Orbat, tmp_path: Path) -> None:
    raw = page("Gen. 山田 met A@Z " + "佐藤" * 60, "shift_jis", "<meta charset=sjis>")
    raw = raw.replace(b"@", b"\xff")
    (tmp_path / "page.html").write_bytes(raw)
    outcome = orbat("corpus", "add", tmp_path / "page.html", "--output", tmp_path / "n.jsonl")
    (document,) = read_documents(tmp_path / "n.jsonl")
    assert "山田 met A\ufffdZ 佐藤" in document.text
    assert document.meta["provenance"]["undecodable"] == 1
    (line,) = outcome.err.splitlines()
    assert line == "warning: page: 1 place is not valid shift_jis and became U+FFFD"


@pytest.mark.parametrize(
    ("raw", "labels"),
    [
        (b"<meta charset=' Latin1 '>", ["latin1"]),
        (b"<meta charset=utf-16>", ["utf-8"]),
        (b"<meta charset=x-user-defined>", ["windows-1252"]),
        (b"<meta/charset=koi8-r>", ["koi8-r"]),
        (b"<metadata charset=koi8-r>", []),
        (b"<div title='<meta charset=koi8-r>'>", []),
        (b"<a href=x><meta charset=koi8-r>", ["koi8-r"]),
        (b"<!--><meta charset=koi8-r>-->", ["koi8-r"]),
        (b"<? <meta charset=koi8-r><meta charset=gbk>", ["gbk"]),
        (b"<meta content='text/html; charset=koi8-r'>", []),
        (b"<meta http-equiv=content-type content='text/html;charset=\"koi8-r\"'>", ["koi8-r"]),
        (b"<meta charset=none><meta charset=gbk>", ["gbk"]),
        (b"<meta charset=gbk charset=koi8-r>", ["gbk"]),
        (b"<?xml version='1.0' encoding='koi8-r'?><html>", ["koi8-r"]),
        (b"<?xml version='1.0' encoding='koi8-r'?><meta charset=gbk>", ["gbk", "koi8-r"]),
        ("<?xml version='1.0'?>".encode("utf-16le"), ["utf-16le"]),
    ],
)
def test_declarations_are_found_as_browsers_find_them(raw: bytes, labels: list[str]) -> None:
    assert charsets_of_page(raw) == labels


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        ("text/html; charset=ISO-8859-2", "ISO-8859-2"),
        ('text/html;version=1; Charset = "utf-8"', "utf-8"),
        ("text/html; charset='koi8-r';x=y", "koi8-r"),
        ("text/html", ""),
        ("text/html; charset=", ""),
        ("", ""),
    ],
)
def test_the_charset_of_a_header(header: str, charset: str) -> None:
    assert charset_of_content_type(header) == charset


TOKENS = (b"<meta", b"charset", b"=", b"'", b'"', b"<!--", b">", b" ", b"/", b"<script", b"</")


@given(st.lists(st.sampled_from(TOKENS)))
def test_any_markup_is_scanned(tokens: Iterable[bytes]) -> None:
    raw = b"".join(tokens)
    assert isinstance(charsets_of_page(raw), list)
    assert charsets_of_xml(raw) == []


@given(st.text(alphabet=st.characters(codec="windows-1252"), min_size=1).filter(str.strip))
def test_text_in_its_declared_charset_is_read_exactly(text: str) -> None:
    text = "".join(c for c in text if c >= " ") + "€ü"
    decoded = decode(text.encode("windows-1252"), "x", ["latin1"])
    assert decoded.text == text or decoded.encoding == "utf-8"


def test_joiners_in_words_and_emoji_are_kept() -> None:
    words = "می\u200cخواهم 👩\u200d✈️ 🏴\U000e0067\U000e0062\U000e007f"
    assert words in clean(words, "utf-8", "<meta charset=utf-8>").text
    assert words in clean_text(words.encode(), "text.txt").text


def test_control_characters_of_a_page_are_what_browsers_show() -> None:
    cleaned = clean("Ma\0j. D\x01oe &#150; &#x93;it&#148; &#0;", "utf-8", "<meta charset=utf-8>")
    assert "Maj. Doe – “it” \ufffd in Drawsko" in cleaned.text
