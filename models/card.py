"""The model card: what a model is, was made of and can do, for people and for pip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FEWEST = 30
"""Gold spans that a slice must have to be shown."""


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _row(name: str, scores: Mapping[str, Any]) -> str:
    cells = [name, *(_score(scores[key]) for key in ("precision", "recall", "f1"))]
    low, high = scores.get("low"), scores.get("high")
    cells.append("–" if low is None or high is None else f"{low:.3f} to {high:.3f}")
    cells.append(str(scores["gold"]))
    return "| " + " | ".join(cells) + " |"


def score_table(strict: Mapping[str, Any]) -> str:
    """Return strict scores as a Markdown table: all labels together, then each."""
    lines = [
        "| label | precision | recall | F1 | F1, 95 % interval | gold spans |",
        "|---|---|---|---|---|---|",
        _row("**all**", strict["micro"]),
        *(_row(label, scores) for label, scores in strict["labels"].items()),
    ]
    return "\n".join(lines)


def slice_table(slices: Sequence[Mapping[str, Any]]) -> str:
    """Return strict scores of groups of mentions or documents as a Markdown table.

    Groups of fewer than :data:`FEWEST` gold spans, or of one document, say too little to be shown.
    """
    known = [each for each in slices if each["gold"] >= FEWEST and each["low"] is not None]
    lines = [
        "| slice | precision | recall | F1 | F1, 95 % interval | gold spans |",
        "|---|---|---|---|---|---|",
        *(_row(f"{each['dimension']}: {each['group']}", each) for each in known),
    ]
    return "\n".join(lines)


def _evaluation(result: Mapping[str, Any]) -> str:
    parts = [f"### Held out: {result['gold']} ({result['documents']} documents)"]
    if result["seen_in_training"]:
        parts.append(
            f"{result['seen_in_training']} of these documents were trained or chosen on: "
            "their scores are no held-out scores."
        )
    parts.append(score_table(result["strict"]))
    if result.get("slices"):
        parts.append(slice_table(result["slices"]))
    return "\n\n".join(parts)


def _difference(name: str, change: Mapping[str, Any]) -> str:
    known = None not in (change["f1"], change["low"], change["high"])
    shown = (
        f"{change['f1']:+.3f} | {change['low']:+.3f} to {change['high']:+.3f}" if known else "– | –"
    )
    return f"| {name} | {shown} |"


def write_card(
    *,
    name: str,
    version: str,
    manifest: Mapping[str, Any],
    evaluations: Sequence[Mapping[str, Any]],
    dev: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> str:
    """Return a model card in Markdown (after Mitchell et al. 2019, arXiv:1810.03993).

    Args:
        name: the package's name.
        version: its version.
        manifest: the run's manifest.
        evaluations: results of `orbat evaluate` that the run folder keeps.
        dev: strict scores of the packaged model on the run's dev documents.
        numbers: which arithmetic was chosen, what was tried, how they differ, and how confidences
            were calibrated.
    """
    recipe, documents = manifest["recipe"], manifest["documents"]
    labels = "\n".join(
        f"- **{label['name']}**: {label['description']}" for label in manifest["labels"]["label"]
    )
    held_out = "\n\n".join(map(_evaluation, evaluations))
    tried = "\n".join(
        f"| {entry['name']} | {_score(entry['f1'])} | {entry['megabytes']:.1f} |"
        for entry in numbers["tried"]
    )
    change = numbers["change"]
    changes = "\n".join(
        [
            _difference("**all**", change["micro"]),
            *(_difference(label, each) for label, each in change["labels"].items()),
        ]
    )
    confidence = (
        f"Confidences are calibrated on the dev documents ({numbers['calibration']})."
        if numbers["calibration"]
        else "Confidences are the model's own: the dev documents were too few to calibrate them."
    )
    inputs = "\n".join(
        f"- {part}: `{entry['file']}`, sha256 `{entry['sha256']}`"
        for part, files in manifest["inputs"].items()
        for entry in files
    )
    versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
    settings = "\n".join(f"{key} = {value!r}" for key, value in recipe.items())
    return f"""# {name} {version}

Finds named entities of defence news in English text. A spaCy pipeline whose one component runs a
transformer on onnxruntime; it needs neither torch nor transformers.

```python
import spacy

nlp = spacy.load("{name}")
for ent in nlp("Lt. Gen. Ann Doe took command of the 3rd Infantry Division.").ents:
    print(ent.text, ent.label_, ent._.confidence)
```

## Labels

{labels}

## Scores

Strict span scores: start, end and label must all be right. Intervals are bootstrapped over
documents.

{held_out or "None recorded: run `orbat evaluate` on the run before packaging."}

### Dev: {len(documents["dev"])} documents on which the best epoch was chosen (optimistic)

{score_table(dev)}

## Weights

Computes in **{numbers["chosen"]}**. 8-bit integers are used where strict F1 on the dev documents is
then at most {numbers["allowed_loss"] * 100:.1f} points below that of float32, and no label's paired
interval lies wholly below that.

| arithmetic | dev F1 | MB |
|---|---|---|
{tried}

| int8 against float32 | strict F1 | 95 % interval, paired by document |
|---|---|---|
{changes}

{confidence}

## Data

{len(documents["train"])} documents to train on, {len(documents["dev"])} to choose on. Their hashes
and, where known, addresses are in `lineage.json` beside the weights.

{inputs}

## How it was made

Trained by orbat from encoder `{recipe["encoder"]}`, seed {recipe["seed"]}, with {versions}.

```toml
{settings}
```

## Limits

- Trained on English news; other languages and genres were not measured.
- Confidences were calibrated on documents on which the model was chosen: on new text they are a
  little too high.
- Long-tail ranks and titles, and names that look like units (companies, ships, police), are its
  main errors.

## Licence

Code Apache-2.0. The weights derive from encoder `{recipe["encoder"]}`; its licence applies to them.
"""
