"""The demo: every step on the shipped articles, from raw text to an installed model.

The demo runs the commands that a user would type, each in a process of its own.
"""

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

from rich.console import Console
from rich.table import Table

from .annotation.adjudication.annotation_sets import read_annotation_set
from .corpus.document import Document
from .corpus.files import read_documents, write_documents, write_text
from .errors import InputError, ModelError, OrbatError
from .ui import format_interval, format_value

ARTICLES = Path(__file__).parent / "corpus" / "articles"
PASSES = {name: ARTICLES / f"{name}-pass.jsonl" for name in ("first", "second")}
"""The recorded annotation passes, by annotator; their texts are those of the train articles."""
REPLAYED = 42
"""Recorded documents that the demo replays: the first ones of the files."""
POLICY = "prefer:first"
MARKER = ".orbat-demo"
"""The file that marks a folder as written by the demo, so that it may be removed."""

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


def run_demo(
    output: Path, *, documents: int | None = None, settings: Sequence[str] = ()
) -> dict[str, Any]:
    """Run every step and print each command, its output and a closing table.

    Args:
        output: folder for everything that the demo writes; an earlier demo's folder is replaced.
        documents: use at most this number of recorded documents and of shipped articles; None for
            all.
        settings: recipe fields as `key=value`.

    Returns:
        The values of the closing table, by row.

    Raises:
        InputError: if `output` holds something else than an earlier demo.
        OrbatError: if a command fails.
        ModelError: if the wheel cannot be installed or loaded.
    """
    demo = _Demo(output.absolute(), documents, settings)
    if demo.output.exists() and not (demo.output / MARKER).exists():
        raise InputError(f"{output}: exists and was not written by a demo; choose another --output")
    if demo.output.exists():
        demo.run("annotate", "down", show=False)
        shutil.rmtree(demo.output)
    demo.output.mkdir(parents=True)
    (demo.output / MARKER).touch()
    try:
        return demo.run_steps()
    finally:
        demo.run("annotate", "down", show=False)


