"""The sections that all model cards have, in the order and under the headings of Hugging Face's.

Source: Mitchell et al. 2019, Model Cards for Model Reporting, arXiv:1810.03993;
https://huggingface.co/docs/hub/model-card-annotated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ui import format_interval, format_value
from ..package_info import PackageInfo

MIN_SLICE_SPANS = 30
"""Gold spans that a slice must have to be shown."""
EXAMPLE = "Lt. Gen. Ann Doe took command of the 3rd Infantry Division."
"""The text in the cards' example code."""


@dataclass(frozen=True)
class CardData:
    """The facts that every model card of a run states.

    Attributes:
        info: the model's language, name and version.
        manifest: the run's manifest.
        evaluations: the results of `orbat evaluate` recorded in the run folder.
        dev_scores: strict scores of the written model on the run's dev documents: the field
            `strict` of an evaluation's JSON.
    """

    info: PackageInfo
    manifest: Mapping[str, Any]
    evaluations: Sequence[Mapping[str, Any]]
    dev_scores: Mapping[str, Any]


def render_card(
    data: CardData, *, summary: str, usage: str, specifications: str, limitation: str
) -> str:
    """Return a model card in Markdown.

    Args:
        data: the facts of the run.
        summary: one paragraph on the model and its format.
        usage: example code.
        specifications: the numeric format of the weights, and its effect on scores and size.
        limitation: one sentence for the list of limitations.
    """
    info, manifest = data.info, data.manifest
    return f"""# {info.package_name} {info.version}

{summary}

## Model Details

- **Task**: named entity recognition (token classification)
- **Language**: {info.lang}
- **Base model**: `{manifest["recipe"]["encoder"]}`
- **License**: code Apache-2.0. The weights derive from the base model; its license applies to them.

### Labels

{_labels(manifest)}

## How to Get Started with the Model

{usage}

## Bias, Risks, and Limitations

- Trained on English news. It was not measured on other languages and genres.
- {limitation}
- Main errors: rare ranks and titles, and names that look like military units (companies, ships,
  police).

## Training Details

### Training Data

{_training_data(manifest)}

### Training Procedure

{_training_procedure(manifest)}

## Evaluation

Metric: strict span scores; start, end and label must all be right. Intervals: 95 %, bootstrapped
over documents.

{_evaluations(data)}

## Technical Specifications

{specifications}
"""


def score_table(strict: Mapping[str, Any]) -> str:
    """Return strict scores as a Markdown table: all labels together, then each label."""
    rows = {"**all**": strict["micro"], **strict["labels"]}
    return _table("label", [_score_row(name, scores) for name, scores in rows.items()])


def slice_table(slices: Sequence[Mapping[str, Any]]) -> str:
    """Return strict scores of groups of mentions or documents as a Markdown table.

    Groups with fewer than :data:`MIN_SLICE_SPANS` gold spans, or without an interval because they
    come from one document, are left out.
    """
    shown = [s for s in slices if s["gold"] >= MIN_SLICE_SPANS and s["low"] is not None]
    return _table("slice", [_score_row(f"{s['dimension']}: {s['group']}", s) for s in shown])


def _table(first_column: str, rows: Sequence[str]) -> str:
    header = f"| {first_column} | precision | recall | F1 | F1, 95 % interval | gold spans |"
    return "\n".join([header, "|---|---|---|---|---|---|", *rows])


def _score_row(name: str, scores: Mapping[str, Any]) -> str:
    cells = [name, *(format_value(scores[key]) for key in ("precision", "recall", "f1"))]
    cells.append(format_interval(scores.get("low"), scores.get("high")))
    cells.append(format_value(scores["gold"]))
    return "| " + " | ".join(cells) + " |"


def _labels(manifest: Mapping[str, Any]) -> str:
    return "\n".join(
        f"- **{label['name']}**: {label['description']}" for label in manifest["labels"]["label"]
    )


def _training_data(manifest: Mapping[str, Any]) -> str:
    documents = manifest["documents"]
    files = "\n".join(
        f"- {part}: `{entry['file']}`, sha256 `{entry['sha256']}`"
        for part, entries in manifest["inputs"].items()
        for entry in entries
    )
    train_count, dev_count = len(documents["train"]), len(documents["dev"])
    train_documents = f"{train_count} documents for training"
    if "unlabeled" in documents:
        train_documents += f", {len(documents['unlabeled']):,} unlabeled articles"
    return f"""{train_documents}, {dev_count} dev documents for model selection.
`manifest.json` beside the weights lists their hashes and, where known, their addresses.

{files}"""


def _training_procedure(manifest: Mapping[str, Any]) -> str:
    recipe = manifest["recipe"]
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    # TOML writes strings, numbers, booleans and lists of them as JSON does.
    settings = "\n".join(
        f"{field} = {json.dumps(value)}" for field, value in recipe.items() if value is not None
    )
    return f"""Trained by orbat with seed {recipe["seed"]} and {versions}. The recipe:

```toml
{settings}
```"""


def _evaluations(data: CardData) -> str:
    held_out = "\n\n".join(_evaluation(r) for r in data.evaluations if "strict" in r)
    dev_count = len(data.manifest["documents"]["dev"])
    return f"""{held_out or "No held-out scores: run `orbat evaluate` on the run before packaging."}

### Dev: {dev_count} documents used to select the best epoch (optimistic scores)

{score_table(data.dev_scores)}"""


def _evaluation(result: Mapping[str, Any]) -> str:
    parts = [f"### Held out: {result['gold']} ({result['documents']} documents)"]
    if result["seen_in_training"]:
        parts.append(
            f"Warning: {result['seen_in_training']} of these documents were used for training or "
            "model selection. These are not held-out scores."
        )
    parts.append(score_table(result["strict"]))
    if result.get("slices"):
        parts.append(slice_table(result["slices"]))
    return "\n\n".join(parts)
