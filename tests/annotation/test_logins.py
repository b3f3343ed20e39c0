"""Wrong passwords are slowed down, by account and address."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.page.home_settings import FOLDER
from orbat.annotation.page.server.login_counts import (
    MAX_FAILURES,
    MAX_FAILURES_IN_ALL,
    WINDOW_SECONDS,
    LoginCounts,
)
from orbat.errors import ServerError
from tests.conftest import Running


class Clock:
    """A clock that tests set."""

    seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts(tmp_path: Path, clock: Clock) -> LoginCounts:
    return LoginCounts(tmp_path / "logins.sqlite3", "key", clock)


def fail(counts: LoginCounts, account: str, address: str, times: int = MAX_FAILURES) -> None:
    for _ in range(times):
        counts.add_failure(account, address)


def test_an_account_waits_at_one_address_until_its_first_failure_is_old(
    counts: LoginCounts, clock: Clock
) -> None:
    fail(counts, "ann", "192.0.2.1", MAX_FAILURES - 1)
    assert counts.seconds_to_wait("ann", "192.0.2.1") == 0
    clock.seconds += 60
    fail(counts, "ann", "192.0.2.1", 1)
    assert WINDOW_SECONDS - 60 <= counts.seconds_to_wait("ann", "192.0.2.1") <= WINDOW_SECONDS - 59
    # Nobody else does: not the team behind the same proxy, nor she elsewhere.
    assert counts.seconds_to_wait("ben", "192.0.2.1") == 0
    assert counts.seconds_to_wait("ann", "192.0.2.2") == 0
    clock.seconds += counts.seconds_to_wait("ann", "192.0.2.1")
    assert counts.seconds_to_wait("ann", "192.0.2.1") == 0


def test_a_login_forgets_the_failures_of_its_account_and_address_only(counts: LoginCounts) -> None:
    for account in ("ann", "ben"):
        fail(counts, account, "192.0.2.1")
    counts.add_success("ann", "192.0.2.1")
    assert counts.seconds_to_wait("ann", "192.0.2.1") == 0
    assert counts.seconds_to_wait("ben", "192.0.2.1") > 0


def test_who_tries_many_addresses_or_accounts_waits_and_the_team_does_not(
    counts: LoginCounts,
) -> None:
    counts.add_success("ann", "192.0.2.1")
    for number in range(MAX_FAILURES_IN_ALL):
        counts.add_failure("ann", f"198.51.100.{number}")
        counts.add_failure(f"guess {number}", "192.0.2.1")
    assert counts.seconds_to_wait("ann", "203.0.113.9") > 0
    assert counts.seconds_to_wait("ben", "192.0.2.1") > 0
    assert counts.seconds_to_wait("ann", "192.0.2.1") == 0
    assert counts.seconds_to_wait("ben", "203.0.113.9") == 0


def test_a_clock_that_is_set_back_locks_nobody_out(counts: LoginCounts, clock: Clock) -> None:
    fail(counts, "ann", "192.0.2.1")
    clock.seconds -= 1_000_000
    assert counts.seconds_to_wait("ann", "192.0.2.1") == 0
    fail(counts, "ann", "192.0.2.1")
    assert 0 < counts.seconds_to_wait("ann", "192.0.2.1") <= WINDOW_SECONDS + 1


def test_addresses_of_one_ipv6_network_are_one(counts: LoginCounts) -> None:
    for number in range(MAX_FAILURES):
        counts.add_failure("ann", f"2001:db8:0:1::{number:x}")
    assert counts.seconds_to_wait("ann", "2001:db8:0:1:ffff::1") > 0
    assert counts.seconds_to_wait("ann", "2001:db8:0:2::1") == 0
    fail(counts, "ben", "::ffff:192.0.2.1")
    assert counts.seconds_to_wait("ben", "192.0.2.1") > 0


def test_the_file_names_nobody_and_counts_for_all_processes(
    counts: LoginCounts, clock: Clock, tmp_path: Path
) -> None:
    fail(counts, "my secret password", "192.0.2.1")
    content = (tmp_path / "logins.sqlite3").read_bytes()
    assert b"secret" not in content
    assert b"192.0.2" not in content
    other = LoginCounts(tmp_path / "logins.sqlite3", "key", clock)
    assert other.seconds_to_wait("my secret password", "192.0.2.1") > 0


@pytest.mark.doccano
@pytest.mark.slow
def test_doccano_refuses_passwords_after_too_many_wrong_ones(doccano: Running) -> None:
    with doccano.connect() as connection:
        connection.create_user("guessed", "a right password")
        for _ in range(MAX_FAILURES):
            assert not connection.accepts_password("guessed", "a wrong one")
        with pytest.raises(ServerError, match=r"too many wrong passwords for 'guessed'.* in \d+ s"):
            connection.accepts_password("guessed", "a right password")
    login = f"{doccano.url}/v1/auth/login/"
    body = {"username": "guessed", "password": "a right password"}
    answer = httpx.post(login, json=body)
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("Too many wrong passwords.")
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_SECONDS
    # There is no proxy that could say so.
    assert httpx.post(login, json=body, headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 429
    # The pages that are not doccano's API, too.
    with httpx.Client(base_url=doccano.url) as browser:
        browser.get("/admin/login/")
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post("/admin/login/", data=body | token)
        assert answer.status_code == 429
        assert answer.text.startswith("Too many wrong passwords.")
        assert int(answer.headers["retry-after"]) > 0


_ADDRESSES = """
import sys
from types import SimpleNamespace
from django.conf import settings
settings.configure(HAS_PUBLIC_ADDRESS=sys.argv[1] == "public")
from server.login_limit import _address
for remote in ("127.0.0.1", "198.51.100.4"):
    for forwarded in ("192.0.2.8, 192.0.2.7", ""):
        meta = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
        print(_address(SimpleNamespace(META=meta)))
