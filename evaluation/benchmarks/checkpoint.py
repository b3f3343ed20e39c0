"""Spans of a plain checkpoint in the transformers pipeline, compared with those of the model.

    python -m orbat.evaluation.benchmarks.checkpoint RUN CHECKPOINT GOLD…

CHECKPOINT is the output of `orbat package RUN --transformers`. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from ...corpus.document import Document, Span
from ...corpus.files import read_documents
from ..comparison.system_comparison import SystemComparison
from ..metrics import evaluate
from .common import run_orbat


def main() -> None:
    """Run the benchmark and print its table."""
    from transformers import pipeline

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("gold", type=Path, nargs="+")
    arguments = parser.parse_args()
    tagger = json.loads((arguments.run / "model" / "tagger.json").read_text())
    labels, stride = tagger["labels"], tagger["stride"]
    tag = pipeline(
        "token-classification",
        model=str(arguments.checkpoint),
        aggregation_strategy="first",
        stride=stride,
    )

    def tag_with_pipeline(document: Document) -> Document:
        entities = tag(document.text)
        return document.with_spans(Span(e["start"], e["end"], e["entity_group"]) for e in entities)

    print(f"Windows of {tagger['window']} pieces, which overlap by {stride}.\n")
    print(
        "| gold | spans of both | spans of either | F1, trained model | F1, pipeline | difference |"
    )
    print("|---|---|---|---|---|---|")
    for path in arguments.gold:
        gold = list(read_documents(path))
        with tempfile.TemporaryDirectory() as folder:
            tagged = Path(folder) / "tagged.jsonl"
            run_orbat("tag", arguments.run, path, "--output", tagged)
            trained = list(read_documents(tagged))
        plain = [tag_with_pipeline(document) for document in gold]
        systems = SystemComparison([("pipeline", 1), ("trained", 1)], labels)
        same = either = 0
        for document, ours, theirs in zip(gold, trained, plain, strict=True):
            systems.add(document, [[theirs], [ours]])
            same += len(set(ours.spans) & set(theirs.spans))
            either += len(set(ours.spans) | set(theirs.spans))
        (comparison,) = systems.comparisons()
        scores = [
            evaluate(gold, tagged_gold, labels).strict.micro.f1 for tagged_gold in (trained, plain)
        ]
        change = comparison.micro
        print(
            f"| {path.name}, {len(gold)} documents | {same} | {either} | {scores[0]:.3f} | "
            f"{scores[1]:.3f} | {change.f1:+.3f} ({change.low:+.3f} to {change.high:+.3f}) |"
        )


if __name__ == "__main__":
    main()
