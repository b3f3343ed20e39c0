"""What new articles, negatives, unlabeled articles and teachers contribute, in one table.

    python -m orbat.evaluation.benchmarks.self_training REAL ORDINARY UNLABELED RUNS
        --false-alarms UNIT RANK OPERATION [--rows new-articles pool-tidy …] [--recipe default]
        [--seeds 3] [--larger-encoder FOLDER] [--set unlabeled_ratio=2 …]

REAL, ORDINARY and UNLABELED are folders with `documents.jsonl`: real documents with gold spans
whose meta has `split` train or dev; documents without annotations in which the labels of `--false-
alarms` do not occur; and unlabeled documents. The unlabeled documents are divided into tidy ones
and those in capitals. All models are trained on shipped train articles and the real ones; the epoch
is selected on both dev parts. Runs are kept in RUNS, so that rows can be run one by one: a row also
trains the teachers it needs, if they are not there. An interrupted benchmark resumes. Rows with
larger-teacher need the folder of a larger encoder. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_documents, write_documents
from ...models.loading import load_model
from ...models.model import Model
from ...ui import format_value
from ..counts import total_counts
from ..false_alarms.unannotated import measure_false_alarms
from ..robustness.transformations import TRANSFORMATIONS, WRAP_WIDTH
from .common import ARTICLES, describe_machine, run_orbat

FIRST_DESKS = ("us", "cw", "eu", "me", "ap", "lr", "gs", "hx")
"""Desks of the articles that were shipped first: dense and tidy."""
FURTHER_DESKS = ("aw", "ip", "eb", "lv", "am", "ls", "dw", "un", "rl")
"""Desks of the further ordinary news, which have train articles only."""
NEGATIVE_COPIES = 2
"""Further copies of each training article without a span, in the row with more negatives."""
UNTIDY = {
    "lower case": "lower case",
    "capitals": "capitals",
    "wrapped": f"hard-wrapped at {WRAP_WIDTH} columns",
}
COLUMNS = (
    *("ordinary, false per 1,000 words", "authored dev", "first desks", "new desks", "real dev"),
    *UNTIDY,
)


@dataclass(frozen=True)
class Row:
    """A way of training.

    Attributes:
        title: its name in the table.
        train: name of the gold to train on: `first`, `without-further`, `all` or `negatives`.
        teachers: row whose runs teach.
        teacher_seeds: number of those runs.
        pool: name of the unlabeled documents: `tidy`, `capitals` or `both`.
        larger: whether the encoder is the larger one.
    """

    title: str
    train: str = "all"
    teachers: str | None = None
    teacher_seeds: int = 1
    pool: str | None = None
    larger: bool = False


BASE = "new-articles"
ROWS = {
    "first-articles": Row("first articles only", train="first"),
    "without-further-news": Row("without further ordinary news", train="without-further"),
    BASE: Row("all shipped articles"),
    "more-negatives": Row("more articles without entities", train="negatives"),
    "larger": Row("larger encoder", larger=True),
    "no-pool": Row("one teacher, no unlabeled articles", teachers=BASE),
    "pool-tidy": Row("one teacher, tidy unlabeled articles", teachers=BASE, pool="tidy"),
    "pool-capitals": Row(
        "one teacher, unlabeled articles in capitals", teachers=BASE, pool="capitals"
    ),
    "pool-both": Row("one teacher, both kinds", teachers=BASE, pool="both"),
    "three-teachers": Row(
        "three teachers, both kinds", teachers=BASE, teacher_seeds=3, pool="both"
    ),
    "larger-teacher": Row("a larger teacher, both kinds", teachers="larger", pool="both"),
}


class Bench:
    """Trains with the command line and scores the runs, once each.

    Args:
        real: folder of the real documents.
        ordinary: folder of the documents without entities.
        unlabeled: folder of the unlabeled documents.
        runs: folder of the runs.
        recipe: the recipe of all runs.
        absent_labels: labels that do not occur in the ordinary documents.
        larger_encoder: folder of the larger encoder, if there is one.
        settings: recipe fields of all runs with unlabeled documents, as `key=value`.
    """

    def __init__(
        self,
        real: Path,
        ordinary: Path,
        unlabeled: Path,
        runs: Path,
        *,
        recipe: str,
        absent_labels: Sequence[str],
        larger_encoder: Path | None,
        settings: Sequence[str],
    ) -> None:
        self._runs = runs
        self._recipe = recipe
        self._absent_labels = absent_labels
        self._larger_encoder = larger_encoder
        self._settings = settings
        self._ordinary = ordinary / "documents.jsonl"
        real_documents = _read(real / "documents.jsonl")
        self._real_dev = [d for d in real_documents if d.meta["split"] == "dev"]
        self._dev = _read(ARTICLES / "dev.jsonl")
        articles = _read(ARTICLES / "train.jsonl")
        pool = _read(unlabeled / "documents.jsonl")
        negatives = [
            dataclasses.replace(d, id=f"{d.id}-copy-{n}")
            for d in articles
            if not d.spans
            for n in range(NEGATIVE_COPIES)
        ]
        parts = {
            "real-train": [d for d in real_documents if d.meta["split"] == "train"],
            "real-dev": self._real_dev,
            "first": list(filter(_is_first, articles)),
            "without-further": [d for d in articles if d.meta["desk"] not in FURTHER_DESKS],
            "all": articles,
            "negatives": [*articles, *negatives],
            "tidy": [d for d in pool if not _is_in_capitals(d)],
            "capitals": list(filter(_is_in_capitals, pool)),
            "both": pool,
        }
        for name, documents in parts.items():
            write_documents(self._file(name), documents)

    def score(self, name: str, seed: int) -> dict[str, float]:
        """Train a row with a seed, if that has not been done, and return its scores by column."""
        model = load_model(self._train(name, seed))
        (alarms,) = measure_false_alarms([model], self._ordinary, self._absent_labels, resamples=1)
        first = [document for document in self._dev if _is_first(document)]
        new = [document for document in self._dev if not _is_first(document)]
        values = [_f1(model, part) for part in (self._dev, first, new, self._real_dev)]
        untidy = [_f1(model, map(TRANSFORMATIONS[key], self._dev)) for key in UNTIDY.values()]
        rate = alarms.false_alarms.micro.per_1000_words or 0.0
        return dict(zip(COLUMNS, (rate, *values, *untidy), strict=True))

    def _train(self, name: str, seed: int) -> Path:
        row, output = ROWS[name], self._runs / f"{self._recipe}-{name}-{seed}"
        if (output / "metrics.json").is_file():
            return output
        options: list[object] = ["--set", f"seed={seed}"]
        if row.larger:
            options += ["--set", f"encoder={self._larger_encoder}"]
        if row.teachers:
            teachers = [str(self._train(row.teachers, n)) for n in range(row.teacher_seeds)]
            options += ["--set", f"teachers={json.dumps(teachers)}"]
        if row.pool:
            options += ["--unlabeled", self._file(row.pool)]
            options += [part for setting in self._settings for part in ("--set", setting)]
        run_orbat(
            *("train", self._recipe, "--output", output, *options),
            *("--train", self._file(row.train), "--train", self._file("real-train")),
            *("--dev", ARTICLES / "dev.jsonl", "--dev", self._file("real-dev")),
            *(["--resume"] if output.exists() else []),
        )
        return output

    def _file(self, part: str) -> Path:
        return self._runs / f"{part}.jsonl"


def _read(path: Path) -> list[Document]:
    return list(read_documents(path))


def _is_first(document: Document) -> bool:
    return document.meta["desk"] in FIRST_DESKS


def _is_in_capitals(document: Document) -> bool:
    letters = [character for character in document.text if character.isalpha()]
    return sum(map(str.isupper, letters)) > 0.9 * len(letters)


def _f1(model: Model, gold: Iterable[Document]) -> float:
    documents = list(gold)
    counts, _ = total_counts(zip(documents, model.tag(documents), strict=True))
    return counts.f1 or 0.0


def make_table(
    names: Sequence[str], seeds: int, score: Callable[[str, int], dict[str, float]]
) -> str:
    """Return the scores of rows as a Markdown table; means and deviations over seeds."""
    lines = [f"| trained on | {' | '.join(COLUMNS)} |", "|---" * (1 + len(COLUMNS)) + "|"]
    for name in names:
        scores = [score(name, seed) for seed in range(seeds)]
        cells = []
        for column in COLUMNS:
            values = [row[column] for row in scores]
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{format_value(statistics.mean(values))}{spread}")
        lines.append(f"| {ROWS[name].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("real", "ordinary", "unlabeled", "runs"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--false-alarms", nargs="+", required=True, metavar="LABEL")
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--larger-encoder", type=Path)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    options = parser.parse_args()
    for folder in (options.real, options.ordinary, options.unlabeled):
        if not (folder / "documents.jsonl").is_file():
            print(f"skipped: {folder} has no documents.jsonl")
            return
    names = []
    for name in options.rows:
        if name.startswith("larger") and options.larger_encoder is None:
            print(f"skipped row {name}: name the larger encoder with --larger-encoder")
        else:
            names.append(name)
    bench = Bench(
        *(options.real, options.ordinary, options.unlabeled, options.runs),
        recipe=options.recipe,
        absent_labels=options.false_alarms,
        larger_encoder=options.larger_encoder,
        settings=options.settings,
    )
    print(f"{describe_machine()}; recipe {options.recipe}; strict F1\n")
    print(make_table(names, options.seeds, bench.score))


if __name__ == "__main__":
    main()
