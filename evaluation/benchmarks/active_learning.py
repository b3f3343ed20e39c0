"""How many labelled documents the choice of the next ones saves.

    python -m orbat.evaluation.benchmarks.active_learning RUNS [--seeds 5] [--start 20] [--step 20]
        [--rounds 5] [--set layers=2 --set epochs=8]

Plays labelling sessions on the shipped articles: a seed draws the first documents, then in each
round a model is trained on what is labelled, and `orbat annotate select` chooses what its strategy
would have labelled next from the rest of the train articles; their gold is the label. Strategies
share the first documents. Scores are on the dev articles. Trainings are kept in RUNS: called
again, the command goes on. Prints Markdown, and draws a picture beside this file.
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
from .training import ARTICLES, orbat

PICTURE = Path(__file__).with_name("active_learning.png")
_DRAWS = 10_000

Floats = NDArray[np.float64]


class Simulation:
    """Labelling sessions of several strategies and seeds.

    Args:
        runs: folder of the trainings.
        settings: recipe fields as `key=value`.
    """

    def __init__(self, runs: Path, settings: Sequence[str]) -> None:
        self.runs = runs
        self.settings = [part for setting in settings for part in ("--set", setting)]
        self.pool = {d.id: d for d in read_documents(ARTICLES / "train.jsonl")}

    def play(self, strategy: str, seed: int, start: int, step: int, rounds: int) -> list[float]:
        """Return the dev F1 after each round."""
        order = np.random.default_rng(seed).permutation(len(self.pool)).tolist()
        ids = list(self.pool)
        chosen = [ids[place] for place in order[:start]]
        scores = []
        for number in range(rounds):
            # The first training is the same for all strategies.
            name = f"{seed}-first" if number == 0 else f"{seed}-{strategy}-{number}"
            run = self._train(name, chosen, seed)
            scores.append(json.loads((run / "metrics.json").read_text())["dev"]["f1"])
            if number + 1 < rounds:
                chosen += self._next(f"{seed}-{strategy}-{number}", run, chosen, strategy, step)
        return scores

    def _train(self, name: str, chosen: Sequence[str], seed: int) -> Path:
        run = self.runs / name
        if not (run / "metrics.json").is_file():
            labelled = self.runs / f"{name}.jsonl"
            write_documents(labelled, (self.pool[identity] for identity in chosen))
            orbat(
                *("train", "quick", *self.settings, "--set", f"seed={seed}", "--output", run),
                *("--train", labelled, "--dev", ARTICLES / "dev.jsonl"),
                *(["--resume"] if run.exists() else []),
            )
        return run

    def _next(
        self, name: str, run: Path, chosen: Sequence[str], strategy: str, step: int
    ) -> list[str]:
        output = self.runs / f"{name}-next.jsonl"
        if not output.is_file():
            known, free = self.runs / f"{name}-known.jsonl", self.runs / f"{name}-free.jsonl"
            taken = set(chosen)
            write_documents(known, (_bare(self.pool[identity]) for identity in chosen))
            write_documents(free, (_bare(d) for d in self.pool.values() if d.id not in taken))
            orbat(
                *("annotate", "select", free, "--labeled", known, "--output", output),
                *("--model", run, "--strategy", strategy, "--count", step),
                *("--seed", 1000 + len(chosen)),
            )
        return [document.id for document in read_documents(output)]


def _bare(document: Document) -> Document:
    return document.with_spans(())


def reach(sizes: Sequence[int], f1: Floats, goal: float) -> float:
    """Return the documents at which a curve first reaches a goal, interpolated; NaN if never."""
    for place, value in enumerate(f1):
        if value >= goal:
            if place == 0:
                return float(sizes[0])
            share = (goal - f1[place - 1]) / (value - f1[place - 1])
            return float(sizes[place - 1] + share * (sizes[place] - sizes[place - 1]))
    return float("nan")


def interval(values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return the bootstrap interval of a mean over seeds."""
    drawn = rng.choice(values, (_DRAWS, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def report(sizes: Sequence[int], curves: dict[str, Floats]) -> str:
    """Return the table: F1 by size and strategy, their paired difference, documents saved."""
    rng = np.random.default_rng(0)
    names = list(curves)
    difference = curves[names[0]] - curves[names[1]]
    lines = [
        f"| labelled documents | {' | '.join(names)} | difference | 95 % interval |",
        "|---" * (len(names) + 3) + "|",
    ]
    for place, size in enumerate(sizes):
        cells = [
            f"{c[:, place].mean():.3f} ± {c[:, place].std(ddof=1):.3f}" for c in curves.values()
        ]
        low, high = interval(difference[:, place], rng)
        mean = difference[:, place].mean()
        lines.append(f"| {size} | {' | '.join(cells)} | {mean:+.3f} | {low:+.3f} to {high:+.3f} |")
    goal = float(curves[names[1]][:, -1].mean())
    needed = {n: np.array([reach(sizes, row, goal) for row in c]) for n, c in curves.items()}
    lines += ["", f"Documents until F1 {goal:.3f}, which {names[1]} reaches at {sizes[-1]}:", ""]
    lines += [
        f"- {name}: mean {np.nanmean(values):.0f} over the {np.isfinite(values).sum()} of "
        f"{len(values)} seeds that reach it within {sizes[-1]}"
        for name, values in needed.items()
    ]
    return "\n".join(lines)


def draw(sizes: Sequence[int], curves: dict[str, Floats], path: Path) -> None:
    """Draw each strategy's mean and its seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        axis.plot(sizes, curve.mean(axis=0), color=f"C{number}", marker="o", label=name)
        axis.plot(sizes, curve.T, color=f"C{number}", alpha=0.25, linewidth=1)
    axis.set(
        xlabel="labelled documents",
        ylabel="strict F1 on the dev articles",
        title=f"What choosing the next documents buys, {len(curve)} seeds",
    )
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the benchmark."""
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
        for strategy, found in rows.items():
            found.append(
                simulation.play(strategy, seed, options.start, options.step, options.rounds)
            )
    curves = {strategy: np.array(found) for strategy, found in rows.items()}
    print(report(sizes, curves))
    draw(sizes, curves, PICTURE)


if __name__ == "__main__":
    main()
