"""How training does on corpora and label sets that are not ours, with no change in code.

    python -m orbat.evaluation.benchmarks.foreign BRAT RE3D

BRAT is a folder of brat standoff, RE3D one of re3d. Each is converted, split by near duplicates
into train, dev and test, trained on by the default recipe without gazetteer and scored on test.
Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from ...corpus.files import read_documents, write_text
from .training import orbat


def main() -> None:
    """Convert, split, train and score each corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("brat", type=Path)
    parser.add_argument("re3d", type=Path)
    options = parser.parse_args()
    print("| corpus | documents (train, dev, test) | label | gold | F1 | 95 % interval |")
    print("|---|---|---|---|---|---|")
    for form in ("brat", "re3d"):
        source: Path = getattr(options, form)
        if not source.is_dir():
            print(f"| {form} | skipped: {source} is no folder | | | | |")
            continue
        with tempfile.TemporaryDirectory() as folder:
            _score(form, source, Path(folder))


def _score(form: str, source: Path, folder: Path) -> None:
    every, labels = folder / "all.jsonl", folder / "labels.toml"
    orbat("annotate", "convert", source, every, "--from", form, "--to", "jsonl")
    names = sorted({span.label for document in read_documents(every) for span in document.spans})
    entries = "\n".join(f'[[label]]\nname = "{name}"' for name in names)
    write_text(labels, f'name = "{form}"\n{entries}\n')
    orbat("corpus", "split", every, "--output", folder / "split", "--dev", "0.15", "--test", "0.25")
    parts = {part: folder / "split" / f"{part}.jsonl" for part in ("train", "dev", "test")}
    orbat(
        *("train", "default", "--train", parts["train"], "--dev", parts["dev"]),
        *("--labels", labels, "--output", folder / "run", "--set", "gazetteer=none"),
        *("--set", "epochs=12"),
    )
    found = json.loads(orbat("evaluate", folder / "run", parts["test"], "--json"))["strict"]
    sizes = ", ".join(str(sum(1 for _ in read_documents(path))) for path in parts.values())
    for label, score in {"all labels": found["micro"], **found["labels"]}.items():
        f1 = "–" if score["f1"] is None else f"{score['f1']:.3f}"
        low, high = score["low"], score["high"]
        interval = "–" if low is None else f"{low:.3f} to {high:.3f}"
        print(f"| {form} | {sizes} | {label} | {score['gold']} | {f1} | {interval} |", flush=True)


if __name__ == "__main__":
    main()
