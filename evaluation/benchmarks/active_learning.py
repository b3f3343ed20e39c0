"""What active learning saves: F1 by the documents, words and mentions that are labeled.

    python -m orbat.evaluation.benchmarks.active_learning RUNS [--seeds 5] [--documents 400]
        [--start 25] [--step 25] [--rounds 2] [--strategies uncertainty,random]
        [--set layers=2 --set epochs=8]

Simulates labeling sessions on the shipped articles. The seed draws the articles to choose from, and
the first labeled ones, which are the same for all strategies. In each round a model of the recipe
`quick` is trained on the labeled documents, and `select_documents` selects the next ones; their
gold spans are the labels. Every tenth dev article selects the epoch, the others measure F1. Runs
and selections are kept in RUNS; an interrupted benchmark resumes. Prints Markdown, and writes a
figure next to this file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...annotation.active_learning import STRATEGIES, select_documents
from ...annotation.word_probabilities import WordProbabilities
from ...corpus.document import Document
from ...corpus.files import read_documents, write_json
from ...corpus.labels import load_labels
from ...training.backends import load_run
from ...training.data import TrainingData
from ...training.recipe import load_recipe
from ...training.tagging import predict_probabilities, score_dev
from ...training.train import train_or_resume
from .common import ARTICLES

PICTURE = Path(__file__).with_name("active_learning.png")
DEV_STEP = 10
BASELINE = "uncertainty"
COSTS = ("documents", "words", "mentions")
_DRAWS = 10_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Round:
    """A round of a labeling session.

    Attributes:
        labeled: documents, words and mentions that are labeled; see :data:`COSTS`.
        f1: strict F1 of the model that was trained on them.
    """

    labeled: tuple[int, int, int]
    f1: float


class Predicted:
    """A tagger whose probabilities are known; see `ProbabilisticTagger`."""

    def __init__(self, probabilities: dict[str, WordProbabilities]) -> None:
        self._probabilities = probabilities

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        """Yield the probabilities of the words of each document."""
        return (self._probabilities[document.id] for document in documents)


class Simulation:
    """Labeling sessions of one seed.

    Args:
        runs: folder of the training runs.
        settings: recipe fields as `key=value`.
        seed: draws the articles, and is that of the trainings.
        documents: number of articles to choose from.
    """

    def __init__(self, runs: Path, settings: Sequence[str], seed: int, documents: int) -> None:
        self.runs, self.seed = runs, seed
        self.recipe = load_recipe("quick", [*settings, f"seed={seed}"])
        articles = list(read_documents(ARTICLES / "train.jsonl"))
        drawn = np.random.default_rng(seed).permutation(len(articles))[:documents]
        self.pool = {articles[index].id: articles[index] for index in drawn.tolist()}
        dev = list(read_documents(ARTICLES / "dev.jsonl"))
        self.dev = dev[::DEV_STEP]
        self.measured = [article for index, article in enumerate(dev) if index % DEV_STEP]
        self._predicted: dict[Path, Predicted] = {}

    def run(self, strategy: str, start: int, step: int, rounds: int) -> list[Round]:
        """Return the rounds of a labeling session."""
        selected = list(self.pool)[:start]
        results = []
        for number in range(rounds):
            run = self._train(selected)
            results.append(Round(self._costs(selected), self._score(run)))
            if number + 1 < rounds:
                selected = selected + self._select(run, selected, strategy, step)
        return results

    def _train(self, selected: Sequence[str]) -> Path:
        # Sessions that have labeled the same documents share the training.
        name = hashlib.sha256(" ".join(sorted(selected)).encode()).hexdigest()[:12]
        run = self.runs / f"{self.seed}-{name}"
        data = TrainingData([self.pool[doc_id] for doc_id in sorted(selected)], self.dev)
        train_or_resume(self.recipe, data, load_labels(), run)
        return run

    def _score(self, run: Path) -> float:
        path = run.with_name(f"{run.name}.json")
        if not path.is_file():
            write_json(path, score_dev(load_run(run), self.measured))
        return float(json.loads(path.read_text())["f1"] or 0.0)

    def _costs(self, selected: Sequence[str]) -> tuple[int, int, int]:
        documents = [self.pool[doc_id] for doc_id in selected]
        words = sum(len(document.text.split()) for document in documents)
        return len(documents), words, sum(len(document.spans) for document in documents)

    def _select(self, run: Path, selected: Sequence[str], strategy: str, step: int) -> list[str]:
        path = run.with_name(f"{run.name}-{strategy}.json")
        if not path.is_file():
            chosen = select_documents(
                self._without_spans(self.pool),
                self._predict(run),
                count=step,
                labeled=self._without_spans(selected),
                strategy=strategy,
                seed=1000 + self.seed,
            )
            write_json(path, [document.id for document in chosen.documents])
        names: list[str] = json.loads(path.read_text())
        return names

    def _predict(self, run: Path) -> Predicted:
        if run not in self._predicted:
            texts = (document.text for document in self.pool.values())
            values = predict_probabilities(load_run(run), texts, str(run))
            self._predicted[run] = Predicted(dict(zip(self.pool, values, strict=True)))
        return self._predicted[run]

    def _without_spans(self, ids: Iterable[str]) -> list[Document]:
        return [self.pool[doc_id].with_spans(()) for doc_id in ids]


def mean_interval(values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return the bootstrap interval of a mean over seeds."""
    means = rng.choice(values, (_DRAWS, len(values))).mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def curve_table(sessions: dict[str, list[list[Round]]]) -> str:
    """Return Markdown tables of F1 by strategy, at the same documents, words and mentions.

    F1 at a number of words or mentions is interpolated between the rounds, up to the number that
    the sessions of all strategies reach.

    Args:
        sessions: by strategy, the rounds of each seed.
    """
    rng = np.random.default_rng(0)
    parts = []
    for cost, unit in enumerate(COSTS):
        reached = [seed[-1].labeled[cost] for seeds in sessions.values() for seed in seeds]
        first = [seeds[0].labeled[cost] for seeds in sessions[BASELINE]]
        budgets = np.linspace(max(first), min(reached), 3)[1:] if cost else [reached[0]]
        for budget in budgets:
            scores = {
                name: np.array([_f1_at(rounds, cost, budget) for rounds in seeds])
                for name, seeds in sessions.items()
            }
            parts.append(_table(f"{budget:,.0f} {unit}", scores, rng))
    return "\n\n".join([*parts, _cost_table(sessions)])


