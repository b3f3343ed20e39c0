"""Addresses of servers: which are valid, which are public, and without the passwords in them."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..errors import InputError

MAX_PORT = 65535
_PRINTABLE = re.compile(r"[!-~]+")
_WEB = re.compile(r"https?://\S+", re.I)
_UNICAST = ipaddress.ip_network("2000::/3")
"""The IPv6 addresses that are assigned to hosts of the Internet. Others are local to a machine,
link or site, go to groups, or embed an IPv4 address, which may be private."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TRANSLATED = ipaddress.ip_network("2002::/16")
"""6to4, which embeds an IPv4 address."""


def split_address(url: str) -> SplitResult:
    """Return the parts of an http or https address, whose port is a number up to 65535.

    Raises:
        InputError: if it is not valid.
    """
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # Of an IPv6 address without its bracket, or of a port.
        is_valid = False
    if not is_valid:
        raise InputError(f"{hide_password(url)}: not an http or https URL; correct the URL")
    return parts


def check_address(url: str, option: str) -> None:
    """Check that the value of an option is the address of a server.

    Raises:
        InputError: if it is not an http or https address, or has a user name or password, which
            would be stored and printed with it.
    """
    shown = f"{option} {hide_password(url)}"
    try:
        parts = split_address(url)
    except InputError:
        parts = None
    if parts is None or parts.query or parts.fragment or not _PRINTABLE.fullmatch(url):
        raise InputError(f"{shown}: not an http or https address; write http://HOST:PORT")
    if "@" in parts.netloc:
        raise InputError(f"{shown}: an address must not have a user name or password; remove it")


def check_port(port: int, *, lowest: int = 0) -> None:
    """Check that a number is a TCP port; 0 asks for any free one.

    Raises:
        InputError: if it is not one.
    """
    if not lowest <= port <= MAX_PORT:
        free = "" if lowest else ", or 0 for a free one"
        raise InputError(f"port {port}: choose one from 1 to {MAX_PORT}{free}")


def hide_password(url: str) -> str:
    """Return an address without the user name and password before its host, to store or print it.

    The address need not be valid.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    end = next((index for index, character in enumerate(rest) if character in "/?#\\"), len(rest))
    authority, path = rest[:end], rest[end:]
    port = authority.rpartition(":")[2]
    is_host = authority.endswith("]") or not port or port.isdecimal()
    if "@" not in authority and "@" in path and ":" in authority and not is_host:
        # What seems to be a port is the beginning of a password that contains a slash.
        authority, path = "", path.rpartition("@")[2]
    return f"{scheme}://{authority.rpartition('@')[2]}{path}"


def is_local(url: str) -> bool:
    """Return whether a valid address names this machine as such, as `localhost` does."""
    host = split_address(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_confidential(url: str) -> bool:
    """Return whether nobody else can read what is sent to a valid address."""
    return split_address(url).scheme == "https" or is_local(url)


def hide_passwords(value: Any) -> Any:
    """Return a value of JSON in which no string that is an address has a user name or password."""
    if isinstance(value, str):
        return hide_password(value) if "@" in value and _WEB.fullmatch(value) else value
    if isinstance(value, list):
        return [hide_passwords(item) for item in value]
    if isinstance(value, dict):
        return {name: hide_passwords(item) for name, item in value.items()}
    return value


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to one host of the Internet.

    Addresses of this machine, its link and its network do not, nor do those of groups (multicast),
    nor IPv6 addresses that embed an IPv4 address (mapped, compatible, 6to4, Teredo). Of the
    addresses by which networks without IPv4 reach it (NAT64), the embedded one counts.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip in _NAT64:
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.version == 6 and (ip not in _UNICAST or ip in _TRANSLATED):
        return False
    return ip.is_global and not ip.is_multicast
