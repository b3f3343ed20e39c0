"""The model card: what a model is, was made of and can do, for people and for pip."""

from __future__ import annotations

import json
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


def wheel_card(
    *,
    name: str,
    version: str,
    manifest: Mapping[str, Any],
    evaluations: Sequence[Mapping[str, Any]],
    dev: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> str:
    """Return a wheel's model card in Markdown (after Mitchell et al. 2019, arXiv:1810.03993).

    Args:
        name: the package's name.
        version: its version.
        manifest: the run's manifest.
        evaluations: results of `orbat evaluate` that the run folder keeps.
        dev: strict scores of the packaged model on the run's dev documents.
        numbers: which arithmetic was chosen, what was tried, how they differ, and how confidences
            were calibrated.
    """
    tried = "\n".join(
        f"| {entry['name']} | {_score(entry['f1'])} | {entry['megabytes']:.1f} |"
        for entry in numbers["tried"]
    )
    changes = "\n".join(
        _difference(f"{weights}: {label}", each)
        for weights, change in numbers["changes"].items()
        for label, each in {"**all**": change["micro"], **change["labels"]}.items()
    )
    confidence = (
        f"Confidences are calibrated on the dev documents ({numbers['calibration']})."
        if numbers["calibration"]
        else "Confidences are the model's own: the dev documents were too few to calibrate them."
    )
    use = f"""Finds named entities of defence news in English text. A spaCy pipeline whose one
component runs a transformer on onnxruntime; it needs neither torch nor transformers.

```python
import spacy

nlp = spacy.load("{name}")
for ent in nlp("{_EXAMPLE}").ents:
    print(ent.text, ent.label_, ent._.confidence)
```"""
    weights = f"""Computes in **{numbers["chosen"]}**. 8-bit integers are used where strict F1 on
the dev documents is then at most {numbers["allowed_loss"] * 100:.1f} points below that of float32,
and no label's paired interval lies wholly below that.

| arithmetic | dev F1 | MB |
|---|---|---|
{tried}

| against float32 | strict F1 | 95 % interval, paired by document |
|---|---|---|
{changes}

{confidence}"""
    limit = """Confidences were calibrated on documents on which the model was chosen: on new text
  they are a little too high."""
    return _card(f"{name} {version}", use, manifest, evaluations, dev, weights, limit)


def checkpoint_card(
    *,
    lang: str,
    name: str,
    version: str,
    manifest: Mapping[str, Any],
    evaluations: Sequence[Mapping[str, Any]],
    dev: Mapping[str, Any],
    agreement: Mapping[str, Any],
) -> str:
    """Return the model card of a transformers checkpoint, with the hub's metadata above it.

    Args:
        lang: its language code.
        name: the model's name.
        version: its version.
        manifest: the run's manifest.
        evaluations: results of `orbat evaluate` that the run folder keeps.
        dev: strict scores of the checkpoint, read by transformers' pipeline, on the run's dev
            documents.
        agreement: of :class:`models.checkpoint.Checkpoint` `stride`, `window`, `same`, `either`,
            and `trained_f1`.
    """
    use = f"""Finds named entities of defence news in English text. A plain transformers checkpoint.

```python
from transformers import pipeline

find = pipeline("token-classification", "path/to/this/folder",
                aggregation_strategy="first", stride={agreement["stride"]})
for entity in find("{_EXAMPLE}"):
    print(entity["word"], entity["entity_group"], entity["score"])
```

Both arguments are needed: words are read at their first pieces, and without a stride the pipeline
drops what stands behind the first {agreement["window"]} pieces of a text."""
    weights = f"""float32, as safetensors. Case survives in the vocabulary: an encoder that was
pretrained without case has a small and two capital forms of each entry, embedded as the small form
and a learnt sign. Line breaks are entries too.

On the dev documents, transformers' pipeline and the trained model agree on {agreement["same"]}
of the {agreement["either"]} spans that either finds; the trained model's strict F1 there is
{_score(agreement["trained_f1"])}. Both cut and join longer texts alike."""
    front = f"""---
library_name: transformers
pipeline_tag: token-classification
language: {lang}
tags: [{", ".join(label["name"] for label in manifest["labels"]["label"])}]
---

"""
    limit = "Scores of entities are the model's own, not calibrated."
    return front + _card(f"{name} {version}", use, manifest, evaluations, dev, weights, limit)


_EXAMPLE = "Lt. Gen. Ann Doe took command of the 3rd Infantry Division."


def _card(
    title: str,
    use: str,
    manifest: Mapping[str, Any],
    evaluations: Sequence[Mapping[str, Any]],
    dev: Mapping[str, Any],
    weights: str,
    limit: str,
) -> str:
    recipe, documents = manifest["recipe"], manifest["documents"]
    labels = "\n".join(
        f"- **{label['name']}**: {label['description']}" for label in manifest["labels"]["label"]
    )
    held_out = "\n\n".join(map(_evaluation, evaluations))
    inputs = "\n".join(
        f"- {part}: `{entry['file']}`, sha256 `{entry['sha256']}`"
        for part, files in manifest["inputs"].items()
        for entry in files
    )
    versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
    # Of texts, numbers, truths and lists TOML is written as JSON is.
    settings = "\n".join(
        f"{key} = {json.dumps(value)}" for key, value in recipe.items() if value is not None
    )
    return f"""# {title}

{use}

## Labels

{labels}

## Scores

Strict span scores: start, end and label must all be right. Intervals are bootstrapped over
documents.

{held_out or "None recorded: run `orbat evaluate` on the run before packaging."}

### Dev: {len(documents["dev"])} documents on which the best epoch was chosen (optimistic)

{score_table(dev)}

## Weights

{weights}

## Data

{len(documents["train"])} documents to train on, {len(documents["dev"])} to choose on. Their hashes
and, where known, addresses are in `manifest.json` beside the weights.

{inputs}

## How it was made

Trained by orbat from encoder `{recipe["encoder"]}`, seed {recipe["seed"]}, with {versions}.

```toml
{settings}
```

## Limits

- Trained on English news; other languages and genres were not measured.
- {limit}
- Long-tail ranks and titles, and names that look like units (companies, ships, police), are its
  main errors.

## Licence

Code Apache-2.0. The weights derive from encoder `{recipe["encoder"]}`; its licence applies to them.
"""