def _f1_at(rounds: Sequence[Round], cost: int, budget: float) -> float:
    labeled = [round.labeled[cost] for round in rounds]
    return float(np.interp(budget, labeled, [round.f1 for round in rounds]))


def _table(title: str, scores: dict[str, Floats], rng: np.random.Generator) -> str:
    lines = [f"| {title} | F1 | against {BASELINE} | 95 % interval |", "|---|---|---|---|"]
    for name, values in scores.items():
        line = f"| {name} | {values.mean():.3f} ± {values.std(ddof=1):.3f} |"
        if name == BASELINE:
            lines.append(f"{line} – | – |")
            continue
        difference = values - scores[BASELINE]
        low, high = mean_interval(difference, rng)
        lines.append(f"{line} {difference.mean():+.3f} | {low:+.3f} to {high:+.3f} |")
    return "\n".join(lines)


def _cost_table(sessions: dict[str, list[list[Round]]]) -> str:
    lines = ["| strategy | words | mentions |", "|---|---|---|"]
    for name, seeds in sessions.items():
        _, words, mentions = np.mean([rounds[-1].labeled for rounds in seeds], axis=0)
        lines.append(f"| {name} | {words:,.0f} | {mentions:,.0f} |")
    return "Labeled at the end:\n\n" + "\n".join(lines)


def draw(sessions: dict[str, list[list[Round]]], path: Path) -> None:
    """Draw the mean curve of each strategy over documents, words and mentions."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots(1, len(COSTS), sharey=True)
    for cost, (axis, unit) in enumerate(zip(axes, COSTS, strict=True)):
        for number, (name, seeds) in enumerate(sessions.items()):
            labeled = np.array([[round.labeled[cost] for round in rounds] for rounds in seeds])
            f1 = np.array([[round.f1 for round in rounds] for rounds in seeds])
            style = {"color": f"C{number}", "marker": "o", "markersize": 4}
            axis.plot(labeled.mean(axis=0), f1.mean(axis=0), label=name, **style)
        axis.set(xlabel=f"labeled {unit}")
        axis.grid(alpha=0.3)
    axes[0].set(ylabel="strict F1 on the dev articles")
    axes[-1].legend(loc="lower right", fontsize="small")
    figure.suptitle(f"Active learning: mean of {len(sessions[BASELINE])} seeds")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--start", type=int, default=25)
    parser.add_argument("--step", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    sessions: dict[str, list[list[Round]]] = {
        strategy: [] for strategy in dict.fromkeys([BASELINE, *options.strategies.split(",")])
    }
    for seed in range(options.seeds):
        simulation = Simulation(options.runs, options.settings, seed, options.documents)
        for strategy, rounds in sessions.items():
            rounds.append(simulation.run(strategy, options.start, options.step, options.rounds))
            print(seed, strategy, rounds[-1], file=sys.stderr, flush=True)
    print(curve_table(sessions))
    draw(sessions, PICTURE)


if __name__ == "__main__":
    main()
