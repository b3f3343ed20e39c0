"""Settings of the service: address, access and limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from ...corpus.addresses import check_port
from ...errors import InputError

TOKEN_VARIABLE = "ORBAT_TOKEN"
"""The environment variable from which `orbat serve` reads the token."""
MIN_TOKEN_LENGTH = 16


@dataclass(frozen=True)
class ServiceSettings:
    """How a model is served.

    Attributes:
        host: the address to listen on.
        port: the port; 0 for any free one.
        token: what clients must send; None to serve everyone, which only a loopback address may.
        allowed_hosts: names besides those of this machine's loopback by which clients may address
            a service on loopback, such as that of a reverse proxy. Requests to other names are
            refused, so that no web page can reach the service by a name that it made point here.
        max_bytes: largest body of a request.
        max_characters: longest text.
        max_texts: most texts in one request.
        max_requests: most requests at a time; further ones are told to come back later.
        workers: batches that a packaged model scores in parallel; 0 for one per processor.
        threshold: see :meth:`orbat.models.model.Model.with_threshold`.
        target_precision: see there.

    Raises:
        InputError: if the address is not loopback and there is no token, or a value is out of
            range.
    """

    host: str = "127.0.0.1"
    port: int = 8200
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_bytes: int = 16 * 2**20
    max_characters: int = 1_000_000
    max_texts: int = 256
    max_requests: int = 64
    workers: int = 0
    threshold: float | Mapping[str, float] | None = None
    target_precision: float | Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.token is None and not self.is_loopback:
            raise InputError(
                f"{self.host}: other machines can reach this address; set {TOKEN_VARIABLE} to the "
                "token that clients must send, or use --host 127.0.0.1"
            )
        if self.token is not None and len(self.token) < MIN_TOKEN_LENGTH:
            raise InputError(
                f"{TOKEN_VARIABLE}: the token must have at least {MIN_TOKEN_LENGTH} characters"
            )
        check_port(self.port)
        for name in ("max_bytes", "max_characters", "max_texts", "max_requests"):
            if getattr(self, name) < 1:
                raise InputError(f"{name.replace('_', '-')}: must be at least 1")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
