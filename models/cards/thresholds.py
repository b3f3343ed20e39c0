"""The section of a wheel's model card on confidence thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...training.tagger.thresholds import OperatingPoint, read_points
from ...ui import format_interval, format_value

TARGETS = (0.9, 0.95, 0.98)
"""Target precisions in the card; the model looks up any other as well."""


def threshold_section(points: Mapping[str, Any], package_name: str, selected: str) -> str:
    """Return the thresholds that reach target precisions on the dev documents, in Markdown.

    Targets that were not reached are listed as warnings, with the highest precision that was.

    Args:
        points: the model's operating points; see :mod:`orbat.training.tagger.thresholds`.
        package_name: the name of the package, for the example.
        selected: what the dev documents selected before, such as "the epoch".
    """
    rows, warnings = [], []
    for label in (None, *points["labels"]):
        known = read_points(points, label)
        for target in TARGETS:
            reached = next((point for point in known if point.precision >= target), None)
            name = label or "**all**"
            rows.append(_row(name, target, reached))
            if reached is None:
                warnings.append(_warning(label or "all labels together", target, known))
    everything = points["all"]
    return "\n\n".join(
        [
            f"""### Confidence thresholds

```python
options = {{"components": {{"orbat_ner": {{"target_precision": 0.95}}}}}}
nlp = spacy.load("{package_name}", config=options)
```

keeps the entities whose confidence reaches the threshold of that target in this table. `threshold`
sets a confidence directly. Both take a number, or numbers by label.

The thresholds were looked up on {points["documents"]} dev documents with {everything["gold"]} gold
and {everything["predicted"]} predicted mentions, which also selected {selected} and calibrated
the confidences. So precision on new text is somewhat lower. Intervals: 95 %, Wilson, over
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
        return f"| {name} | {target:.2f} | not reached | – | – | – | – |"
    return (
        f"| {name} | {target:.2f} | {point.threshold:.4f} | {format_value(point.precision)} | "
        f"{format_interval(point.low, point.high)} | {format_value(point.recall)} | {point.kept} |"
    )


def _warning(subject: str, target: float, known: list[OperatingPoint]) -> str:
    if not known:
        return f"Warning: too few mentions to reach precision {target:.2f} for {subject}."
    best = known[-1]
    return (
        f"Warning: precision {target:.2f} was not reached for {subject}. The highest was "
        f"{format_value(best.precision)} ({format_interval(best.low, best.high)}, {best.kept} "
        f"mentions), at threshold {best.threshold:.4f}."
    )
