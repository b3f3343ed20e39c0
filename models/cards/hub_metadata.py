"""The metadata that the Hugging Face Hub reads at the head of a model card.

Source: https://huggingface.co/docs/hub/model-cards#model-card-metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..package_info import SEVERAL_LANGUAGES

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

    from .sections import CardData

METRICS = ("precision", "recall", "f1")
_OTHER = "other"
"""The Hub's name of a license that it does not know."""


def hub_metadata(data: CardData, library: str) -> str:
    """Return the metadata as a block of YAML between two lines `---`.

    Held-out scores are those of `orbat evaluate`; documents that were seen in training give none.

    Args:
        data: the facts of the run.
        library: the library that loads the model, such as `transformers`.
    """
    from huggingface_hub import ModelCardData

    info, base = data.info, data.base_model
    card = ModelCardData(
        language=hub_language(info.lang),
        license=hub_license(data.weights_license),
        library_name=library,
        tags=list(data.labels),
        base_model=base.hub_id,
        datasets=list(info.datasets) or None,
        metrics=list(METRICS),
        pipeline_tag="token-classification",
        model_name=info.package_name,
        eval_results=list(_results(data)),
    )
    return f"---\n{card.to_yaml()}\n---\n\n"


def hub_language(lang: str) -> str | None:
    """Return a language as the Hub names it; None for several, for which it has no code."""
    return None if lang == SEVERAL_LANGUAGES else lang


def hub_license(name: str | None) -> str | None:
    """Return a license as the Hub names it: in lower case, if it is one and no expression."""
    if name is None:
        return None
    return name.lower() if re.fullmatch(r"(?!LicenseRef)[\w.+-]+", name) else _OTHER


def _results(data: CardData) -> Iterator[EvalResult]:
    for evaluation in data.evaluations:
        if "strict" in evaluation and not evaluation["seen_in_training"]:
            yield from _scores(evaluation["gold"], "test", evaluation["strict"]["micro"])
    yield from _scores("dev documents", "validation", data.dev.tidy["micro"])


def _scores(dataset: str, split: str, score: Any) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    for metric in METRICS:
        if score[metric] is not None:
            yield EvalResult(
                task_type="token-classification",
                dataset_type="custom",
                dataset_name=dataset,
                dataset_split=split,
                metric_type=metric,
                metric_name=f"strict {metric}",
                metric_value=round(score[metric], 4),
            )
