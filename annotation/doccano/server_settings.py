"""The settings of a local doccano: where it listens, where annotators find it, and its database."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...corpus.addresses import check_address, check_port
from ...corpus.files import write_json
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError
from ..page.home_settings import HOSTS_VARIABLE, ORIGIN_VARIABLE

FILE = "settings.json"
LOOPBACK = "127.0.0.1"
MAX_WORKERS = 64
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ServerSettings:
    """What `orbat annotate up` keeps in `settings.json` of a home, for later calls.

    Attributes:
        host: the IP address at which doccano listens. orbat itself always reaches it at 127.0.0.1.
        port: the port there.
        public_url: the address that annotators open, without a path; "" if it is that of `host`.
        workers: processes of the web server.
        database_url: address of a PostgreSQL database, with its password; "" for SQLite in the
            home.

    Raises:
        InputError: if a value is not valid.
    """

    host: str = LOOPBACK
    port: int = 8000
    public_url: str = ""
    workers: int = 2
    database_url: str = ""

    def __post_init__(self) -> None:
        check_port(self.port, lowest=1)
        if not 1 <= self.workers <= MAX_WORKERS:
            raise InputError(f"--workers {self.workers}: choose 1 to {MAX_WORKERS}")
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError as error:
            raise InputError(
                f"--host {self.host}: not an IP address; pass one of this machine, "
                "or 0.0.0.0 for all"
            ) from error
        if self.public_url:
            check_address(self.public_url, "--public-url")
            if urlsplit(self.public_url).path.strip("/"):
                raise InputError(
                    f"--public-url {self.public_url}: doccano needs an address without a path; "
                    "give it a host name of its own"
                )
            object.__setattr__(self, "public_url", _to_origin(self.public_url))
        elif address.is_unspecified:
            raise InputError(
                f"--host {self.host}: doccano answers only to names that it knows; name the "
                "address that annotators open with --public-url http://HOST:PORT"
            )

    @property
    def listens_outside(self) -> bool:
        """Whether other machines can reach the port."""
        return not ipaddress.ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        """The address that annotators open."""
        default = LOOPBACK if not self.listens_outside else self.host
        return self.public_url or f"http://{_bracket(default)}:{self.port}"

    @property
    def binds(self) -> list[tuple[str, int]]:
        """The addresses at which the web server listens, that of orbat itself among them."""
        every = ipaddress.ip_address(self.host).is_unspecified
        hosts = [self.host] if every else list(dict.fromkeys((LOOPBACK, self.host)))
        return [(host, self.port) for host in hosts]

    def new_binds(self, running: ServerSettings) -> list[tuple[str, int]]:
        """Return the addresses that a running server with other settings does not keep itself."""
        kept = running.binds
        return [
            (host, port)
            for host, port in self.binds
            if not any(port == other and _overlap(host, at) for at, other in kept)
        ]

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables by which doccano's processes know the address."""
        names = (_bracket(urlsplit(self.address).hostname or ""), os.environ.get(HOSTS_VARIABLE))
        return {
            ORIGIN_VARIABLE: self.public_url,
            HOSTS_VARIABLE: ",".join(filter(None, names)),
        }

    @property
    def warnings(self) -> list[str]:
        """What may be unsafe about these settings."""
        if urlsplit(self.address).scheme == "http" and (self.listens_outside or self.public_url):
            return [
                f"passwords and texts go to {self.address} without encryption; use this in a "
                "trusted network only, or put a server with TLS in front and name it with "
                "--public-url https://NAME"
            ]
        if self.listens_outside:
            return [
                f"port {self.port} of {self.host} is open without encryption; if the server with "
                f"TLS runs on this machine, pass --host {LOOPBACK}"
            ]
        return []


def read_settings(home: Path) -> ServerSettings | None:
    """Return the settings that a home keeps; None if it keeps none.

    Raises:
        InputError: if the file is damaged.
    """
    path = home / FILE
    if not path.is_file():
        return None
    record = read_json_object(path)
    try:
        return ServerSettings(**record)
    except (TypeError, InputError) as error:
        names = ", ".join(field.name for field in fields(ServerSettings))
        raise InputError(f"{path}: {error}; correct the file, which has {names}") from error


def write_settings(home: Path, settings: ServerSettings) -> None:
    """Keep settings in a home, where only its owner can read them."""
    record: dict[str, Any] = asdict(settings)
    write_json(home / FILE, record, private=True)


def _overlap(one: str, other: str) -> bool:
    """Return whether two servers could not listen at these IP addresses with the same port."""
    return one == other or any(ipaddress.ip_address(host).is_unspecified for host in (one, other))


def _to_origin(url: str) -> str:
    """Return an address as browsers name it: in lower case, without its default port."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), _bracket(parts.hostname or "")
    has_port = parts.port is not None and parts.port != _DEFAULT_PORTS[scheme]
    return f"{scheme}://{host}:{parts.port}" if has_port else f"{scheme}://{host}"


def _bracket(host: str) -> str:
    """Return a host as it stands in addresses."""
    return f"[{host}]" if ":" in host else host
