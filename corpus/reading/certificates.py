"""Servers whose TLS certificate is not trusted, named as that."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx

from ...errors import InputError

_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64
"""The codes of OpenSSL for a fault that only the server can mend."""


def check_trusted_certificates() -> None:
    """Check the file and the folder with trusted certificates that the environment names.

    Raises:
        InputError: if there is none, or it has no certificates.
    """
    for variable in _VARIABLES:
        path = os.environ.get(variable)
        try:
            if path and not Path(path).exists():
                raise FileNotFoundError(f"No such file: {path}")
            if path and variable == "SSL_CERT_FILE":
                ssl.create_default_context(cafile=path)
        except OSError as error:  # An SSLError is one, too.
            raise InputError(
                f"{variable} {path}: has no certificates; name a PEM file, or unset the variable"
            ) from error


def explain_untrusted(error: httpx.HTTPError | httpx.InvalidURL) -> str | None:
    """Return why a server's certificate is not trusted and what to do; None for other errors."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return None
    if cause.verify_code == _EXPIRED:
        fix = "renew it on the server"
    elif cause.verify_code in (_OTHER_HOST, _OTHER_ADDRESS):
        fix = "use a name for which it was issued"
    else:
        fix = (
            "if the server is yours, set SSL_CERT_FILE to a PEM file with its certificate or its "
            "issuer's"
        )
    return f"its TLS certificate is not trusted ({cause.verify_message.rstrip('.')}); {fix}"