"""


@pytest.mark.doccano
@pytest.mark.slow
def test_only_a_proxy_in_front_may_say_an_address(doccano: Running) -> None:
    def addresses(kind: str) -> list[str]:
        command = [doccano.server.environment / "bin" / "python", "-c", _ADDRESSES, kind]
        environ = {"PYTHONPATH": str(FOLDER)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        return done.stdout.split()

    outside = ["198.51.100.4", "198.51.100.4"]
    # Of several addresses, the last one: the proxy wrote it, the client those before.
    assert addresses("public") == ["192.0.2.7", "127.0.0.1", *outside]
    assert addresses("local") == ["127.0.0.1", "127.0.0.1", *outside]


@pytest.mark.doccano
@pytest.mark.slow
def test_nobody_uploads_fetches_or_reads_files_without_a_login(doccano: Running) -> None:
    files = {"filepond": ("a.jsonl", b"{}")}
    with httpx.Client(base_url=doccano.url) as client:
        assert (
            client.post("/v1/fp/process/", files=files, headers={"Accept": "*/*"}).status_code
            == 403
        )
        for address in ("fetch/?target=http://127.0.0.1:1/", "load/?id=x", "restore/?id=x"):
            assert client.get(f"/v1/fp/{address}").status_code == 403
        private = doccano.server.home / "media" / "export.txt"
        private.write_text("private")
        assert client.get("/media/export.txt").status_code == 403
        with doccano.connect() as connection:
            connection.create_user("fetcher", "a right password")
        annotator = DoccanoClient(doccano.url, "fetcher", "a right password")
        response = annotator.transport.send(
            "GET", "fp/fetch/?target=http://127.0.0.1:1/", repeat=False
        )
        assert response.status_code == 403
        annotator.close()
        body = {"username": "fetcher", "password": "a right password"}
        assert client.post("/v1/auth/login/", json=body).status_code == 200
        assert client.get("/media/export.txt").text == "private"
        # Other tests look at all files of the server.
        private.unlink()
