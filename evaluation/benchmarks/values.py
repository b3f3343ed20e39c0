"""Values of mentions: how often they are given, how often they are right, and what they cost.

    python -m orbat.evaluation.benchmarks.values [--gazetteer FILE.toml] [--wrong]
    python -m orbat.evaluation.benchmarks.values --model dist/….whl [--rounds 11] [--articles 200]

Prints Markdown tables. The first form compares the values of the shipped gold
(`corpus/articles/values.jsonl`) with those that the engine gives to the gold spans of the train and
dev articles; no test article is read. The second form tags these articles with and without values,
in turns in the same process, and prints the ratio of the times.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...corpus.document import Document
from ...corpus.files import read_documents, read_json_lines
from ...models.loading import load_model
from ...models.model import Model
from ...training.tagging import with_norms
from ...training.value_tables import load_value_tables
from ...training.values.normalizer import ValueNormalizer
from ...training.values.tables import ValueTables
from .common import ARTICLES, describe_machine

GOLD = ARTICLES / "values.jsonl"


class Judgement(NamedTuple):
    """A field of a mention: its gold value and what the engine says.

    Attributes:
        part: `build` or `measure`.
        label: the mention's label.
        field: the field.
        gold: the gold value; None if the text does not settle it.
        found: the settled value; None if there is none.
        where: document, text and reason, to print.
    """

    part: str
    label: str
    field: str
    gold: Any
    found: Any
    where: str


def read_articles() -> list[Document]:
    """Return the train and dev articles."""
    return [d for name in ("train", "dev") for d in read_documents(ARTICLES / f"{name}.jsonl")]


def judge(normalizer: ValueNormalizer) -> Iterator[Judgement]:
    """Yield every judged field of the gold."""
    documents = {d.id: with_norms(d, normalizer) for d in read_articles()}
    for _, entry in read_json_lines(GOLD):
        document = documents[entry["id"]]
        span = next(s for s in document.spans if s.start == entry["start"])
        norm = span.norm or {"values": {}, "reasons": {}}
        for field, gold in entry["values"].items():
            found = norm["values"].get(field)
            text = document.text[span.start : span.end]
            where = f"{document.id} '{text}' ({norm['reasons'].get(field)})"
            yield Judgement(entry["part"], entry["label"], field, gold, found, where)


def print_quality(judgements: Sequence[Judgement]) -> None:
    """Print precision and rate of answers by part, label and field."""
    print("| Part | Label | Field | Judged | Settled by the text | Answered | Precision | Recall |")
    print("|---|---|---|---|---|---|---|---|")
    keys = sorted({(j.part, j.label, j.field) for j in judgements})
    for part in sorted({key[0] for key in keys}):
        mine = [key for key in keys if key[0] == part]
        for key in (*mine, (part, "all", "all")):
            print_row(
                key, [j for j in judgements if (key[2] == "all" and j[0] == part) or j[:3] == key]
            )


def print_row(key: tuple[str, str, str], judgements: Sequence[Judgement]) -> None:
    """Print one row of the table of quality."""
    counts = Counter[str]()
    for judgement in judgements:
        counts["known"] += judgement.gold is not None
        counts["answered"] += judgement.found is not None
        counts["right"] += judgement.found is not None and judgement.found == judgement.gold
    precision = counts["right"] / counts["answered"] if counts["answered"] else float("nan")
    recall = counts["right"] / counts["known"] if counts["known"] else float("nan")
    cells = (*key, len(judgements), counts["known"], counts["answered"])
    print(f"| {' | '.join(map(str, cells))} | {precision:.3f} | {recall:.3f} |")


def print_cost(model: Model, rounds: int, articles: int) -> None:
    """Print the time of tagging with values, as a ratio to that without, in turns.

    Ten articles are tagged in each turn, and the times of all turns are added. Processor times are
    those of all threads of the process, which other processes disturb less.
    """
    documents = read_articles()[:articles]
    plain = replace(model, normalizer=ValueNormalizer(ValueTables()))
    list(plain.tag(documents[:50]))
    rows: dict[str, list[float]] = {"processor": [], "clock": [], "processor, values alone": []}
    for turn in range(rounds):
        times = [(0.0, 0.0), (0.0, 0.0)]
        for first in range(0, len(documents), 10):
            for which in (0, 1) if (turn + first // 10) % 2 else (1, 0):
                tagger = (plain, model)[which]
                spent = _spend(partial(tagger.tag, documents[first : first + 10]))
                times[which] = (times[which][0] + spent[0], times[which][1] + spent[1])
        tagged = list(plain.tag(documents))
        add = partial(with_norms, normalizer=model.normalizer)
        alone, _ = _spend(partial(map, add, tagged))
        rows["processor"].append(times[1][0] / times[0][0])
        rows["clock"].append(times[1][1] / times[0][1])
        rows["processor, values alone"].append(alone / times[0][0])
    words = sum(len(document.text.split()) for document in documents)
    print(f"{len(documents)} articles, {words:,} words, {rounds} rounds, {describe_machine()}")
    print()
    print("| Time, as a ratio to that of tagging without values | Median | Lowest | Highest |")
    print("|---|---|---|---|")
    for name, ratios in rows.items():
        row = (statistics.median(ratios), min(ratios), max(ratios))
        print(f"| {name} | {' | '.join(f'{ratio:.3f}' for ratio in row)} |")


def _spend(make: Callable[[], Iterable[Document]]) -> tuple[float, float]:
    """Return the processor time and the clock time of a stream of documents."""
    began = time.process_time(), time.perf_counter()
    for _ in make():
        pass
    return time.process_time() - began[0], time.perf_counter() - began[1]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--gazetteer", type=Path, help="the gazetteer file; default: the shipped one"
    )
    parser.add_argument("--wrong", action="store_true", help="list the wrong answers")
    parser.add_argument("--model", help="a wheel with values, to measure their cost")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--articles", type=int, default=200, help="tagged in each run")
    arguments = parser.parse_args()
    if arguments.model:
        print_cost(load_model(arguments.model), arguments.rounds, arguments.articles)
        return
    judgements = list(judge(ValueNormalizer(load_value_tables(arguments.gazetteer))))
    print_quality(judgements)
    if arguments.wrong:
        for j in judgements:
            if j.found is not None and j.found != j.gold:
                print(f"{j.part} {j.label}.{j.field}: gold {j.gold}, found {j.found}: {j.where}")


if __name__ == "__main__":
    main()
