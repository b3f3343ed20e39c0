"""The section of a wheel's model card on confidence thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...training.tagger.thresholds import OperatingPoint, read_points
from ...ui import UNDEFINED, format_interval, format_value

TARGETS = (0.9, 0.95, 0.98)
"""Target precisions in the card; the model looks up any other as well."""


def threshold_section(
    points: Mapping[str, Any], package_name: str, selected: str, *, calibrated: bool
) -> str:
    """Return the thresholds that reach target precisions on the dev documents, in Markdown.

    Targets that were not reached are named in a warning, with the highest precision that was. All
    labels together are left out if there is only one.

    Args:
        points: the model's operating points; see :mod:`orbat.training.tagger.thresholds`.
        package_name: the name of the package, for the example.
        selected: what the dev documents selected before, such as "the epoch".
        calibrated: whether the confidences were calibrated on the dev documents.
    """
    labels = list(points["labels"])
    rows, warnings, too_few = [], [], []
    for label in labels if len(labels) == 1 else (None, *labels):
        known = read_points(points, label)
        missed = []
        for target in TARGETS:
            reached = next((point for point in known if point.precision >= target), None)
            rows.append(_row(label or "**all**", target, reached))
            if reached is None:
                missed.append(f"{target:.2f}")
        subject = label or "all labels together"
        if not known:
            too_few.append(subject)
        elif missed:
            warnings.append(_warning(subject, missed, known[-1]))
    if too_few:
        warnings.append(f"Warning: too few mentions for a threshold: {', '.join(too_few)}.")
    everything = points["all"]
    uses = f"selected {selected}{' and calibrated the confidences' if calibrated else ''}"
    return "\n\n".join(
        [
            f"""### Confidence thresholds

```python
options = {{"components": {{"orbat_ner": {{"target_precision": 0.95}}}}}}
nlp = spacy.load("{package_name}", config=options)
```

keeps the entities whose confidence reaches the threshold of that target in this table. `threshold`
sets a confidence directly. Both take a number, or numbers by label.

The thresholds were looked up on the dev documents, which also {uses}.
So precision on new text is somewhat lower. Dev documents: {points["documents"]}; mentions in gold:
{everything["gold"]}; predicted: {everything["predicted"]}. Intervals: 95 %, Wilson, over
mentions.""",
            "\n".join(
                [
                    "| label | target | threshold | precision | 95 % interval | recall | kept |",
                    "|---|---|---|---|---|---|---|",
                    *rows,
                ]
            ),
            *warnings,
        ]
    )


def _row(name: str, target: float, point: OperatingPoint | None) -> str:
    if point is None:
        return f"| {name} | {target:.2f} | not reached |{f' {UNDEFINED} |' * 4}"
    return (
        f"| {name} | {target:.2f} | {point.threshold:.4f} | {format_value(point.precision)} | "
        f"{format_interval(point.low, point.high)} | {format_value(point.recall)} | {point.kept} |"
    )


def _warning(subject: str, targets: list[str], best: OperatingPoint) -> str:
    return (
        f"Warning: precision not reached for {subject}: {', '.join(targets)}. The highest was "
        f"{format_value(best.precision)} ({format_interval(best.low, best.high)}, mentions: "
        f"{best.kept}), at threshold {best.threshold:.4f}."
    )
