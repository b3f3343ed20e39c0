"""Memory of `orbat tag` by the size of its input.

    python -m orbat.evaluation.benchmarks.bulk MODEL [TEXTS] [--megabytes 2 16]

Repeats the documents of TEXTS under new ids in files of the given sizes, tags each file in its own
process, and prints Markdown. Without TEXTS the documents are random words of 64 letters, which a
model tags at a much higher rate of bytes per second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import string
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...corpus.document import Document, document_to_json
from ...corpus.files import read_documents
from ...machine import count_processors
from .common import measure_orbat


def repeat(documents: list[Document], size: float) -> Iterator[Document]:
    """Yield documents repeatedly, under new ids, until the text has `size` bytes."""
    length = 0
    for number, document in enumerate(itertools.cycle(documents)):
        if length >= size:
            return
        yield replace(document, id=str(number), spans=())
        length += len(document.text.encode())


def random_documents() -> list[Document]:
    """Return documents of five lines of six random words."""
    random.seed(0)
    words = ["".join(random.choices(string.ascii_lowercase, k=64)) for _ in range(400)]
    lines = (" ".join(random.choices(words, k=6)) for _ in range(500))
    return [Document(str(n), "\n".join(itertools.islice(lines, 5)), (), {}) for n in range(100)]


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("texts", type=Path, nargs="?")
    parser.add_argument("--megabytes", type=float, nargs="+", default=[2, 16])
    arguments = parser.parse_args()
    texts = arguments.texts
    documents = list(read_documents(texts)) if texts is not None else random_documents()
    print(f"{count_processors()} processors\n")
    print("| input, MB | documents | words | words/s, including start | peak memory, MB |")
    print("|---|---|---|---|---|")
    for megabytes in arguments.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "in.jsonl"
            count = words = 0
            with path.open("w", encoding="utf-8") as file:
                for document in repeat(documents, megabytes * 1e6):
                    file.write(json.dumps(document_to_json(document), ensure_ascii=False) + "\n")
                    count, words = count + 1, words + len(document.text.split())
            output = Path(folder) / "out.jsonl"
            tagging = measure_orbat("tag", arguments.model, path, "--output", output)
            with output.open("rb") as tagged:
                assert sum(1 for _ in tagged) == count
            print(
                f"| {megabytes:g} | {count:,} | {words:,} | {words / tagging.seconds:,.0f} "
                f"| {tagging.peak_bytes / 1e6:.0f} |"
            )


if __name__ == "__main__":
    main()
