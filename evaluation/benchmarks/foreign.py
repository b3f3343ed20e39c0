"""Training on third-party corpora and label sets, without any change of code.

    python -m orbat.evaluation.benchmarks.foreign BRAT RE3D

BRAT is a folder of brat standoff files, RE3D one of the re3d corpus. Each is converted, split by
near duplicates into train, dev and test, used to train the recipe `default` without gazetteer, and
scored on test. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from ...corpus.files import read_documents, write_text
from ...ui import format_interval, format_value
from ..metrics import ALL_LABELS
from .common import run_orbat


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("brat", type=Path)
    parser.add_argument("re3d", type=Path)
    options = parser.parse_args()
    print("| corpus | documents (train, dev, test) | label | gold | F1 | 95 % interval |")
    print("|---|---|---|---|---|---|")
    for name in ("brat", "re3d"):
        source: Path = getattr(options, name)
        if not source.is_dir():
            print(f"| {name} | skipped: {source} is not a folder | | | | |")
            continue
        with tempfile.TemporaryDirectory() as folder:
            _score(name, source, Path(folder))


def _score(name: str, source: Path, folder: Path) -> None:
    every, labels = folder / "all.jsonl", folder / "labels.toml"
    run_orbat("annotate", "convert", source, every, "--from", name, "--to", "jsonl")
    labels_used = sorted(
        {span.label for document in read_documents(every) for span in document.spans}
    )
    entries = "\n".join(f'[[label]]\nname = "{label}"' for label in labels_used)
    write_text(labels, f'name = "{name}"\n{entries}\n')
    run_orbat(
        "corpus", "split", every, "--output", folder / "split", "--dev", "0.15", "--test", "0.25"
    )
    parts = {part: folder / "split" / f"{part}.jsonl" for part in ("train", "dev", "test")}
    run_orbat(
        *("train", "default", "--train", parts["train"], "--dev", parts["dev"]),
        *("--labels", labels, "--output", folder / "run", "--set", "gazetteer=none"),
        *("--set", "epochs=12"),
    )
    strict = json.loads(run_orbat("evaluate", folder / "run", parts["test"], "--json"))["strict"]
    sizes = ", ".join(str(sum(1 for _ in read_documents(path))) for path in parts.values())
    for label, score in {ALL_LABELS: strict["micro"], **strict["labels"]}.items():
        f1, interval = format_value(score["f1"]), format_interval(score["low"], score["high"])
        print(f"| {name} | {sizes} | {label} | {score['gold']} | {f1} | {interval} |", flush=True)


if __name__ == "__main__":
    main()
