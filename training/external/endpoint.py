"""Requests to an API that is compatible with OpenAI's chat completions.

Source: https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

import email.utils
import json
import os
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx

from ...corpus.addresses import hide_password, is_confidential
from ...corpus.reading.bounded_requests import request
from ...corpus.reading.certificates import check_trusted_certificates, explain_untrusted
from ...errors import InputError, ServerError, first_line

KEY_VARIABLE = "ORBAT_LLM_KEY"
"""The environment variable with the key of the API."""
MAX_ANSWER_BYTES = 4 * 2**20
"""Largest answer; that to a request for 100,000 tokens is smaller."""
MAX_ATTEMPTS = 4
_RETRIED = {408, 409, 429, 500, 502, 503, 504, 529}
"""Status of answers to requests that may succeed later."""
_FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""
_LONGEST_PAUSE = 120.0
_MAX_DETAIL = 300
_GO_ON = "the answers so far are kept, so run the same command again"


@dataclass(frozen=True)
class Completion:
    """An answer of a language model.

    Attributes:
        content: its text; empty if the model refused.
        is_cut_off: whether the limit of tokens ended it.
        input_tokens: tokens that were sent, as the server counts; 0 if it does not.
        output_tokens: tokens that were received, likewise.
    """

    content: str
    is_cut_off: bool
    input_tokens: int
    output_tokens: int


class ChatEndpoint:
    """Asks one API. Thread-safe.

    Redirects are refused: texts and key go to the given address only. Requests are repeated if the
    connection breaks, the server fails or asks to wait; the pauses are those that it asks for.

    Args:
        url: its address, without `/chat/completions`.
        timeout: seconds until an answer must be complete.

    Raises:
        InputError: if the key in the environment cannot be one, or would be sent to another machine
            without TLS, or `SSL_CERT_FILE` is invalid.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        self.url = url
        self._timeout = timeout
        check_trusted_certificates()
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise InputError(f"{KEY_VARIABLE}: is not a valid API key; set it again")
        if key and not is_confidential(url):
            raise InputError(
                f"{url}: others could read the key; use https, or unset {KEY_VARIABLE}"
            )
        self._has_key = bool(key)
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10)),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            follow_redirects=False,
        )

    def complete(self, body: dict[str, Any], stopped: threading.Event) -> Completion:
        """Return the answer to a request.

        Args:
            body: the request's JSON.
            stopped: when set, no further attempt begins.

        Raises:
            ServerError: if there is no answer, or none of this kind of API.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            pause = _FIRST_PAUSE * 2 ** (attempt - 1)
            try:
                response = request(
                    *(self._http, "POST", self.url, "/chat/completions"),
                    max_seconds=self._timeout,
                    max_bytes=MAX_ANSWER_BYTES,
                    json=body,
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if untrusted := explain_untrusted(error):
                    raise ServerError(f"{self.url}: {untrusted}") from error
                problem = f"does not answer ({type(error).__name__}; check the address)"
            else:
                if response.status_code not in _RETRIED:
                    return self._read(response)
                problem = f"answers {response.status_code}{_detail(response)}"
                pause = _asked_pause(response, pause)
            if pause > _LONGEST_PAUSE:
                raise ServerError(f"{self.url}: {problem}, to wait {pause:.0f} s; {_GO_ON} then")
            if attempt == MAX_ATTEMPTS or stopped.wait(pause):
                break
        raise ServerError(f"{self.url}: {problem}, {attempt} times; {_GO_ON}")

    def _read(self, response: httpx.Response) -> Completion:
        status = response.status_code
        if response.is_redirect:
            target = hide_password(response.headers.get("location", "elsewhere"))
            raise ServerError(
                f"{self.url}: redirects to {target[:_MAX_DETAIL]}, which is not followed; name the "
                "address of the API itself"
            )
        if status in (401, 403):
            fix = f"check the key in {KEY_VARIABLE}" if self._has_key else f"set {KEY_VARIABLE}"
            raise ServerError(f"{self.url}: refuses access{_detail(response)}; {fix}")
        if status == 404:
            raise ServerError(
                f"{self.url}: has no such API or model{_detail(response)}; check both (addresses "
                "often end in /v1)"
            )
        if status != 200:
            raise ServerError(
                f"{self.url}: refuses the request with status {status}{_detail(response)}; check "
                "model, answer_format and parameters"
            )
        try:
            answer = response.json()
            (choice, *_) = answer["choices"]
            content = choice["message"].get("content") or ""
            usage = answer.get("usage") or {}
            counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
            if not isinstance(content, str):
                raise TypeError("content is no text")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ServerError(
                f"{self.url}: its answer is not a chat completion ({first_line(error)[:80]}); "
                "check the address (it often ends in /v1)"
            ) from error
        read, written = (count if isinstance(count, int) and count > 0 else 0 for count in counts)
        return Completion(content, choice.get("finish_reason") == "length", read, written)


def _detail(response: httpx.Response) -> str:
    """Return what an API says of an error, in brackets; empty if it says nothing."""
    try:
        content = response.json()
        error = content.get("error", content)
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        message = response.text
    text = " ".join((message if isinstance(message, str) else json.dumps(message)).split())
    return f" ({text[:_MAX_DETAIL]})" if text else ""


def _asked_pause(response: httpx.Response, default: float) -> float:
    """Return the seconds that a server asks to wait (RFC 9110, 10.2.3), or else the default."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return default
