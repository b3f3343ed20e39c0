"""Whether transformers' pipeline finds with a plain checkpoint what the trained model finds.

    python -m evaluation.benchmarks.checkpoint RUN CHECKPOINT GOLD…

CHECKPOINT is what `orbat package RUN --transformers` wrote. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from annotation.scoring import evaluate
from corpus.files import read_documents
from evaluation.comparison import Contest
from models.checkpoint import count_same, read_by_pipeline
from models.loading import load_model
from training.run import read_tagger_config


def main() -> None:
    """Tag each gold file by both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("gold", type=Path, nargs="+")
    arguments = parser.parse_args()
    model = load_model(str(arguments.run))
    config = read_tagger_config(arguments.run / "model")
    settings = json.loads((arguments.checkpoint / "tokenizer_config.json").read_text())
    print(f"Windows of {settings['model_max_length']} pieces, overlapping by {config.overlap}.\n")
    print("| gold | spans of both | of either | F1, trained model | F1, pipeline | difference |")
    print("|---|---|---|---|---|---|")
    for path in arguments.gold:
        gold = list(read_documents(path))
        trained = list(model.tag(gold))
        spans = read_by_pipeline(arguments.checkpoint, gold, config.overlap)
        plain = [document.with_spans(found) for document, found in zip(gold, spans, strict=True)]
        contest = Contest([("pipeline", 1), ("trained", 1)], model.labels)
        for document, ours, theirs in zip(gold, trained, plain, strict=True):
            contest.add(document, [[theirs], [ours]])
        (comparison,) = contest.comparisons()
        scores = [
            evaluate(zip(gold, read, strict=True), model.labels).strict.micro.f1
            for read in (trained, plain)
        ]
        same, either = count_same(trained, plain)
        change = comparison.micro
        print(
            f"| {path.name}, {len(gold)} documents | {same} | {either} | {scores[0]:.3f} | "
            f"{scores[1]:.3f} | {change.f1:+.3f} ({change.low:+.3f} to {change.high:+.3f}) |"
        )


if __name__ == "__main__":
    main()
