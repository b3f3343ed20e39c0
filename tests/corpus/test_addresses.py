"""Addresses: valid ones, public ones, and no password in what is stored or printed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.addresses import (
    check_address,
    check_port,
    hide_password,
    is_public,
    split_address,
)
from orbat.errors import InputError

PRIVATE = (
    *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1", "255.255.255.255"),
    *("224.0.0.1", "224.0.1.1", "239.1.1.1", "ff02::1", "ff0e::1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "::8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::a01:203", "64:ff9b:1::7f00:1"),
    *("2002:7f00:1::1", "2002:808:808::1", "2001:0:7f00:1::1", "100::1", "5f00::1"),
)
INVALID = (
    *("http://[::1", "http://host:99999", "http://host:0", "http://host:port"),
    *(
        "http://",
        "http:///path",
        "https://:80",
        "ftp://host",
        "file:///etc/passwd",
        "host:8000",
        "",
    ),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_this_network_of_groups_and_in_disguise_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "2a00:1450::5", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", INVALID)
def test_invalid_addresses_are_refused_in_one_line(url: str) -> None:
    with pytest.raises(InputError, match="not an http or https"):
        split_address(url)
    with pytest.raises(InputError, match=r"--url .*: not an http or https"):
        check_address(url, "--url")


@pytest.mark.parametrize(
    "url",
    [
        *("http://user:hunter2@host/path", "https://hunter2@host", "http://u:hunter2@[::1]:80/"),
        *("http://u:hunter2@[::1", "http://u:hunter2@host:99999", "http://u:hunter2/x@host/"),
        *("ftp://u:hunter2@host", "http://u:hunter2\\@host", "http://u:hunter2#x@host"),
    ],
)
def test_no_message_names_a_password(url: str) -> None:
    assert "hunter2" not in hide_password(url)
    with pytest.raises(InputError) as refusal:
        check_address(url, "--url")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        *("http://host/@user", "https://host:80/a?mail=a@b.org", "http://[::1]:80/@x", "a@b.org"),
        *("http://[2001:db8::1]/@alice", "http://host:/users/@me"),
        *("https://host", "hf:user/data", ""),
    ],
)
def test_addresses_without_a_password_stay_as_they_are(url: str) -> None:
    assert hide_password(url) == url


@given(st.text(), st.text(alphabet="ab:@/?#[]\\%.1", max_size=20))
def test_any_text_is_refused_or_split(start: str, rest: str) -> None:
    for url in (start + rest, f"http://{rest}", f"https://user:{rest}@host"):
        hide_password(url)
        with contextlib.suppress(InputError):
            split_address(url)


def test_ports_are_numbers_up_to_65535() -> None:
    check_port(0)
    check_port(65535)
    for port, lowest in ((-1, 0), (65536, 0), (99999, 0), (0, 1)):
        with pytest.raises(InputError, match=rf"port {port}: choose one from 1 to 65535"):
            check_port(port, lowest=lowest)


@pytest.mark.parametrize(
    "command",
    [
        ("annotate", "up", "--port", "99999"),
        ("annotate", "up", "--port", "-1"),
        ("annotate", "page", "--url", "http://127.0.0.1:9", "--port", "99999"),
        ("serve", "no-such-model", "--port", "99999"),
    ],
)
def test_every_command_refuses_an_impossible_port(
    refused: Callable[..., str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    env = {"ORBAT_DOCCANO_HOME": str(tmp_path / "home")}
    assert "choose one from 1 to 65535" in refused(*command, env=env)
    assert not (tmp_path / "home").exists()


def test_every_command_refuses_an_invalid_address(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    session = ("--session", tmp_path / "session")
    documents = tmp_path / "a.jsonl"
    documents.write_text('{"id": "a", "text": "Kidal."}\n')
    broken, port, password = "http://[::1", "http://host:99999", "http://u:hunter2@host"
    commands = (
        ("annotate", "page", "--url", password),
        ("annotate", "page", "--url", "http://127.0.0.1:9", "--model-url", broken),
        ("annotate", "up", "--model-url", password),
        ("annotate", "push", documents, *session, "--annotators", "a", "--url", broken),
        ("annotate", "pull", *session, "--url", port),
        ("annotate", "status", *session, "--url", password),
        ("serve", "no-such-model", "--public-url", port),
    )
    for command in commands:
        env = {"ORBAT_DOCCANO_HOME": str(tmp_path / "home"), "ORBAT_DOCCANO_PASSWORD": "x"}
        line = refused(*command, env=env)
        assert "not an http or https address" in line or "must not have a user name" in line
        assert "hunter2" not in line
    assert not session[1].exists()
    assert not (tmp_path / "home" / "page.json").exists()
