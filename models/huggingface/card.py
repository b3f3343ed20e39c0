"""The model card of a wheel that was made from a checkpoint that orbat did not train."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...training.external.huggingface.loading import HuggingFaceModel
from ..cards.evaluation_section import score_table
from ..cards.thresholds import threshold_section
from ..cards.wheel_card import INTEGRITY, license_texts, specifications
from ..package_info import CODE_LICENSE, PackageInfo, PackageLicense
from ..variants import VariantReport


@dataclass(frozen=True)
class OwnCard:
    """What a checkpoint's own model card says.

    Attributes:
        license: the license of the weights; None if it names none.
        language: ISO 639 code of its only language; None if it names none or several.
        base_model: the model that it was fine-tuned from; None if it names none or several.
        text: the card without its metadata; empty if there is no card.
    """

    license: str | None
    language: str | None
    base_model: str | None
    text: str


def read_own_card(folder: Path) -> OwnCard:
    """Read the model card of a checkpoint, `README.md`. Broken metadata are ignored."""
    from huggingface_hub import ModelCard

    path = folder / "README.md"
    if not path.is_file():
        return OwnCard(None, None, None, "")
    try:
        card = ModelCard(path.read_text(encoding="utf-8"), ignore_metadata_errors=True)
    except ValueError:
        return OwnCard(None, None, None, path.read_text(encoding="utf-8", errors="replace"))
    fields = (card.data.get(name) for name in ("license", "language", "base_model"))
    license, language, base_model = map(_only_value, fields)
    return OwnCard(license, language, base_model, card.text.strip())


def _only_value(value: Any) -> str | None:
    values = value if isinstance(value, list) else [value]
    return str(values[0]) if len(values) == 1 and values[0] else None


@dataclass(frozen=True)
class PipelineComparison:
    """How well the exported model reproduces transformers' pipeline.

    Attributes:
        common: number of spans that both find.
        union: number of spans that at least one of them finds.
        texts: number of texts that were tagged: parts of lines that fit one window.
        source: the name of the file that they are from.
    """

    common: int
    union: int
    texts: int
    source: str


def imported_card(
    model: HuggingFaceModel,
    info: PackageInfo,
    own: OwnCard,
    comparison: PipelineComparison,
    license: PackageLicense,
    *,
    variants: VariantReport | None,
    dev_scores: Mapping[str, Any] | None,
    points: Mapping[str, Any] | None,
) -> str:
    """Return the model card in Markdown. It states only what was measured, or quotes.

    Args:
        model: the checkpoint.
        info: what the package says of itself.
        own: the checkpoint's own card.
        comparison: how well the exported model reproduces transformers' pipeline.
        license: the package's license and its texts.
        variants: the numeric format of the weights; None if there were no dev documents.
        dev_scores: strict scores on the dev documents; None if there were none.
        points: the operating points; None if there were no dev documents.
    """
    labels = "\n".join(f"- **{label}**" for label in model.scheme.labels)
    base = f"\n- **Fine-tuned from**: `{own.base_model}`" if own.base_model else ""
    thresholds = ""
    if points and variants:
        section = threshold_section(
            points,
            info.package_name,
            "the numeric format",
            calibrated=variants.calibration is not None,
        )
        thresholds = f"\n\n{section}"
    config = model.config
    reference = (
        f'transformers\' pipeline with `aggregation_strategy="first"` and `stride={config.stride}`'
        if model.scheme.name in ("BIO", "IO")
        else "the model on torch"
    )
    return f"""# {info.package_name} {info.version}

{info.describe(model.scheme.labels)}.

A spaCy pipeline with one component, which runs the token classifier `{model.name}` on onnxruntime.
It needs neither torch nor transformers. orbat packaged this model and did not train it.

## Model Details

- **Task**: named entity recognition (token classification)
- **Language**: {info.language}
- **Base model**: `{model.name}` ({type(model.model).__name__}){base}
- **License**: code {CODE_LICENSE.expression}; weights: {info.license}

### Labels

{labels}

## How to Get Started with the Model

```python
import spacy

nlp = spacy.load("{info.package_name}")
for ent in nlp({json.dumps(info.example, ensure_ascii=False)}).ents:
    print(ent.text, ent.label_, ent._.confidence)
```{thresholds}

## Bias, Risks, and Limitations

Those of the base model; see its card below. orbat did not measure them.

## Training Details

Not known to orbat; see the base model's card below.

## Evaluation

{_evaluation(dev_scores, variants)}

## Technical Specifications

{specifications(variants) if variants else _UNCOMPARED}

Windows of {config.window} pieces, which share {config.stride}. Label scheme: {model.scheme.name}.
Each word takes the class of its first piece. On {comparison.texts} texts from
`{comparison.source}`, the float32 ONNX model and {reference} agree on {comparison.common} of the
{comparison.union} spans that either of them finds. The texts are parts of lines that fit one
window. Elsewhere the two differ by intent: the pipeline lets a word end at the edge of a window,
and, if the tokenizer does not mark the pieces that continue a word, joins the words around a line
break.

{license_texts(license)}

{INTEGRITY}

## Card of the base model

{_quote(own.text) or "The checkpoint has no card."}
"""


_UNCOMPARED = """Numeric format: **float32**. 8-bit integers need dev documents, on which their loss
is measured; none were given. Confidences are the model's own probabilities, not calibrated."""


def _evaluation(scores: Mapping[str, Any] | None, variants: VariantReport | None) -> str:
    if scores is None or variants is None:
        return """No scores: no dev documents were given. `orbat evaluate WHEEL GOLD` measures the
model on documents with gold spans."""
    uses = "selected the numeric format"
    if variants.calibration is not None:
        uses += " and calibrated the confidences"
    return f"""Metric: strict span scores; start, end and label must all be right. Intervals: 95 %,
bootstrapped over documents. On the dev documents, which {uses}:

{score_table(scores)}"""


def _quote(text: str) -> str:
    """Return a text as a Markdown quotation, so that its headings stay apart."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
