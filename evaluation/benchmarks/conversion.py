"""Conversion: what each format keeps of the shipped articles, reading speed and memory.

    python -m orbat.evaluation.benchmarks.conversion
    python -m orbat.evaluation.benchmarks.conversion --documents 1000 10000 --formats jsonl brat

Each format is written and read again. Then the articles, cut to 300 words and repeated with new
ids, are read in a process of their own. Prints two Markdown tables. Times are ratios to orbat's
JSON Lines with the same number of documents. Runs on Linux.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...annotation.formats.conversion import read_format, write_format
from ...annotation.formats.conversion_report import ConversionReport
from ...annotation.formats.registry import FORMATS
from ...corpus.document import Document, trim_span
from ...corpus.files import read_documents
from ...machine import peak_memory_bytes
from .common import ARTICLES

WORDS = 300
SPLITS = ("train", "dev", "test")


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--formats", nargs="+", choices=list(FORMATS), default=list(FORMATS))
    parser.add_argument(
        "--runs", type=int, default=3, help="reads of each file; the fastest counts"
    )
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        _read(*options.read)
        return
    names = [name for name in options.formats if FORMATS[name].write is not None]
    with tempfile.TemporaryDirectory() as folder:
        _print_round_trips(names, Path(folder))
        _print_speeds(names, options.documents, options.runs, Path(folder))


def _print_round_trips(names: Sequence[str], folder: Path) -> None:
    documents = [d for split in SPLITS for d in read_documents(ARTICLES / f"{split}.jsonl")]
    spans = sum(len(document.spans) for document in documents)
    print(f"{len(documents)} documents with {spans} spans:\n")
    print("| format | documents | spans | same texts | same spans | counted as lost |")
    print("|---|---|---|---|---|---|")
    for name in names:
        written, read = ConversionReport(), ConversionReport()
        path = folder / f"round-trip-{name}{FORMATS[name].suffix}"
        write_format(path, name, documents, written)
        found = list(read_format(path, name, read))
        # A folder of files is read in the order of their names.
        if {document.id for document in found} == {document.id for document in documents}:
            order = {document.id: position for position, document in enumerate(documents)}
            found.sort(key=lambda document: order[document.id])
        # Without a text, spans are compared by their words.
        pairs = list(zip(documents, found, strict=False))
        lost = [
            f"{count} {kind}" for kind, count in sorted((written.dropped + read.dropped).items())
        ]
        figures = (
            *(len(found), sum(len(document.spans) for document in found)),
            sum(first.text == second.text for first, second in pairs),
            sum(_words(first) == _words(second) for first, second in pairs),
        )
        print(f"| `{name}` | {' | '.join(map(str, figures))} | {', '.join(lost)} |", flush=True)


def _words(document: Document) -> list[tuple[str, str]]:
    """Return label and letters of each span: formats of tokens change white space."""
    return [(s.label, "".join(document.text[s.start : s.end].split())) for s in document.spans]


def _print_speeds(names: Sequence[str], counts: Sequence[int], runs: int, folder: Path) -> None:
    columns = [f"{count:,}: {column}" for count in counts for column in ("time", "peak MB")]
    print(f"\n| format | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    baseline: dict[int, float] = {}
    for name in dict.fromkeys(["jsonl", *names]):
        cells = []
        for count in counts:
            path = folder / f"{name}-{count}{FORMATS[name].suffix}"
            write_format(path, name, _make_documents(count), ConversionReport())
            results = [_measure(name, path) for _ in range(runs)]
            seconds = min(seconds for seconds, _ in results)
            ratio = seconds / baseline.setdefault(count, seconds)
            shown = f"{seconds:.1f} s" if name == "jsonl" else f"{ratio:.1f}"
            cells += [shown, str(max(peak for _, peak in results) >> 20)]
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)


def _make_documents(count: int) -> Iterator[Document]:
    """Yield the shipped articles again and again, cut and with new ids."""
    articles = [_cut(d) for split in SPLITS for d in read_documents(ARTICLES / f"{split}.jsonl")]
    for number, document in enumerate(itertools.islice(itertools.cycle(articles), count)):
        yield replace(document, id=f"{number}")


def _cut(document: Document) -> Document:
    """Cut a document after its first words, but not inside a span."""
    words = document.text.split(" ")
    end = len(" ".join(words[:WORDS]))
    end = next((span.end for span in document.spans if span.start < end < span.end), end)
    _, end = trim_span(document.text, 0, end)
    spans = (span for span in document.spans if span.end <= end)
    return replace(document, text=document.text[:end]).with_spans(spans)


def _measure(name: str, path: Path) -> tuple[float, int]:
    """Read a source in a process of its own; return seconds and the most bytes of memory."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, "--read", name, str(path)],
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def _read(name: str, path: str) -> None:
    began = time.perf_counter()
    for _ in read_format(Path(path), name, ConversionReport()):
        pass
    seconds = time.perf_counter() - began
    print(json.dumps([seconds, peak_memory_bytes()]))


if __name__ == "__main__":
    main()
