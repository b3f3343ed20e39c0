"""The sections that all model cards have, in the order and under the headings of Hugging Face's.

Source: Mitchell et al. 2019, Model Cards for Model Reporting, arXiv:1810.03993;
https://huggingface.co/docs/hub/model-card-annotated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ui import format_value
from ..base_model import BaseModel, find_base_model
from ..package_info import CODE_LICENSE, UNKNOWN_LICENSE, PackageInfo, language_name
from .dev_scores import DevScores
from .evaluation_section import evaluation_section


@dataclass(frozen=True)
class CardData:
    """The facts that every model card of a run states.

    Attributes:
        info: the model's language, name and version.
        manifest: the run's manifest.
        evaluations: the results of `orbat evaluate` recorded in the run folder.
        dev: scores of the written model on the run's dev documents.
    """

    info: PackageInfo
    manifest: Mapping[str, Any]
    evaluations: Sequence[Mapping[str, Any]]
    dev: DevScores

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels."""
        return tuple(label["name"] for label in self.manifest["labels"]["label"])

    @property
    def base_model(self) -> BaseModel:
        """The pretrained model that the run was trained from."""
        return find_base_model(self.manifest["recipe"]["encoder"])

    @property
    def weights_license(self) -> str:
        """The license of the weights: as named, or that of the base model."""
        return self.info.license or self.base_model.license or UNKNOWN_LICENSE

    @property
    def example(self) -> str:
        """The example text as a string of Python."""
        return json.dumps(self.info.example, ensure_ascii=False)


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
    limitations = [
        "It was measured on the documents named below only, not on other languages and kinds of "
        "text.",
        limitation,
        *_other_language(data),
        *_weakest_label(data.dev),
    ]
    return f"""# {info.package_name} {info.version}

{summary}

## Model Details

- **Task**: named entity recognition (token classification)
- **Language**: {info.language}
- **Base model**: {_base_model(data.base_model)}
- **License**: code {CODE_LICENSE.expression}; weights: {_weights_license(data)}

### Labels

{_labels(manifest)}

## How to Get Started with the Model

{usage}

## Bias, Risks, and Limitations

{_list(limitations)}

## Training Details

### Training Data

{_training_data(manifest)}

### Training Procedure

{_training_procedure(manifest)}

## Evaluation

{evaluation_section(data.evaluations, data.dev)}

## Technical Specifications

{specifications}
"""


def _weights_license(data: CardData) -> str:
    """Return the license of the weights, and where it is from."""
    if data.info.license is not None:
        return data.info.license
    return f"{data.weights_license}. They derive from the base model, whose license this is."


def _base_model(base: BaseModel) -> str:
    """Return name, license and hash of a base model, as far as they are known."""
    if base.sha256 is None:
        return f"`{base.name}`"
    return f"`{base.name}`, {base.license}, weights of SHA-256 `{base.sha256}`"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _other_language(data: CardData) -> Iterator[str]:
    """Yield that the base model was trained on text of another language, if it was."""
    language = data.base_model.language
    if language not in (None, data.info.lang):
        yield f"The base model was trained on {language_name(language)} text."


def _weakest_label(dev: DevScores) -> Iterator[str]:
    """Yield the label that scores lowest on the dev documents, if not all score the same."""
    scores = {
        label: score["f1"] for label, score in dev.tidy["labels"].items() if score["f1"] is not None
    }
    if not scores:
        yield "No label has a score on the dev documents."
    if len(set(scores.values())) < 2:
        return
    label = min(scores, key=lambda name: scores[name])
    f1 = format_value(scores[label])
    yield f"The weakest label on the dev documents is {label}, with F1 {f1}."


def _labels(manifest: Mapping[str, Any]) -> str:
    names = (
        (f"**{label['name']}**", label["description"]) for label in manifest["labels"]["label"]
    )
    return _list(f"{name}: {text}" if text else name for name, text in names)


def _training_data(manifest: Mapping[str, Any]) -> str:
    documents = manifest["documents"]
    files = "\n".join(
        f"- {part}: `{entry['file']}`, sha256 `{entry['sha256']}`"
        for part, entries in manifest["inputs"].items()
        for entry in entries
    )
    parts = {
        "for training": documents["train"],
        "unlabeled": documents.get("unlabeled"),
        "more of the run it started from": documents.get("start_from"),
        "dev, for model selection": documents["dev"],
    }
    counts = (f"{part}: {len(entries):,}" for part, entries in parts.items() if entries)
    return f"""Documents {"; ".join(counts)}.
`manifest.json` beside the weights lists their hashes and, where known, their addresses.

{files}"""


def _training_procedure(manifest: Mapping[str, Any]) -> str:
    recipe = manifest["recipe"]
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    # TOML writes strings, numbers, booleans and lists of them as JSON does.
    settings = "\n".join(
        f"{field} = {json.dumps(value)}" for field, value in recipe.items() if value is not None
    )
    commit = manifest.get("code", {}).get("commit")
    code = f" (commit `{commit}`)" if commit else ""
    epochs = manifest.get("finished_after_epochs")
    early = "" if epochs is None else _ENDED_EARLY.format(epochs=epochs)
    return f"""Trained by orbat{code} with seed {recipe["seed"]} and {versions}. The recipe:

```toml
{settings}
```{early}"""


_ENDED_EARLY = """

Training was ended early, by `orbat train --finish`. Epochs: {epochs:g}, of which the best on the
dev documents was kept."""
