"""Target precisions, looked up on the dev documents, and the precision reached on other gold.

    python -m orbat.evaluation.benchmarks.thresholds WHEEL GOLD

WHEEL is the output of `orbat package`. GOLD must not be the documents that the model was trained or
selected on. Prints Markdown.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ...corpus.files import read_documents
from ...corpus.tagger import count_seen
from ...errors import InputError
from ...models.cards.thresholds import TARGETS
from ...models.loading import load_model
from ...training.tagger.thresholds import drop_below, read_points
from ...ui import format_interval
from ..operating_points import wilson_interval


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("gold", type=Path)
    arguments = parser.parse_args()
    model = load_model(arguments.wheel)
    points = model.operating_points()
    gold = list(read_documents(arguments.gold))
    if points is None or count_seen(model, gold):
        raise InputError(f"{arguments.gold}: name a wheel with dev documents, and other gold")
    tagged = list(model.tag(gold))
    print(f"Dev: {points['documents']} documents. {arguments.gold.name}: {len(gold)} documents.\n")
    print(
        "| label | target | threshold | dev precision | kept | precision | 95 % interval | recall "
        "| kept |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for label in (None, *model.labels):
        known = read_points(points, label)
        for target in (0.0, *TARGETS):
            point = next((point for point in known if point.precision >= target), None)
            row = f"| {label or '**all**'} | {target or 'none'} "
            if point is None:
                print(f"{row}| not reached | – | – | – | – | – | – |")
                continue
            threshold = point.threshold if target else 0.0
            thresholds = dict.fromkeys(model.labels, threshold)
            hits = kept = total = 0
            for document, found in zip(gold, tagged, strict=True):
                spans = drop_below(found.spans, thresholds)
                spans = [span for span in spans if label in (None, span.label)]
                expected = {span for span in document.spans if label in (None, span.label)}
                hits += len(expected & set(spans))
                kept += len(spans)
                total += len(expected)
            share = hits / kept if kept else 0.0
            interval = format_interval(*wilson_interval(share, kept)) if kept else "–"
            print(
                f"{row}| {threshold:.4f} | {point.precision:.3f} | {point.kept} | {share:.3f} | "
                f"{interval} | {hits / total:.3f} | {kept} |"
            )


if __name__ == "__main__":
    main()
