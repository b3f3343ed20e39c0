"""Whether transformers' pipeline finds with a plain checkpoint what the trained model finds.

    python -m orbat.evaluation.benchmarks.checkpoint RUN CHECKPOINT GOLD…

CHECKPOINT is what `orbat package RUN --transformers` wrote. Prints Markdown.
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
from .training import orbat


def main() -> None:
    """Tag each gold file by both, and print the table."""
    from transformers import pipeline

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("gold", type=Path, nargs="+")
    arguments = parser.parse_args()
    tagger = json.loads((arguments.run / "model" / "tagger.json").read_text())
    labels, stride = tagger["labels"], tagger["stride"]
    read = pipeline(
        "token-classification",
        model=str(arguments.checkpoint),
        aggregation_strategy="first",
        stride=stride,
    )

    def tag_plainly(document: Document) -> Document:
        found = read(document.text)
        return document.with_spans(Span(e["start"], e["end"], e["entity_group"]) for e in found)

    print(f"Windows of {tagger['window']} pieces, overlapping by {stride}.\n")
    print("| gold | spans of both | of either | F1, trained model | F1, pipeline | difference |")
    print("|---|---|---|---|---|---|")
    for path in arguments.gold:
        gold = list(read_documents(path))
        with tempfile.TemporaryDirectory() as folder:
            tagged = Path(folder) / "tagged.jsonl"
            orbat("tag", arguments.run, path, "--output", tagged)
            trained = list(read_documents(tagged))
        plain = [tag_plainly(document) for document in gold]
        contest = SystemComparison([("pipeline", 1), ("trained", 1)], labels)
        same = either = 0
        for document, ours, theirs in zip(gold, trained, plain, strict=True):
            contest.add(document, [[theirs], [ours]])
            places = [
                {(span.start, span.end, span.label) for span in each.spans}
                for each in (ours, theirs)
            ]
            same += len(places[0] & places[1])
            either += len(places[0] | places[1])
        (comparison,) = contest.comparisons()
        scores = [
            evaluate(zip(gold, each, strict=True), labels).strict.micro.f1
            for each in (trained, plain)
        ]
        change = comparison.micro
        print(
            f"| {path.name}, {len(gold)} documents | {same} | {either} | {scores[0]:.3f} | "
            f"{scores[1]:.3f} | {change.f1:+.3f} ({change.low:+.3f} to {change.high:+.3f}) |"
        )


if __name__ == "__main__":
    main()
