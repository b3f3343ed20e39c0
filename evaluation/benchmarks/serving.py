"""Load on `orbat serve`, compared with `nlp.pipe` of the same wheel in turn.

    python -m orbat.evaluation.benchmarks.serving WHEEL TEXTS [--clients 32] [--seconds 60]

TEXTS is a JSON Lines file of documents, from which articles of 300 words are cut. In slices of ten
seconds, in turn:

- `nlp.pipe` of the installed wheel tags the articles, in a process of its own;
- as many clients as given send one article after the other to `orbat serve`, each its next one when
  the last one is answered. The clients run in this process, on the same processors as the service.

Both have all processors of this machine, and each slice begins with a warm model. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from ...corpus.files import read_documents
from .common import describe_machine
from .tagging import install

WORDS = 300
SLICE_SECONDS = 10.0

_PIPE = """
import itertools, json, sys, time
sys.path.insert(0, sys.argv[1])
import spacy
nlp = spacy.load("en_orbat_news")
articles = json.load(open(sys.argv[2], encoding="utf-8"))
list(nlp.pipe(articles[:32]))
print("ready", flush=True)
for line in sys.stdin:
    began, count = time.perf_counter(), 0
    for doc in nlp.pipe(itertools.cycle(articles)):
        count += 1
        seconds = time.perf_counter() - began
        if seconds >= float(line):
            break
    print(count / seconds, flush=True)
"""


@dataclass
class Load:
    """What the clients saw.

    Attributes:
        rates: articles per second of each slice.
        seconds: response times.
        errors: answers other than 200, and connections that failed.
        memory: bytes that the service occupied after each slice.
    """

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    memory: list[int] = field(default_factory=list)


def cut_articles(path: Path) -> list[str]:
    """Return the texts of a file of documents as articles of :data:`WORDS` words."""
    words = [word for document in read_documents(path) for word in document.text.split(" ")]
    return [" ".join(words[n : n + WORDS]) for n in range(0, len(words) - WORDS + 1, WORDS)]


@contextmanager
def pipe_process(site: Path, articles: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `nlp.pipe` in a process that runs a slice for each line of its standard input."""
    command = [sys.executable, "-c", _PIPE, str(site), str(articles)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@contextmanager
def service_process(wheel: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the service of a wheel; yield its process and its address."""
    command = [sys.executable, "-m", "orbat", "serve", str(wheel), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        yield process, url
        process.send_signal(signal.SIGTERM)
        process.wait()


def run_pipe_slice(process: subprocess.Popen[str], seconds: float) -> float:
    """Return the articles per second of one slice of `nlp.pipe`."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


async def run_load_slice(
    url: str, articles: Sequence[str], clients: int, seconds: float, load: Load
) -> None:
    """Send articles from concurrent clients for a while."""
    numbers = itertools.count()
    began = time.perf_counter()
    answered = 0

    async def ask(client: httpx.AsyncClient) -> None:
        nonlocal answered
        while time.perf_counter() - began < seconds:
            text = articles[next(numbers) % len(articles)]
            sent = time.perf_counter()
            try:
                response = await client.post("/tag", json={"text": text})
                ok = response.status_code == 200 and len(response.json()["documents"]) == 1
            except httpx.HTTPError:
                ok = False
            load.seconds.append(time.perf_counter() - sent)
            load.errors += not ok
            answered += ok

    # One pool with a connection for each client: a client object each would load certificates.
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, verify=False) as pool:
        await asyncio.gather(*(ask(pool) for _ in range(clients)))
    load.rates.append(answered / (time.perf_counter() - began))


def measure(wheel: Path, texts: Path, clients: int, seconds: float) -> tuple[list[float], Load]:
    """Return the rates of `nlp.pipe` and what the clients saw, of equally many slices in turn."""
    articles = cut_articles(texts)
    load, rates = Load(), []
    with tempfile.TemporaryDirectory() as scratch:
        site, file = Path(scratch) / "site", Path(scratch) / "articles.json"
        install(wheel, site)
        file.write_text(json.dumps(articles), encoding="utf-8")
        with pipe_process(site, file) as pipe, service_process(wheel) as (service, url):
            asyncio.run(run_load_slice(url, articles, clients, 2, Load()))
            for _ in range(max(1, round(seconds / SLICE_SECONDS))):
                rates.append(run_pipe_slice(pipe, SLICE_SECONDS))
                asyncio.run(run_load_slice(url, articles, clients, SLICE_SECONDS, load))
                load.memory.append(psutil.Process(service.pid).memory_info().rss)
    return rates, load


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    rates, load = measure(options.wheel, options.texts, options.clients, options.seconds)
    ratios = [served / piped for served, piped in zip(load.rates, rates, strict=True)]
    percentiles = statistics.quantiles(load.seconds, n=100)
    print(f"{describe_machine()}, load average {os.getloadavg()[0]:.1f} at the end\n")
    print("| system | articles/s, median of slices | range |\n|---|---|---|")
    for name, values in (("nlp.pipe", rates), ("orbat serve", load.rates)):
        print(
            f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} to {max(values):.1f} |"
        )
    print(f"| ratio | {statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |\n")
    print("| clients | requests | errors | p50, ms | p99, ms | memory, first and last slice, MB |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {options.clients} | {len(load.seconds):,} | {load.errors} "
        f"| {1000 * percentiles[49]:.0f} | {1000 * percentiles[98]:.0f} "
        f"| {load.memory[0] / 1e6:.0f}, {load.memory[-1] / 1e6:.0f} |"
    )


if __name__ == "__main__":
    main()
