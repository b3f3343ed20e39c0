"""An API of chat completions on this machine, which behaves well or badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import serving


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ChatApi

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        self.passage: str = body["messages"][-1]["content"]
        with self.server.lock:
            self.server.requests.append((self.path, dict(self.headers), body))
            answers = self.server.answers
            answer = answers.pop(0) if answers else self.server.answer
        with suppress(OSError):
            answer(self)

    def reply(self, status: int, content: Any, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def cut_off(self, part: bytes, length: int) -> None:
        """Send less of an answer than its length, and close the connection."""
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(part)
        self.close_connection = True

    def pour(self, part: bytes, seconds: float) -> None:
        """Send an answer without an end."""
        self.send_response(200)
        self.end_headers()
        while not self.server.ending.wait(seconds):
            self.wfile.write(part)

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


Answer = Callable[[Handler], None]


class ChatApi(ThreadingHTTPServer):
    """Answers at a free port.

    Attributes:
        requests: path, headers and JSON of each request.
        answers: what answers the next requests, in turn.
        answer: what answers the others.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.answers: list[Answer] = []
        self.answer: Answer = says({"entities": []})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def passages(self) -> list[str]:
        """Return the passages that were sent, in order."""
        return [body["messages"][-1]["content"] for _, _, body in self.requests]


def says(content: Any, finish_reason: str = "stop") -> Answer:
    """Answer with a content: a text, or a value that is written as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)

    def answer(handler: Handler) -> None:
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        handler.reply(200, {"choices": [choice], "usage": usage})

    return answer


def finds(entities: dict[str, str]) -> Answer:
    """Answer as a good model does: with those of some entities that the passage contains."""

    def answer(handler: Handler) -> None:
        found = [
            {"text": text, "label": label}
            for text, label in entities.items()
            if text in handler.passage
        ]
        says({"entities": found})(handler)

    return answer


def fails(status: int, content: Any = b"", **headers: str) -> Answer:
    """Answer with a status and headers."""
    return lambda handler: handler.reply(status, content, **headers)


@contextmanager
def serve() -> Iterator[ChatApi]:
    with serving(ChatApi()) as server:
        try:
            yield server
        finally:
            server.ending.set()
