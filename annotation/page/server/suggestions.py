"""`POST /orbat/suggest`: the spans that a model suggests for a text."""

from __future__ import annotations

import json
from typing import Any

from .model import ModelError, ModelService
from .responses import Environ, StartResponse, refuse, respond_json

MAX_BODY_BYTES = 8 * 2**20


class _RefusedError(Exception):
    """A request that cannot be answered: the status line, and one sentence."""


def suggest(
    model: ModelService | None, environ: Environ, start_response: StartResponse
) -> list[bytes]:
    """Answer `{"text"}` with `{"model", "spans": [{"label", "start", "end", "score"}]}`.

    Offsets are in UTF-16 units; `score` is null where the model gives none.

    Args:
        model: the service to ask; None if none was set.
        environ: the request.
        start_response: the WSGI server's.
    """
    if model is None:
        detail = "No model is set; orbat annotate up (or page) sets one with --model-url."
        return refuse(start_response, "404 Not Found", detail)
    try:
        answer = model.tag(_read_text(environ))
    except _RefusedError as error:
        status, detail = error.args
        return refuse(start_response, status, detail)
    except ModelError as error:
        return refuse(start_response, "502 Bad Gateway", str(error))
    return respond_json(start_response, "200 OK", answer._asdict())


def _read_text(environ: Environ) -> str:
    """Return the text of a request.

    Raises:
        _RefusedError: if there is none, or it is too large.
    """
    content_type = environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower()
    if content_type != "application/json":
        raise _RefusedError("415 Unsupported Media Type", "The body must be application/json.")
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = 0
    if size > MAX_BODY_BYTES:
        raise _RefusedError("413 Content Too Large", "The text is too large for suggestions.")
    try:
        body: Any = json.loads(environ["wsgi.input"].read(max(size, 0)))
        text = body["text"]
        text.encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        detail = 'The body must be {"text": …} with a text in Unicode.'
        raise _RefusedError("400 Bad Request", detail) from None
    if not text.strip():
        raise _RefusedError("400 Bad Request", "The text is empty.")
    return str(text)
