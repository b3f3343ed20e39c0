"""Fixtures: a model that is ready at once, and services that run in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

TEXT = "😀 Lt. Gen. Ann Doe took command of the 3rd Infantry Division."
"""A text with an entity behind a character that takes two UTF-16 units and four bytes."""
T = TypeVar("T")


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns.

    It runs in a thread of its own: in the main one, a browser may keep its event loop running.
    """
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


class Served:
    """A service in its own process, on a free port.

    Attributes:
        process: the process.
        url: the service's address.
        client: a client of it.
    """

    def __init__(self, model: Path, *options: object, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "orbat", "serve", str(model), "--port", "0"),
                *map(str, options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if " is served at " in line:
                break
        else:
            self.stop()
            pytest.fail(f"the service did not start: {self.log}")
        self.url = self.lines[-1].split()[-1]
        self.client = httpx.Client(base_url=self.url, timeout=60)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                try:
                    self._events.append(json.loads(line))
                except ValueError:
                    self._events.append({"event": "not JSON", "line": line})
                self._changed.notify_all()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The events so far."""
        with self._changed:
            return list(self._events)

    def wait_for(self, event: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """Wait for the nth event with these fields, and return it."""

        def matching() -> list[dict[str, Any]]:
            wanted = {"event": event, **fields}
            return [entry for entry in self._events if wanted.items() <= entry.items()]

        with self._changed:
            assert self._changed.wait_for(lambda: len(matching()) >= count, 120), self._events
            return matching()[count - 1]

    def tag(self, text: str | list[str], **fields: Any) -> httpx.Response:
        return self.client.post("/tag", json={"text": text, **fields})

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        if hasattr(self, "client"):
            self.client.close()
        self.process.terminate()
        code = self.process.wait(120)
        self._reader.join()
        assert self.process.stdout is not None and self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()
        return code


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start services, which are stopped after the test."""
    running: list[Served] = []

    def start(model: Path, *options: object, env: dict[str, str] | None = None) -> Served:
        running.append(Served(model, *options, env=env))
        return running[-1]

    yield start
    for served in running:
        if served.process.poll() is None:
            served.stop()


@pytest.fixture(scope="module")
def served(rules_run: Path) -> Iterator[Served]:
    """A service for the tests of a file that do not change it."""
    service = Served(rules_run, "--max-texts", 5, "--max-characters", 2000, "--max-bytes", 20_000)
    yield service
    assert service.stop() == 0
