"""Invitations to choose a password, and new passwords, on the real doccano and in a browser."""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.page.server.accounts import invitations
from orbat.annotation.page.server.accounts.invitations import InvitationStore
from orbat.annotation.page.server.accounts.passwords import Passwords
from orbat.annotation.page.server.accounts.requests import (
    INVITATION,
    PASSWORD,
    AccountRequests,
)
from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.passwords import set_password
from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.errors import ServerError
from tests.conftest import Orbat, Running

PASSWORDS = ("-dash 'and' \"quotes\" \\ $HOME", "ü😀" * 63 + "-'", "--new-password-stdin=x")
SIZES = {"wide": (1280, 800), "phone": (390, 780)}


def invitation_in(text: str) -> str:
    return next(word for word in text.split() if "/orbat/invitation/" in word)


def files_of(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and path.name != "secrets.json"]


@pytest.mark.doccano
@pytest.mark.browser
@pytest.mark.slow
def test_a_person_chooses_the_password_once(
    orbat: Orbat,
    doccano: Running,
    browser: Any,
    tmp_path: Path,
    screenshot: Callable[..., None],
    refused: Callable[..., str],
) -> None:
    name = f"invited-{secrets.token_hex(3)}"
    write_documents(tmp_path / "d.jsonl", [Document("a", "Gen. Smith spoke.")])
    push = ("annotate", "push", tmp_path / "d.jsonl", "--session", tmp_path / "s")
    push = (*push, "--annotators", name, "--suggest", "none")
    pushed = orbat(*push, env=doccano.env)
    assert pushed.code == 0, pushed.err
    link = invitation_in(pushed.out)
    first = read_password(doccano.url, tmp_path / "s", name)
    assert first
    assert first not in pushed.out
    assert not (tmp_path / "s" / "accounts.json").exists()
    # A new session knows the account, and invites nobody again.
    again = orbat(*push[:4], tmp_path / "t", *push[5:], env=doccano.env)
    assert "/orbat/invitation/" not in again.out
    assert open_session(tmp_path / "t").password(name) == first

    for scheme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            viewport = {"width": width, "height": height}
            shown = browser.new_page(viewport=viewport, color_scheme=scheme)
            shown.goto(link)
            assert shown.evaluate("document.documentElement.scrollWidth") == width
            screenshot(shown, f"invitation-{scheme}-{size}")
            shown.close()
    page = browser.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(link)
    assert name in page.inner_text("main")

    def choose(password: str, repeated: str) -> None:
        page.fill("input[name=password]", password)
        page.fill("input[name=again]", repeated)
        page.click("button")

    choose("a long one", "another one")
    assert "differ" in page.inner_text("[role=alert]")
    choose("12345678", "12345678")
    assert "entirely numeric" in page.inner_text("[role=alert]")
    screenshot(page, "invitation-refused")
    choose(PASSWORDS[0], PASSWORDS[0])
    page.wait_for_selector("text=Your password is set")
    screenshot(page, "invitation-done")
    assert [p for p in problems if "400" not in p] == []
    page.click("text=Go to your documents")
    project = open_session(tmp_path / "s").projects[name]
    page.wait_for_url(f"{doccano.url}/orbat/annotate/{project}")
    page.fill("input[name=username]", name)
    page.fill("input[type=password]", PASSWORDS[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Gen. Smith spoke.")
    page.goto(link)
    assert "does not work any longer" in page.inner_text("main")
    screenshot(page, "invitation-closed")
    page.close()

    with doccano.connect() as connection:
        assert not connection.accepts_password(name, first)
    token = link.rpartition("/")[2]
    for path in files_of(doccano.server.home):
        content = path.read_bytes()
        assert token.encode() not in content, path
        assert PASSWORDS[0].encode() not in content, path
        if path.name != "accounts.json":
            assert first.encode() not in content, path
    for folder in ("accounts", "invitations"):
        files = [doccano.server.home / folder, *(doccano.server.home / folder).glob("*.json")]
        assert all(path.stat().st_mode & 0o077 == 0 for path in files)

    # The lead gives a new link, or sets the password.
    password = ("annotate", "password", name)
    newer = [invitation_in(orbat(*password, env=doccano.env).out) for _ in range(2)]
    assert httpx.get(newer[0]).status_code == 404
    body = {"password": "once or not", "again": "once or not"}
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(httpx.post, newer[1], data=body, timeout=60) for _ in range(4)]
    assert sorted(a.result().status_code for a in answers) == [200, 404, 404, 404]
    assert "no such account, or it is an administrator's" in refused(
        "annotate", "password", "admin", env=doccano.env
    )


@pytest.mark.doccano
@pytest.mark.slow
@pytest.mark.parametrize("password", PASSWORDS)
def test_passwords_of_all_characters_are_set_and_work(
    password: str, doccano: Running, tmp_path: Path
) -> None:
    name = f"any-{secrets.token_hex(3)}"
    with doccano.connect() as connection:
        connection.create_user(name, secrets.token_urlsafe(9))
        set_password(connection, name, password)
        assert connection.accepts_password(name, password)
        assert read_password(doccano.url, tmp_path, name) is None
        with pytest.raises(ServerError, match="may not begin or end with a blank"):
            connection.set_password(name, f" {password}")
        with pytest.raises(ServerError, match="may not have a null character"):
            connection.set_password(name, f"a\0{password}")
        user = DoccanoClient(doccano.url, name, password)
        with pytest.raises(ServerError, match="Only an administrator may set passwords"):
            user.set_password(name, "another one")
        connection.set_password(name, "another one")
        with pytest.raises(ServerError, match="Invalid token"):
            user.users()


class Accounts(Passwords):
    """Accounts in memory, of which the database may be locked."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.is_locked = False

    def is_administrator(self, token: str) -> bool:
        return token == "lead"

    def may_be_set(self, username: str) -> bool:
        return True

    def check(self, username: str, password: str) -> None:
        pass

    def set(self, username: str, password: str) -> None:
        if self.is_locked:
            raise OSError("database is locked")
        self.passwords[username] = password


def post(requests: AccountRequests, path: str, body: dict[str, str], *, form: bool = False) -> str:
    """Send a request of an administrator, or a form; return the status line."""
    content = (urlencode(body) if form else json.dumps(body)).encode()
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(content))}
    environ |= {} if form else {"HTTP_AUTHORIZATION": "Token lead"}
    statuses: list[str] = []
    requests.answer(
        {**environ, "wsgi.input": io.BytesIO(content)},
        lambda status, *_: statuses.append(status),
    )
    return statuses[0]


def test_a_password_that_the_lead_sets_ends_the_link(tmp_path: Path) -> None:
    accounts, store = Accounts(), InvitationStore(tmp_path / "invitations")
    requests = AccountRequests(accounts, store)
    token, _ = store.create("ann", None)
    other, _ = store.create("ben", None)
    assert post(requests, PASSWORD, {"username": "ann", "password": "by the lead"}) == "200 OK"
    chosen = {"password": "by another", "again": "by another"}
    assert post(requests, f"{INVITATION}/{token}", chosen, form=True) == "404 Not Found"
    assert accounts.passwords == {"ann": "by the lead"}
    assert store.find(other)


def test_a_link_is_not_used_up_if_the_password_cannot_be_set(tmp_path: Path) -> None:
    accounts, store = Accounts(), InvitationStore(tmp_path / "invitations")
    requests = AccountRequests(accounts, store)
    token, _ = store.create("ann", None)
    chosen = {"password": "a long one", "again": "a long one"}
    accounts.is_locked = True
    with pytest.raises(OSError, match="locked"):
        post(requests, f"{INVITATION}/{token}", chosen, form=True)
    accounts.is_locked = False
    assert post(requests, f"{INVITATION}/{token}", chosen, form=True) == "200 OK"
    assert post(requests, f"{INVITATION}/{token}", chosen, form=True) == "404 Not Found"
    assert accounts.passwords == {"ann": "a long one"}


def test_an_invitation_ends_by_time_use_or_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InvitationStore(tmp_path / "invitations")
    first, _ = store.create("ann", None)
    newer, invitation = store.create("ann", "/orbat/annotate/7")
    other, _ = store.create("ben", None)
    assert store.find(first) is None
    assert store.find(newer) == invitation
    assert store.find("../" + newer) is None
    assert newer not in "".join(
        path.name + path.read_text() for path in (tmp_path / "invitations").iterdir()
    )
    assert (store.use(newer), store.use(newer), store.find(newer)) == (True, False, None)
    later = time.time() + invitations.LIFETIME_SECONDS + 1
    monkeypatch.setattr(invitations.time, "time", lambda: later)
    assert store.find(other) is None
    store.create("cid", None)
    assert len(list((tmp_path / "invitations").iterdir())) == 1
