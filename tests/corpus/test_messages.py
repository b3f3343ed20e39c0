"""E-mails, mailboxes and web pages saved as MHTML."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import ReaderOptions
from orbat.corpus.ingestion.readers import read_file
from orbat.corpus.rejected import Rejected
from tests.conftest import Orbat

TEXT = "The 4th Brigade took the port on Monday, said Gen. Doe."
OTHER = "Three frigates left the bay before noon."
PAGE = f"<html><body><article><p>{TEXT}</p><p>{OTHER}</p></article></body></html>"


def mail(text: str = "", charset: str = "utf-8", *, html: str = "", attach: str = "") -> bytes:
    message = EmailMessage()
    message["From"] = "Ann Roe <ann@desk.test>"
    message["Subject"] = "Café at the port"
    message["Date"] = "Mon, 06 May 2024 10:00:00 +0200"
    message["Message-ID"] = "<1@desk.test>"
    if text:
        message.set_content(text, charset=charset)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    if attach:
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=attach)
    return message.as_bytes()


def saved_page(*, named: bool = True) -> bytes:
    """Write a saved web page with a frame, as browsers do."""
    location = "Snapshot-Content-Location: https://site.test/a\n" if named else ""
    frame = f"https://ads.test/frame\n\n<html><body><p>Buy. {'x ' * 40}</p></body></html>\n"
    page = f"https://site.test/a\n\n{PAGE.replace('Doe.', 'Doe =E2=80=93 again.')}\n"
    parts = [frame, page] if named else [page, frame]
    head = "--B\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n"
    body = "".join(f"{head}Content-Location: {part}" for part in parts)
    return (
        f"From: <Saved by a browser>\n{location}Subject: Port\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/related; type="text/html"; boundary="B"\n\n{body}'
        "--B\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n--B--\n"
    ).encode()


def read(path: Path, content: bytes) -> tuple[list[Any], list[str]]:
    """Return the documents or reasons for their rejection, and the notices without the path."""
    path.write_bytes(content)
    notices: list[str] = []
    results = [
        raw.reason if isinstance(raw, Rejected) else make_document(raw, clean=False)
        for raw in read_file(path, ReaderOptions(None, notices.append))
    ]
    return results, [notice.removeprefix(f"{path}: ") for notice in notices]


def test_an_e_mail_is_read_through_the_command_line(orbat: Orbat, tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(mail(TEXT, html="<p>no</p>", attach="map.pdf"))
    output = tmp_path / "out.jsonl"
    outcome = orbat("corpus", "add", path, "--output", output)
    assert outcome.code == 0, outcome.err
    assert outcome.err == f"warning: {path}: 1 attachment not read: map.pdf\n"
    (document,) = read_documents(output)
    assert (document.id, document.text) == ("a", f"{TEXT}\n")
    meta = {name: document.meta[name] for name in ("title", "author", "date")}
    assert meta == {
        "title": "Café at the port",
        "author": "Ann Roe <ann@desk.test>",
        "date": "2024-05-06T10:00:00+02:00",
    }


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
def test_the_charset_of_the_part_is_used(tmp_path: Path, charset: str) -> None:
    (document,), _ = read(tmp_path / "a.eml", mail("Бригада вошла в порт.", charset))
    assert document.text == "Бригада вошла в порт.\n"


def test_an_unknown_charset_is_guessed(tmp_path: Path) -> None:
    content = b"From: a\nContent-Type: text/plain; charset=none-such\n\nCaf\xc3\xa9 at the port.\n"
    (document,), _ = read(tmp_path / "a.eml", content)
    assert document.text == "Café at the port.\n"


def test_the_page_of_an_e_mail_without_text_is_extracted(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.eml", mail(html=PAGE))
    assert document.text == f"{TEXT}\n\n{OTHER}\n"


def test_a_mailbox_with_a_line_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.mbox"
    with path.open("wb") as file:
        file.write(b"From ann@desk.test Mon May  6 10:00:00 2024\n" + mail(TEXT))
        file.truncate(65 * 2**20)
    (article,) = read_file(path, ReaderOptions())
    assert str(article) == f"{path}: a line is longer than 64 MB; split it"


@pytest.mark.parametrize("name", ["a.txt", "a", "1714.M1.host:2,S"])
def test_an_e_mail_is_recognized_by_its_header(tmp_path: Path, name: str) -> None:
    (document,), notices = read(tmp_path / name, mail(TEXT))
    assert document.text == f"{TEXT}\n"
    assert notices == ["read as an e-mail or saved page"]


def test_text_that_begins_like_a_header_stays_text(tmp_path: Path) -> None:
    text = f"Monday: {TEXT}\nFrom: the desk\n"
    (document,), notices = read(tmp_path / "a.txt", text.encode())
    assert (document.text, notices) == (text, [])


def test_all_e_mails_of_a_mailbox_are_read(tmp_path: Path) -> None:
    start = b"From ann@desk.test Mon May  6 10:00:00 2024\n"
    second = b"Subject: Bay\n\nNoon.\n>From the bay, tugs.\n"
    no_text = b"Subject: x\nContent-Type: image/png\n\nAAAA\n"
    box = b"\n".join(start + message for message in (mail(TEXT), second, no_text))
    results, _ = read(tmp_path / "box.mbox", box)
    assert [document.id for document in results[:2]] == ["box-1", "box-2"]
    assert results[0].text.strip() == TEXT
    assert results[1].text == "Noon.\nFrom the bay, tugs.\n"
    assert results[2] == "has no text or HTML part; save its text"


@pytest.mark.parametrize("name", ["a.mhtml", "a.mht", "a.saved"])
def test_the_saved_page_is_read_and_not_its_frames(tmp_path: Path, name: str) -> None:
    (document,), _ = read(tmp_path / name, saved_page())
    assert document.text == f"{TEXT.replace('Doe.', 'Doe – again.')}\n\n{OTHER}\n"
    assert document.meta["url"] == "https://site.test/a"


def test_without_its_location_the_first_page_is_read(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path / "a.mht", saved_page(named=False))
    assert document.text.startswith("The 4th Brigade")
    assert document.meta["url"] == "https://site.test/a"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.eml", TEXT.encode(), "not an e-mail or MHTML, it has no header; give its text"),
        ("a.mhtml", b"", "not an e-mail or MHTML, it has no header; give its text"),
        ("a.eml", b"Subject: a\n\n", "has no text or HTML part; save its text"),
        ("a.mbox", b"hello", "holds no e-mail, no line begins with 'From '"),
    ],
)
def test_what_is_no_message_is_refused(
    refused: Callable[..., str], tmp_path: Path, name: str, content: bytes, line: str
) -> None:
    (tmp_path / name).write_bytes(content)
    message = refused("corpus", "add", tmp_path / name, "--output", tmp_path / "out.jsonl")
    assert message == f"{tmp_path / name}: {line}"


def test_long_headers_that_are_not_read_are_no_obstacle(tmp_path: Path) -> None:
    people = ",\n ".join(f"Person {number} <person.{number}@desk.test>" for number in range(2000))
    references = "\n ".join(f"<{number}@desk.test>" for number in range(2000))
    head = f"To: {people}\nCc: {people}\nReferences: {references}\n".encode()
    (document,), _ = read(tmp_path / "a.eml", head + mail(TEXT))
    assert document.text.strip() == TEXT
    assert document.meta["title"] == "Café at the port"


def test_a_header_that_takes_long_to_parse_is_refused(tmp_path: Path) -> None:
    parameters = "; ".join(f"a{number}=b" for number in range(4000))
    nested = (
        "Subject: x\nContent-Type: multipart/mixed; boundary=B\n\n"
        f"--B\nContent-Type: text/plain; {parameters}\n\n{TEXT}\n--B--\n"
    )
    for message in (f"Subject: x\nContent-Type: text/plain; {parameters}\n\n{TEXT}\n", nested):
        (reason,), _ = read(tmp_path / "a.eml", message.encode())
        assert reason == "has a header 'Content-Type' of more than 16,384 characters; save its text"
