"""Number of labeled documents that active learning saves.

    python -m orbat.evaluation.benchmarks.active_learning RUNS [--seeds 5] [--start 20] [--step 20]
        [--rounds 5] [--set layers=2 --set epochs=8]

Simulates labeling sessions on the shipped articles. The seed draws the first documents, which are
the same for all strategies. In each round a model is trained on the labeled documents, and
`orbat annotate select` selects the next ones from the rest of the train articles; their gold spans
are the labels. Scores are those of the dev articles. Runs are kept in RUNS; an interrupted
benchmark resumes. Prints Markdown, and writes a figure next to this file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...annotation.active_learning import STRATEGIES
from ...corpus.document import Document
from ...corpus.files import read_documents, write_documents
from .common import ARTICLES, run_orbat

PICTURE = Path(__file__).with_name("active_learning.png")
_DRAWS = 10_000

Floats = NDArray[np.float64]


class Simulation:
    """Labeling sessions of several strategies and seeds.

    Args:
        runs: folder of the training runs.
        settings: recipe fields as `key=value`.
    """

    def __init__(self, runs: Path, settings: Sequence[str]) -> None:
        self.runs = runs
        self.settings = [part for setting in settings for part in ("--set", setting)]
        self.pool = {d.id: d for d in read_documents(ARTICLES / "train.jsonl")}

    def run(self, strategy: str, seed: int, start: int, step: int, rounds: int) -> list[float]:
        """Return the dev F1 after each round."""
        order = np.random.default_rng(seed).permutation(len(self.pool)).tolist()
        ids = list(self.pool)
        selected = [ids[index] for index in order[:start]]
        scores = []
        for number in range(rounds):
            # The first training is the same for all strategies.
            name = f"{seed}-first" if number == 0 else f"{seed}-{strategy}-{number}"
            run = self._train(name, selected, seed)
            scores.append(json.loads((run / "metrics.json").read_text())["dev"]["f1"])
            if number + 1 < rounds:
                name = f"{seed}-{strategy}-{number}"
                selected += self._select(name, run, selected, strategy, step)
        return scores

    def _train(self, name: str, selected: Sequence[str], seed: int) -> Path:
        run = self.runs / name
        if not (run / "metrics.json").is_file():
            labeled = self.runs / f"{name}.jsonl"
            write_documents(labeled, (self.pool[doc_id] for doc_id in selected))
            run_orbat(
                *("train", "quick", *self.settings, "--set", f"seed={seed}", "--output", run),
                *("--train", labeled, "--dev", ARTICLES / "dev.jsonl"),
                *(["--resume"] if run.exists() else []),
            )
        return run

    def _select(
        self, name: str, run: Path, selected: Sequence[str], strategy: str, step: int
    ) -> list[str]:
        output = self.runs / f"{name}-next.jsonl"
        if not output.is_file():
            known, free = self.runs / f"{name}-known.jsonl", self.runs / f"{name}-free.jsonl"
            labeled = set(selected)
            write_documents(known, (_without_spans(self.pool[doc_id]) for doc_id in selected))
            write_documents(
                free, (_without_spans(d) for d in self.pool.values() if d.id not in labeled)
            )
            run_orbat(
                *("annotate", "select", free, "--labeled", known, "--output", output),
                *("--model", run, "--strategy", strategy, "--count", step),
                *("--seed", 1000 + len(selected)),
            )
        return [document.id for document in read_documents(output)]


def _without_spans(document: Document) -> Document:
    return document.with_spans(())


def documents_for(sizes: Sequence[int], f1: Floats, goal: float) -> float:
    """Return the number of documents at which a curve first reaches an F1; NaN if it does not.

    Interpolates linearly.
    """
    for index, value in enumerate(f1):
        if value >= goal:
            if index == 0:
                return float(sizes[0])
            share = (goal - f1[index - 1]) / (value - f1[index - 1])
            return float(sizes[index - 1] + share * (sizes[index] - sizes[index - 1]))
    return float("nan")


def mean_interval(values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return the bootstrap interval of a mean over seeds."""
    means = rng.choice(values, (_DRAWS, len(values))).mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def curve_table(sizes: Sequence[int], curves: dict[str, Floats]) -> str:
    """Return a Markdown table of F1 by size and strategy, and the documents needed."""
    rng = np.random.default_rng(0)
    names = list(curves)
    difference = curves[names[0]] - curves[names[1]]
    lines = [
        f"| labeled documents | {' | '.join(names)} | difference | 95 % interval |",
        "|---" * (len(names) + 3) + "|",
    ]
    for index, size in enumerate(sizes):
        cells = [
            f"{c[:, index].mean():.3f} ± {c[:, index].std(ddof=1):.3f}" for c in curves.values()
        ]
        low, high = mean_interval(difference[:, index], rng)
        mean = difference[:, index].mean()
        lines.append(f"| {size} | {' | '.join(cells)} | {mean:+.3f} | {low:+.3f} to {high:+.3f} |")
    goal = float(curves[names[1]][:, -1].mean())
    needed = {
        n: np.array([documents_for(sizes, row, goal) for row in c]) for n, c in curves.items()
    }
    lines += ["", f"Documents needed for F1 {goal:.3f}, the mean of {names[1]} at {sizes[-1]}:", ""]
    lines += [
        f"- {name}: mean {np.nanmean(values):.0f} over the {np.isfinite(values).sum()} of "
        f"{len(values)} seeds that reach it within {sizes[-1]}"
        for name, values in needed.items()
    ]
    return "\n".join(lines)


def draw(sizes: Sequence[int], curves: dict[str, Floats], path: Path) -> None:
    """Draw the mean of each strategy, and each seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        axis.plot(sizes, curve.mean(axis=0), color=f"C{number}", marker="o", label=name)
        axis.plot(sizes, curve.T, color=f"C{number}", alpha=0.25, linewidth=1)
    axis.set(
        xlabel="labeled documents",
        ylabel="strict F1 on the dev articles",
        title=f"Active learning, {len(curve)} seeds",
    )
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--start", type=int, default=20)
    parser.add_argument("--step", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    simulation = Simulation(options.runs, options.settings)
    sizes = [options.start + options.step * number for number in range(options.rounds)]
    rows: dict[str, list[list[float]]] = {strategy: [] for strategy in STRATEGIES}
    for seed in range(options.seeds):
        for strategy, curve in rows.items():
            curve.append(
                simulation.run(strategy, seed, options.start, options.step, options.rounds)
            )
    curves = {strategy: np.array(curve) for strategy, curve in rows.items()}
    print(curve_table(sizes, curves))
    draw(sizes, curves, PICTURE)


if __name__ == "__main__":
    main()
