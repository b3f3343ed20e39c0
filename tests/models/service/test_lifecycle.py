"""Batches, the stop of a service, and models that change while they are served."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from orbat.corpus.document import Document
from orbat.models.model import Model
from orbat.models.service.batching import Batcher
from orbat.training.tagger.mentions import Mention
from tests.conftest import Orbat
from tests.models.service.conftest import TEXT, Serve, run_async

WAIT = 60


class Lengths:
    """A tagger that marks each text as a whole, fails on some, and records its streams.

    It stops before its first text until it is released.
    """

    labels = ("TEXT",)

    def __init__(self) -> None:
        self.released = threading.Event()
        self.streams: list[list[str]] = []

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        self.streams.append([])
        for text in texts:
            assert self.released.wait(WAIT)
            self.streams[-1].append(text)
            if "fail" in text:
                raise RuntimeError("a text that breaks the model")
            yield [Mention(0, len(text), "TEXT", None)]


def model_of(tagger: Lengths) -> Model:
    return Model("lengths", tagger, frozenset(), "", "")


def test_texts_that_wait_share_a_stream_and_one_that_fails_fails_alone() -> None:
    tagger = Lengths()
    model = model_of(tagger)

    async def run() -> list[object]:
        with Batcher() as batcher:
            names = ["a", "b", "fail", "c"]
            waiting = [
                asyncio.ensure_future(batcher.tag(model, [Document(name, name)])) for name in names
            ]
            dropped = asyncio.ensure_future(batcher.tag(model, [Document("x", "dropped")]))
            await asyncio.sleep(0)  # all are submitted
            dropped.cancel()
            with suppress(asyncio.CancelledError):
                await dropped
            tagger.released.set()
            return list(await asyncio.gather(*waiting, return_exceptions=True))

    a, b, failed, c = run_async(run())
    assert [[document.id for document in group] for group in (a, b, c)] == [["a"], ["b"], ["c"]]  # type: ignore[attr-defined]
    assert isinstance(failed, RuntimeError)
    assert tagger.streams[0] == ["a", "b", "fail"]
    assert not any("dropped" in stream for stream in tagger.streams)


def test_a_request_is_answered_by_one_model() -> None:
    old, new = Lengths(), Lengths()

    async def run() -> None:
        with Batcher() as batcher:
            first = asyncio.ensure_future(
                batcher.tag(model_of(old), [Document(str(n), f"old {n}") for n in range(3)])
            )
            second = asyncio.ensure_future(batcher.tag(model_of(new), [Document("0", "new")]))
            old.released.set()
            new.released.set()
            await asyncio.gather(first, second)

    run_async(run())
    assert old.streams == [["old 0", "old 1", "old 2"]]
    assert new.streams == [["new"]]


def test_sigterm_finishes_what_runs(serve: Serve, rules_run: Path) -> None:
    service = serve(rules_run)
    address = httpx.URL(service.url)
    body = json.dumps({"text": TEXT}).encode()
    with socket.create_connection((address.host, address.port)) as connection:
        head = "POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert b"100 Continue" in connection.recv(1000)
        service.process.terminate()
        # New connections are refused once the service has taken note of the signal.
        with suppress(ConnectionError):
            while True:
                with socket.create_connection((address.host, address.port)) as other:
                    other.recv(1)
        assert service.process.poll() is None
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert b"200 OK" in answer
    assert b"3rd Infantry Division" in answer
    assert service.process.wait(WAIT) == 0
    service.wait_for("stopped")


@pytest.fixture(scope="module")
def other_run(orbat: Orbat, rules_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model than `rules_run`."""
    output = tmp_path_factory.mktemp("other") / "run"
    data = rules_run.parent
    outcome = orbat(
        *("train", "baseline-rules", "--train", data / "dev.jsonl", "--dev", data / "train.jsonl"),
        *("--output", output),
    )
    assert outcome.code == 0, outcome.err
    return output


def test_a_changed_model_is_swapped_without_a_lost_request(
    serve: Serve, rules_run: Path, other_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(rules_run, run)
    service = serve(run)
    before = service.client.get("/health").json()["model"]["fingerprint"]
    seen: set[str] = set()
    faults: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=service.url, timeout=WAIT) as client:
            while not stop.is_set():
                response = client.post("/tag", json={"text": [TEXT, TEXT]})
                if response.status_code == 200 and response.json()["documents"][1]["spans"]:
                    seen.add(response.json()["model"]["fingerprint"])
                else:
                    faults.append(response.text)

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        shutil.copytree(other_run, run, dirs_exist_ok=True)
        after = service.wait_for("model_loaded", 2)["fingerprint"]

        # A broken model is refused, and the second one goes on serving.
        manifest = (run / "manifest.json").read_bytes()
        (run / "manifest.json").write_bytes(manifest[:100])
        reason = service.wait_for("model_refused")["reason"]
        health = service.client.get("/health").json()
        assert health["status"] == "UP"
        assert health["problem"] == reason
        assert health["model"]["fingerprint"] == after

        # So is one that is gone.
        shutil.rmtree(run)
        reason = service.wait_for("model_refused", 2)["reason"]
        assert "no run folder" in reason
        assert service.tag(TEXT).json()["model"]["fingerprint"] == after

        # The first one comes back.
        shutil.copytree(rules_run, run)
        assert service.wait_for("model_loaded", 3)["fingerprint"] == before
        assert service.client.get("/health").json()["problem"] is None
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert faults == []
    assert seen == {before, after}
    assert before != after


@pytest.mark.slow
def test_a_truncated_wheel_is_refused(serve: Serve, wheel: Path, tmp_path: Path) -> None:
    copy = tmp_path / wheel.name
    shutil.copy(wheel, copy)
    service = serve(copy)
    spans = service.tag(TEXT).json()
    copy.write_bytes(wheel.read_bytes()[:100_000])
    assert "not a complete wheel file" in service.wait_for("model_refused")["reason"]
    assert service.tag(TEXT).json() == spans
