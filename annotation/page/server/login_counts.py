"""Wrong passwords, counted by account and address in a file that a server's processes share."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

WINDOW_SECONDS = 600
"""How long a wrong password counts."""
MAX_FAILURES = 10
"""Wrong passwords for one account from one address, until the oldest does not count any more."""
MAX_FAILURES_IN_ALL = 100
"""Wrong passwords for one account from all addresses, and from one address for all accounts."""
KNOWN_SECONDS = 90 * 24 * 3600
"""How long an account is known at an address from which it logged in."""
_TABLES = """
create table if not exists failures (account text, address text, time real);
create index if not exists by_account on failures (account, time);
create index if not exists by_address on failures (address, time);
create table if not exists known
    (account text, address text, time real, primary key (account, address));
"""


class LoginCounts:
    """Says how long a login must wait after wrong passwords.

    Each account has its own count at each address, so that a team behind one proxy is not locked
    out by one of them. The counts over all accounts or addresses slow down who tries many; they do
    not hold for an account at an address from which it has logged in before.

    Args:
        file: an SQLite database, created if it does not exist. It has no names and addresses, only
            hashes of them.
        key: a secret with which they are hashed.
        now: the clock, in seconds.
    """

    def __init__(self, file: Path, key: str, now: Callable[[], float] = time.time) -> None:
        self._file = file
        self._key = key.encode()
        self._now = now

    def seconds_to_wait(self, account: str, address: str) -> int:
        """Return how long an account may not log in from an address; 0 if it may."""
        names = self._hash(account), self._hash(_network(address))
        with self._open() as database:
            own = "account = ? and address = ?", names, MAX_FAILURES
            in_all = (
                ("account = ?", names[:1], MAX_FAILURES_IN_ALL),
                ("address = ?", names[1:], MAX_FAILURES_IN_ALL),
            )
            is_known = database.execute(
                "select 1 from known where account = ? and address = ? and time > ?",
                (*names, self._now() - KNOWN_SECONDS),
            ).fetchone()
            limits = [own] if is_known else [own, *in_all]
            return max(self._wait(database, *limit) for limit in limits)

    def add_failure(self, account: str, address: str) -> None:
        """Count a wrong password."""
        now = self._now()
        with self._open() as database:
            database.execute("delete from failures where time <= ?", (now - WINDOW_SECONDS,))
            row = (self._hash(account), self._hash(_network(address)), now)
            database.execute("insert into failures values (?, ?, ?)", row)

    def add_success(self, account: str, address: str) -> None:
        """Forget the wrong passwords for an account from an address, where it is known now."""
        now = self._now()
        names = self._hash(account), self._hash(_network(address))
        with self._open() as database:
            database.execute("delete from failures where account = ? and address = ?", names)
            database.execute("delete from known where time <= ?", (now - KNOWN_SECONDS,))
            database.execute("insert or replace into known values (?, ?, ?)", (*names, now))

    def _wait(
        self, database: sqlite3.Connection, which: str, names: tuple[str, ...], allowed: int
    ) -> int:
        now = self._now()
        oldest = database.execute(
            # Not those of the future, which a clock that was set back has left.
            f"select time from failures where {which} and time > ? and time <= ? "
            f"order by time desc limit 1 offset {allowed - 1}",
            (*names, now - WINDOW_SECONDS, now),
        ).fetchone()
        return 0 if oldest is None else int(oldest[0] + WINDOW_SECONDS - now) + 1

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file)) as database, database:
            database.executescript(_TABLES)
            yield database

    def _hash(self, name: str) -> str:
        # Some type their password in place of their name.
        content = name.encode(errors="surrogatepass")
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    """Return an IPv4 address, or the network of an IPv6 address: one machine has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False))
