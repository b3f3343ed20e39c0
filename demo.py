"""The whole way on the shipped articles: raw text to an installed model, command by command."""

from __future__ import annotations

import html
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from .corpus.document import Document
from .corpus.files import read_documents, write_documents, write_text
from .errors import InputError

ARTICLES = Path(__file__).parent / "corpus" / "articles"
PASSES = {name: ARTICLES / f"{name}-pass.jsonl" for name in ("first", "second")}
POLICY = "prefer:first"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>
<header><nav><a href="/">Home</a> <a href="/about">About</a></nav></header>
<main><article><h1>{title}</h1>
{paragraphs}
</article></main>
<footer><p>Subscribe to our newsletter. All rights reserved.</p></footer>
</body></html>
"""

_PRINT_ENTITIES = """
import json, sys, time
start = time.perf_counter()
import spacy
nlp = spacy.load("en_orbat_news")
loaded = time.perf_counter() - start
assert "torch" not in sys.modules
text = json.load(sys.stdin)
entities = [[e.text, e.label_, round(e._.confidence, 3)] for e in nlp(text).ents]
print(json.dumps({"seconds": loaded, "entities": entities}))
"""


class Demo:
    """One run of the demo in one folder."""

    def __init__(self, output: Path) -> None:
        self.output = output.absolute()
        self.console = Console()
        self.started = time.monotonic()
        self.environment = {**os.environ, "ORBAT_DOCCANO_HOME": str(self.output / "doccano")}

    def step(self, title: str) -> None:
        """Print the heading of a step."""
        self.console.rule(f"[bold]{title}", align="left")

    def command(self, line: str) -> None:
        """Print a command as one would type it here, on one line."""
        here = f"{Path.cwd()}{os.sep}"
        self.console.print(
            f"$ {line.replace(here, '')}", style="cyan", highlight=False, soft_wrap=True
        )

    def run(self, *arguments: object, show: bool = True) -> str:
        """Run one orbat command as a user would, and return what it printed if not shown."""
        words = [str(argument) for argument in arguments]
        if show:
            self.command(f"orbat {' '.join(words)}")
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "orbat", *words],
            env=self.environment,
            stdout=None if show else subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise InputError(f"the demo stopped at: orbat {' '.join(words)}")
        if show:
            self.console.print(f"{time.monotonic() - began:.1f} s", style="dim", highlight=False)
        return done.stdout or ""


def write_page(document: Document, path: Path) -> None:
    """Write an article as a web page with the usual frame around it."""
    title, _, body = document.text.partition("\n")
    paragraphs = "\n".join(f"<p>{html.escape(p)}</p>" for p in body.strip().split("\n\n"))
    write_text(path, _PAGE.format(title=html.escape(title), paragraphs=paragraphs))


def run_demo(output: Path, *, documents: int | None, settings: Sequence[str]) -> dict[str, Any]:
    """Go the whole way and return what the closing table shows.

    Args:
        output: folder for everything that is made; an older demo's is removed.
        documents: use only so many of the recorded documents and shipped articles; None for all.
        settings: recipe fields as `key=value`.

    Raises:
        InputError: if a step fails.
    """
    demo = Demo(output)
    out = demo.output
    if out.exists() and not (out / ".orbat-demo").exists():
        raise InputError(f"{output}: exists and is no demo's folder; name another with --output")
    if out.exists():
        demo.run("annotate", "down", show=False)
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / ".orbat-demo").touch()
    try:
        return _steps(demo, out, documents, settings)
    finally:
        demo.run("annotate", "down", show=False)


def _steps(demo: Demo, out: Path, documents: int | None, settings: Sequence[str]) -> dict[str, Any]:
    recorded = list(read_documents(PASSES["first"]))[:documents]
    recorded_ids = {document.id for document in recorded}
    train = list(read_documents(ARTICLES / "train.jsonl"))
    rest = [document for document in train if document.id not in recorded_ids][:documents]
    test_article = next(read_documents(ARTICLES / "test.jsonl"))

    demo.step(f"1  {len(recorded)} raw articles become documents")
    for document in recorded:
        write_text(out / "raw" / f"{document.id}.txt", document.text)
    demo.run("corpus", "add", out / "raw", "--output", out / "documents.jsonl")

    demo.step("2  A doccano server, two annotators, suggestions by rules")
    demo.run("annotate", "up", "--port", _free_port())
    session = out / "session"
    demo.run(
        *("annotate", "push", out / "documents.jsonl"),
        *("--session", session, "--annotators", ",".join(PASSES)),
    )

    demo.step("3  Annotation")
    demo.console.print(
        "This is a replay: two recorded annotation passes are played through doccano's API as its "
        "two users. Nobody annotates while you watch.",
        style="yellow",
    )
    replays = [f"{name}={path}" for name, path in PASSES.items()]
    demo.run("annotate", "replay", "--session", session, *replays)

    demo.step("4  Readings come back, are compared and merged to gold")
    demo.run("annotate", "pull", "--session", session)
    readings = [session / "pulled" / f"{name}.jsonl" for name in PASSES]
    demo.run("annotate", "agree", *readings)
    gold = out / "gold.jsonl"
    demo.run("annotate", "adjudicate", *readings, "--output", gold, "--policy", POLICY)
    agreement = json.loads(demo.run("annotate", "agree", *readings, "--json", show=False))

    demo.step(f"5  Training on this gold and {len(rest)} more shipped articles")
    write_documents(out / "more-gold.jsonl", rest)
    run = out / "run"
    demo.run(
        *("train", "quick", "--train", gold, "--train", out / "more-gold.jsonl"),
        *("--dev", ARTICLES / "dev.jsonl", "--output", run),
        *(part for setting in settings for part in ("--set", setting)),
    )

    demo.step("6  Scores on held-out articles")
    report = out / "report.html"
    demo.run("evaluate", run, ARTICLES / "test.jsonl", "--report", report)

    demo.step("7  A wheel, installed in a fresh environment")
    demo.run("package", run, "--output", out / "dist")
    wheel = next((out / "dist").glob("*.whl"))
    python = _install(demo, wheel, out / "venv")

    demo.step("8  Entities of a raw web page, by the installed wheel")
    write_page(test_article, out / "page" / f"{test_article.id}.html")
    demo.run("corpus", "add", out / "page", "--output", out / "page.jsonl")
    text = next(read_documents(out / "page.jsonl")).text
    found = _tag_with_wheel(python, text)
    entities = Table("entity", "label", "confidence")
    for entity, label, confidence in found["entities"]:
        entities.add_row(entity, label, f"{confidence:.2f}")
    demo.console.print(entities)

    metrics = json.loads((run / "metrics.json").read_text())
    micro = json.loads((run / "evaluations" / "test.json").read_text())["strict"]["micro"]
    summary = {
        "articles annotated": len(recorded),
        "agreement of the passes (strict F1)": agreement["strict"]["micro"]["f1"],
        "articles trained on": len(recorded) + len(rest),
        "training": f"{metrics['seconds']:.0f} s",
        "dev F1": metrics["dev"]["f1"],
        "held-out F1": micro["f1"],
        "95 % interval": f"{micro['low']:.3f} to {micro['high']:.3f}",
        "wheel": f"{wheel.stat().st_size / 1e6:.1f} MB",
        "cold load of the wheel": f"{found['seconds']:.2f} s",
        "entities in the page": len(found["entities"]),
        "whole demo": f"{time.monotonic() - demo.started:.0f} s",
    }
    demo.step("Done")
    table = Table(show_header=False)
    for name, value in summary.items():
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else str(value))
    demo.console.print(table)
    for name, path in (
        ("report", report),
        ("card", out / "dist" / "MODEL_CARD.md"),
        ("wheel", wheel),
    ):
        typer.echo(f"{name}: {path}")
    return summary


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _install(demo: Demo, wheel: Path, environment: Path) -> Path:
    """Install a wheel into a new environment and return the environment's Python."""
    demo.command(f"pip install {wheel}")
    python = environment / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            str(wheel),
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise InputError(f"the wheel cannot be installed: {' '.join(last)}")
    return python


def _tag_with_wheel(python: Path, text: str) -> dict[str, Any]:
    """Load the installed wheel in a process of its own and tag a text."""
    done = subprocess.run(
        [str(python), "-I", "-c", _PRINT_ENTITIES],
        input=json.dumps(text),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise InputError(f"the installed wheel does not run: {' '.join(last)}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
