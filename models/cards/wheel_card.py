"""The model card of a wheel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...evaluation.comparison.significance import Difference
from ...evaluation.report.tables import format_difference, format_difference_interval
from ...ui import format_value
from ..package_info import PackageLicense
from ..variants import ALLOWED_LOSS, VariantReport
from .sections import CardData, render_card
from .thresholds import threshold_section

INTEGRITY = """### Integrity

When the model is loaded, its network, tokenizer, labels, gazetteer, values and thresholds are
compared with the hashes in `sha256.json` beside them. orbat, given the wheel file, compares all of
its files with `RECORD` as well, code included; pip and spaCy do not. Hashes find damage. They are
no signature: whoever changes a file can change its hash. Install wheels from sources that you
trust, and compare the wheel's own SHA-256 if its publisher states it."""
"""What is checked, and what a hash is not."""


UNCALIBRATED = """Confidences are not calibrated: the predicted mentions in the dev documents are
too few, all right or all wrong."""
"""Why there is no calibration; see :func:`orbat.evaluation.calibration.fit_calibrator`."""


def wheel_card(
    data: CardData,
    variants: VariantReport,
    points: Mapping[str, Any],
    license: PackageLicense,
    *,
    threshold: float = 0.0,
) -> str:
    """Return a wheel's model card in Markdown.

    Args:
        data: the facts of the run.
        variants: the numeric format of the weights, and how it was chosen.
        points: the operating points; see :mod:`orbat.training.tagger.thresholds`.
        license: the package's license and its texts.
        threshold: the lowest confidence of predicted mentions, before calibration.
    """
    summary = f"""{data.info.describe(data.labels)}.

A spaCy pipeline with one component, which runs a transformer on onnxruntime. It needs neither torch
nor transformers."""
    calibrated = variants.calibration is not None
    tuned = threshold > 0 and data.manifest["recipe"].get("threshold") == "auto"
    thresholds = threshold_section(
        points,
        data.info.package_name,
        "the epoch and the lowest confidence" if tuned else "the epoch",
        calibrated=calibrated,
    )
    if threshold:
        thresholds += f"""

The model predicts no entity whose confidence, before calibration, is below {threshold:g}. The field
`threshold` of the recipe sets that; a threshold set here leaves out more."""
    usage = f"""```python
import spacy

nlp = spacy.load("{data.info.package_name}")
for ent in nlp({data.example}).ents:
    print(ent.text, ent.label_, ent._.confidence)
```

{thresholds}"""
    limitation = (
        """Confidences were calibrated on the documents used for model selection. On new
  text they are slightly too high."""
        if calibrated
        else "Confidences are not calibrated. They may be far from the share of right mentions."
    )
    return render_card(
        data,
        summary=summary,
        usage=usage,
        specifications="\n\n".join([specifications(variants), license_texts(license), INTEGRITY]),
        limitation=limitation,
    )


def license_texts(license: PackageLicense) -> str:
    """Return which license texts the wheel has, and which one it lacks, in Markdown."""
    names = ", ".join(f"`{name}`" for name in license.files)
    lines = [f"### License texts\n\nIn the wheel's metadata: {names}."]
    if license.missing:
        lines.append(
            f"A text of {license.missing}, the license of the weights, is not in it:\nwhoever "
            "passes the wheel on must add it if that license requires it."
        )
    return "\n".join(lines)


def specifications(variants: VariantReport) -> str:
    """Return the numeric format of the weights, and how it was chosen, in Markdown."""
    sizes = "\n".join(
        f"| {variant.name} | {format_value(variant.f1)} | {variant.megabytes:.1f} |"
        for variant in variants.tried
    )
    changes = "\n".join(
        _difference_row(f"{variant.name}: {label}", difference)
        for variant in variants.tried
        if variant.change is not None
        for label, difference in {
            "**all**": variant.change.micro,
            **variant.change.labels,
        }.items()
    )
    confidence = (
        f"Confidences are calibrated on the dev documents ({variants.calibration})."
        if variants.calibration
        else UNCALIBRATED
    )
    return f"""Numeric format: **{variants.chosen}**. 8-bit integers are used if strict F1 on the
dev documents is at most {ALLOWED_LOSS * 100:.1f} points below float32, and no label's paired
interval lies entirely below that.

| format | dev F1 | MB |
|---|---|---|
{sizes}

| compared with float32 | strict F1 | 95 % interval, paired by document |
|---|---|---|
{changes}

{confidence}"""


def _difference_row(name: str, difference: Difference) -> str:
    interval = format_difference_interval(difference.low, difference.high)
    return f"| {name} | {format_difference(difference.f1)} | {interval} |"
