"""Quality of the recipes and baselines, and the contribution of each part of `default`.

    python -m orbat.evaluation.benchmarks.training REAL RUNS [--seeds 3] [--parts no-crf …]
        [--part-seeds 1]

REAL is a folder with `documents.jsonl`, real documents whose meta has `split` train or dev. All
models are trained on the shipped train articles and the real ones; the epoch is selected on both
dev parts. Runs are kept in RUNS; an interrupted benchmark resumes. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...corpus.files import read_documents, read_toml, write_documents, write_text
from ...corpus.gazetteer import DEFAULT_GAZETTEER
from ...ui import format_interval, format_value
from .common import ARTICLES, run_orbat

SYSTEMS = ("baseline-rules", "baseline-linear", "baseline-cnn", "default", "fast", "fastest")
FULL = "full recipe"
PHRASES = "phrases.toml"
VARIANTS = {
    "no-crf": ("without CRF", ("crf=false",)),
    "no-gazetteer": ("without gazetteer", ("gazetteer=none",)),
    "phrases-only": ("gazetteer phrases without patterns", (f"gazetteer={PHRASES}",)),
    "no-word-features": ("without word features", ("word_features=false",)),
    "embeddings": ("with trained piece embeddings", ("freeze_embeddings=false",)),
    "windows-128": (
        "windows of 128 pieces, batches of 8",
        ("window=128", "stride=32", "batch_size=8"),
    ),
}


class Bench:
    """Trains and scores with the command line, once each.

    Args:
        real: folder of the real documents.
        runs: folder of the runs.
    """

    def __init__(self, real: Path, runs: Path) -> None:
        self.runs = runs
        documents = list(read_documents(real / "documents.jsonl"))
        for part in ("train", "dev"):
            write_documents(
                runs / f"real-{part}.jsonl", (d for d in documents if d.meta["split"] == part)
            )
        plan = [
            f'[[phrases]]\nfile = "{DEFAULT_GAZETTEER.parent / entry["file"]}"\n'
            + "\n".join(f"{k} = {json.dumps(v)}" for k, v in entry.items() if k != "file")
            for entry in read_toml(DEFAULT_GAZETTEER)["phrases"]  # type: ignore[attr-defined]
        ]
        write_text(runs / PHRASES, "\n\n".join(plan) + "\n")
        self.gold = {
            "authored dev": ARTICLES / "dev.jsonl",
            "real dev": runs / "real-dev.jsonl",
            "authored test": ARTICLES / "test.jsonl",
        }

    def run(self, name: str, recipe: str, seed: int, changes: Sequence[str] = ()) -> Path:
        """Return the folder of a trained run."""
        output = self.runs / f"{name}-{seed}"
        metrics = output / "metrics.json"
        if not metrics.is_file():
            settings = [change.replace(PHRASES, str(self.runs / PHRASES)) for change in changes]
            run_orbat(
                *("train", recipe, "--output", output, "--set", f"seed={seed}"),
                *(part for setting in settings for part in ("--set", setting)),
                *("--train", ARTICLES / "train.jsonl", "--train", self.runs / "real-train.jsonl"),
                *("--dev", self.gold["authored dev"], "--dev", self.gold["real dev"]),
                *(["--resume"] if output.exists() else []),
            )
        return output

    def scores(self, runs: Sequence[Path], gold: str) -> dict[str, Any]:
        """Return the scores of each system; runs of one recipe count as one system."""
        result = json.loads(run_orbat("evaluate", *runs, self.gold[gold], "--json"))
        if "systems" in result:
            systems: dict[str, Any] = result["systems"]
            return systems
        strict = result["strict"]
        micro = strict["micro"]
        labels = {label: score["f1"] for label, score in strict["labels"].items()}
        scores = {**micro, "mean": micro["f1"], "std": None, "labels": labels}
        return {str(runs[0]): scores}


def table(title: str, rows: dict[str, dict[str, Any]]) -> str:
    """Return the scores of systems as a Markdown table."""
    labels = list(next(iter(rows.values()))["labels"])
    lines = [
        f"{title}:",
        "",
        f"| system | precision | recall | F1 | 95 % interval | {' | '.join(labels)} |",
        "|---" * (5 + len(labels)) + "|",
    ]
    for name, score in rows.items():
        spread = f" ± {score['std']:.3f}" if score["std"] is not None else ""
        cells = [
            *(name, f"{score['precision']:.3f}", f"{score['recall']:.3f}"),
            *(f"{score['mean']:.3f}{spread}", format_interval(score["low"], score["high"])),
            *(format_value(score["labels"][label]) for label in labels),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("real", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--part-seeds", type=int, default=1)
    parser.add_argument("--parts", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    options = parser.parse_args()
    if not (options.real / "documents.jsonl").is_file():
        print(f"skipped: {options.real} has no documents.jsonl")
        return
    bench = Bench(options.real, options.runs)
    systems: dict[str, list[Path]] = {}
    for recipe in SYSTEMS:
        seeds = options.seeds if recipe == "default" else 1
        teachers = json.dumps([str(run) for run in systems.get("default", ())])
        taught = [f"teachers={teachers}"] if recipe in ("fast", "fastest") else []
        systems[recipe] = [bench.run(recipe, recipe, seed, taught) for seed in range(seeds)]
    print("## Recipes and baselines\n")
    for gold in ("real dev", "authored test"):
        rows = {name: next(iter(bench.scores(runs, gold).values()))
                for name, runs in systems.items()}  # fmt: skip
        print(table(f"Strict F1, {gold}", rows))
    print("## Contribution of each part\n")
    parts = {FULL: systems["default"]}
    for name in options.parts:
        title, changes = VARIANTS[name]
        parts[title] = [
            bench.run(name, "default", seed, changes) for seed in range(options.part_seeds)
        ]
    for gold in ("authored dev", "real dev"):
        rows = {
            title: next(iter(bench.scores(runs, gold).values())) for title, runs in parts.items()
        }
        print(table(f"Strict F1, {gold}", rows))


if __name__ == "__main__":
    main()
