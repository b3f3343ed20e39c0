"""The model card of a transformers checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ...ui import format_value
from .hub_metadata import hub_metadata
from .sections import CardData, render_card


@dataclass(frozen=True)
class PipelineAgreement:
    """How well transformers' pipeline reproduces a trained model on the dev documents.

    Attributes:
        window: tokens in one window.
        stride: tokens that neighboring windows share: the pipeline's argument `stride`.
        common: number of spans that both find.
        union: number of spans that at least one of them finds.
        f1: strict F1 of the pipeline.
        trained_f1: strict F1 of the trained model.
    """

    window: int
    stride: int
    common: int
    union: int
    f1: float | None
    trained_f1: float | None


def checkpoint_card(data: CardData, agreement: PipelineAgreement) -> str:
    """Return a checkpoint's model card in Markdown, with the Hugging Face Hub's metadata.

    Args:
        data: the facts of the run.
        agreement: how well transformers' pipeline reproduces the trained model.
    """
    summary = f"""{data.info.describe(data.labels)}.

A standard transformers checkpoint; it needs no other code."""
    usage = f"""```python
from transformers import pipeline

ner = pipeline("token-classification", "path/to/this/folder",
               aggregation_strategy="first", stride={agreement.stride})
for entity in ner({data.example}):
    print(entity["word"], entity["entity_group"], entity["score"])
```

Both arguments are required: the model labels each word at its first token, and without `stride` the
pipeline drops everything after the first {agreement.window} tokens of a text."""
    common, union = agreement.common, agreement.union
    specifications = f"""Numeric format: float32, as safetensors. If the base model is uncased, the
vocabulary is extended: each entry has a lower-case, a title-case and an upper-case form, whose
embedding is the original one plus a learned vector. Line breaks have entries of their own.

On the dev documents, transformers' pipeline and the trained model agree on {common} of the
{union} spans that either of them finds. The trained model's strict F1 is
{format_value(agreement.trained_f1)}. Both split and join long texts in the same way.

`sha256.json` has the hashes of the other files. transformers does not compare them, and they are no
signature: whoever changes a file can change its hash."""
    return hub_metadata(data, "transformers") + render_card(
        data,
        summary=summary,
        usage=usage,
        specifications=specifications,
        limitation="Entity scores are the softmax outputs; they are not calibrated. The pipeline "
        "does not constrain spans: they may have unbalanced brackets, or punctuation at an edge.",
    )