class _Demo:
    """One run of the demo: its folder, its inputs and its steps."""

    def __init__(self, output: Path, documents: int | None, settings: Sequence[str]) -> None:
        self.output = output
        self.documents = documents
        self.settings = settings
        train = {document.id: document for document in read_documents(ARTICLES / "train.jsonl")}
        number = REPLAYED if documents is None else min(documents, REPLAYED)
        self.passes = {
            name: read_annotation_set(path, None, train).documents[:number]
            for name, path in PASSES.items()
        }
        self.recorded = self.passes["first"]
        recorded_ids = {document.id for document in self.recorded}
        self.more = [d for doc_id, d in train.items() if doc_id not in recorded_ids][:documents]
        self.console = Console()
        self.started = time.monotonic()
        self.environment = {**os.environ, "ORBAT_DOCCANO_HOME": str(output / "doccano")}

    def print_title(self, title: str) -> None:
        """Print the title of a step."""
        self.console.rule(f"[bold]{title}", align="left")

    def print_command(self, line: str) -> None:
        """Print a command on one line, with paths relative to the current folder."""
        here = f"{Path.cwd()}{os.sep}"
        self.console.print(
            f"$ {line.replace(here, '')}",
            style="cyan",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def run(self, *arguments: object, show: bool = True) -> str:
        """Run one orbat command in a process of its own.

        Args:
            arguments: the command and its options.
            show: print the command, its output and its duration.

        Returns:
            The output of the command; empty if it was shown.

        Raises:
            OrbatError: if the command fails; it has printed the reason.
        """
        command = [str(argument) for argument in arguments]
        if show:
            self.print_command(f"orbat {' '.join(command)}")
        started = time.monotonic()
        process = subprocess.run(
            [sys.executable, "-m", "orbat", *command],
            env=self.environment,
            stdout=None if show else subprocess.PIPE,
            text=True,
        )
        if process.returncode:
            raise OrbatError(f"the demo stopped at: orbat {' '.join(command)}")
        if show:
            seconds = time.monotonic() - started
            self.console.print(f"{seconds:.1f} s", style="dim", highlight=False)
        return process.stdout or ""

    def run_steps(self) -> dict[str, Any]:
        """Run all steps, print the closing table and return its values by row."""
        out = self.output
        self._ingest(out / "documents.jsonl")
        agreement = self._annotate(out / "documents.jsonl", out / "session", out / "gold.jsonl")
        run = out / "run"
        self._train(out / "gold.jsonl", run)

        self.print_title("6  Evaluate on held-out articles")
        report = out / "report.html"
        self.run("evaluate", run, self._held_out("test"), "--report", report)

        self.print_title("7  Package the model as a wheel and install it in a new environment")
        self.run("package", run, "--output", out / "dist")
        wheel = next((out / "dist").glob("*.whl"))
        self.print_command(f"pip install {wheel}")
        python = install_wheel(wheel, out / "venv")
        page = self._tag_page(python)

        metrics = json.loads((run / "metrics.json").read_text())
        micro = json.loads((run / "evaluations" / "test.json").read_text())["strict"]["micro"]
        summary = {
            "articles annotated": len(self.recorded),
            "agreement of the passes (strict F1)": agreement["strict"]["micro"]["f1"],
            "articles trained on": len(self.recorded) + len(self.more),
            "training": f"{metrics['seconds']:.0f} s",
            "dev F1": metrics["dev"]["f1"],
            "held-out F1": micro["f1"],
            "95 % interval": format_interval(micro["low"], micro["high"]),
            "wheel": f"{wheel.stat().st_size / 1e6:.1f} MB",
            "cold load of the wheel": f"{page['seconds']:.2f} s",
            "entities in the page": len(page["entities"]),
            "whole demo": f"{time.monotonic() - self.started:.0f} s",
        }
        self.print_title("Done")
        table = Table(show_header=False)
        for name, value in summary.items():
            table.add_row(name, format_value(value))
        self.console.print(table)
        files = {"report": report, "card": out / "dist" / "MODEL_CARD.md", "wheel": wheel}
        for name, path in files.items():
            print(f"{name}: {path}")
        return summary

    def _ingest(self, documents: Path) -> None:
        self.print_title(f"1  Turn {len(self.recorded)} raw articles into documents")
        for document in self.recorded:
            write_text(self.output / "raw" / f"{document.id}.txt", document.text)
        self.run("corpus", "add", self.output / "raw", "--output", documents)

    def _annotate(self, documents: Path, session: Path, gold: Path) -> dict[str, Any]:
        """Annotate the documents and merge the annotations; return the agreement."""
        self.print_title("2  Start doccano and assign documents with suggestions by rules")
        self.run("annotate", "up", "--port", _free_port())
        annotators = ("--annotators", ",".join(PASSES))
        self.run("annotate", "push", documents, "--session", session, *annotators)

        self.print_title("3  Annotate")
        self.console.print(
            "This is a replay: two recorded annotation passes are sent through doccano's API by "
            "two accounts. Nobody annotates while you watch.",
            style="yellow",
        )
        replays = []
        for name, recorded in self.passes.items():
            write_documents(self.output / "recorded" / f"{name}.jsonl", recorded)
            replays.append(f"{name}={self.output / 'recorded' / name}.jsonl")
        self.run("annotate", "replay", "--session", session, *replays)

        self.print_title("4  Pull the annotations, measure agreement, adjudicate")
        self.run("annotate", "pull", "--session", session)
        annotations = [session / "pulled" / f"{name}.jsonl" for name in PASSES]
        self.run("annotate", "agree", *annotations)
        self.run("annotate", "adjudicate", *annotations, "--output", gold, "--policy", POLICY)
        agreement: dict[str, Any] = json.loads(
            self.run("annotate", "agree", *annotations, "--json", show=False)
        )
        return agreement

    def _train(self, gold: Path, run: Path) -> None:
        self.print_title(f"5  Train on this gold and {len(self.more)} more shipped articles")
        more = self.output / "more-gold.jsonl"
        write_documents(more, self.more)
        options = [part for setting in self.settings for part in ("--set", setting)]
        self.run(
            *("train", "quick", "--train", gold, "--train", more),
            *("--dev", self._held_out("dev"), "--output", run, *options),
        )

    def _held_out(self, part: str) -> Path:
        """Return the file of the dev or test articles that the demo uses."""
        shipped = ARTICLES / f"{part}.jsonl"
        if self.documents is None:
            return shipped
        path = self.output / shipped.name
        write_documents(path, list(read_documents(shipped))[: self.documents])
        return path

    def _tag_page(self, python: Path) -> dict[str, Any]:
        """Tag a web page with the installed wheel; return the entities and the loading time."""
        self.print_title("8  Tag a raw web page with the installed wheel")
        article = next(read_documents(ARTICLES / "test.jsonl"))
        write_page(article, self.output / "page" / f"{article.id}.html")
        self.run("corpus", "add", self.output / "page", "--output", self.output / "page.jsonl")
        text = next(read_documents(self.output / "page.jsonl")).text
        page = tag_with_wheel(python, text)
        table = Table("entity", "label", "confidence")
        for entity, label, confidence in page["entities"]:
            table.add_row(entity, label, format_value(confidence))
        self.console.print(table)
        return page


def write_page(document: Document, path: Path) -> None:
    """Write an article as a web page with a header, navigation and a footer."""
    title, _, body = document.text.partition("\n")
    paragraphs = "\n".join(f"<p>{html.escape(p)}</p>" for p in body.strip().split("\n\n"))
    write_text(path, _PAGE.format(title=html.escape(title), paragraphs=paragraphs))


def install_wheel(wheel: Path, environment: Path) -> Path:
    """Install a wheel and its dependencies into a new environment; return its Python.

    Raises:
        ModelError: if the installation fails.
    """
    python = environment / "bin" / "python"
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    for command in ([sys.executable, "-m", "venv", str(environment)], [*pip, str(wheel)]):
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode:
            last = process.stderr.strip().splitlines()[-1:]
            raise ModelError(f"{wheel}: cannot be installed: {' '.join(last)}")
    return python


def tag_with_wheel(python: Path, text: str) -> dict[str, Any]:
    """Tag a text with the model that is installed in an environment, in a process of its own.

    Args:
        python: the Python of the environment.
        text: the text to tag.

    Returns:
        `entities`: text, label and confidence of each; `seconds`: the time to load the model.

    Raises:
        ModelError: if the model does not load.
    """
    process = subprocess.run(
        [str(python), "-I", "-c", _PRINT_ENTITIES],
        input=json.dumps(text),
        capture_output=True,
        text=True,
    )
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:]
        raise ModelError(f"the installed model does not load: {' '.join(last)}")
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
