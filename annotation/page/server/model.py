"""A model that `orbat serve` serves, asked over HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, NamedTuple

TIMEOUT_SECONDS = 25
"""Less than the 30 s after which the page gives up a request."""
MAX_ANSWER_BYTES = 16 * 2**20
_CHUNK_BYTES = 2**16


class ModelError(Exception):
    """The model gave no usable answer; the message is one sentence for the annotator."""


class Answer(NamedTuple):
    """The model's name, and its spans with offsets in UTF-16 units."""

    model: str
    spans: list[dict[str, Any]]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect: texts go to the configured address only."""


class ModelService:
    """Asks one service, and no other address.

    Args:
        url: the service's address.
        token: what the service demands.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = f"{url.rstrip('/')}/tag"
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())

    def tag(self, text: str) -> Answer:
        """Return the model's spans of a text.

        Raises:
            ModelError: if the service does not answer in time, refuses the text, or answers
                something else than spans of the text.
        """
        body = json.dumps({"text": text, "offsets": "utf16"}).encode("ascii")
        request = urllib.request.Request(self._url, body, self._headers, method="POST")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                content = _read(response, deadline)
        except urllib.error.HTTPError as error:
            raise ModelError(_refusal(error)) from error
        except TimeoutError as error:
            raise ModelError(_TOO_SLOW) from error
        except (OSError, HTTPException) as error:
            slow = isinstance(getattr(error, "reason", None), TimeoutError)
            raise ModelError(_TOO_SLOW if slow else "The model does not answer.") from error
        try:
            return _parse(json.loads(content), len(text.encode("utf-16-le")) // 2)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise ModelError("The model's answer is not one of orbat serve.") from error


_TOO_SLOW = f"The model did not answer within {TIMEOUT_SECONDS} seconds."


def _read(response: Any, deadline: float) -> bytes:
    content = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise ModelError("The model's answer is too large.")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(content)


def _refusal(error: urllib.error.HTTPError) -> str:
    """Return a sentence with what the service gave as the reason."""
    detail = ""
    try:
        value = json.loads(error.read(_CHUNK_BYTES))["detail"]
        detail = value if isinstance(value, str) else ""
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        pass
    detail = " ".join(detail.split())[:300]
    return f"The model refused the text: {detail or f'status {error.code}'}."


def _parse(answer: Any, size: int) -> Answer:
    """Return the spans of the first document.

    Raises:
        ValueError, KeyError, TypeError, IndexError: if they are not spans of a text of this size.
    """
    spans = []
    for record in answer["documents"][0]["spans"]:
        start, end, label = record["start"], record["end"], record["label"]
        if not (type(start) is int and type(end) is int and 0 <= start < end <= size):
            raise ValueError("offsets outside the text")
        if not isinstance(label, str):
            raise TypeError("a label that is not a string")
        score = record.get("score")
        if score is not None and not (isinstance(score, float | int) and 0 <= score <= 1):
            raise ValueError("a score that is not from 0 to 1")
        spans.append({"label": label, "start": start, "end": end, "score": score})
    return Answer(str(answer["model"]["name"]), spans)
