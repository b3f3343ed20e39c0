"""Values of mentions: how often they are given, how often they are right, and what they cost.

    python -m orbat.evaluation.benchmarks.values [--gazetteer FILE.toml] [--wrong]
    python -m orbat.evaluation.benchmarks.values --model dist/….whl [--rounds 11]

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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ...corpus.document import Document
from ...corpus.files import read_documents, read_json_lines
from ...models.loading import Model, load_model
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


def print_cost(model: Model, rounds: int) -> None:
    """Print the time of tagging with values, as a ratio to that without, in turns."""
    documents = read_articles()
    plain = replace(model, normalizer=ValueNormalizer(ValueTables()))
    for warm in (plain, model):
        list(warm.tag(documents[:50]))
    ratios = []
    for turn in range(rounds):
        seconds = {}
        for name in ("with", "without") if turn % 2 else ("without", "with"):
            began = time.perf_counter()
            list((model if name == "with" else plain).tag(documents))
            seconds[name] = time.perf_counter() - began
        ratios.append(seconds["with"] / seconds["without"])
    tagged = list(plain.tag(documents))
    began = time.process_time()
    for document in tagged:
        with_norms(document, model.normalizer)
    alone = (time.process_time() - began) / len(tagged) * 1000
    words = sum(len(document.text.split()) for document in documents)
    print(
        f"{len(documents)} articles, {words:,} words, {rounds} pairs of runs, {describe_machine()}"
    )
    print()
    print("| Time with values / without | Lowest | Highest | Values alone, ms per article |")
    print("|---|---|---|---|")
    median = statistics.median(ratios)
    print(f"| {median:.3f} | {min(ratios):.3f} | {max(ratios):.3f} | {alone:.2f} |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--gazetteer", type=Path, help="the gazetteer file; default: the shipped one"
    )
    parser.add_argument("--wrong", action="store_true", help="list the wrong answers")
    parser.add_argument("--model", help="a wheel with values, to measure their cost")
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    if arguments.model:
        print_cost(load_model(arguments.model), arguments.rounds)
        return
    judgements = list(judge(ValueNormalizer(load_value_tables(arguments.gazetteer))))
    print_quality(judgements)
    if arguments.wrong:
        for j in judgements:
            if j.found is not None and j.found != j.gold:
                print(f"{j.part} {j.label}.{j.field}: gold {j.gold}, found {j.found}: {j.where}")


if __name__ == "__main__":
    main()
