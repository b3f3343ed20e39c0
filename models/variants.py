"""The variants of a packaged network, float32 and 8-bit, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpus.document import Document
from ..evaluation.comparison.system_comparison import PairedComparison, SystemComparison
from ..evaluation.counts import total_counts
from ..training.tagger.tagger import NeuralTagger
from .onnx.export import export_onnx, optimize
from .onnx.quantization import inputs_after_pruning, measure_inputs, quantize

if TYPE_CHECKING:
    from ..training.transformer.network import TokenClassifier

ALLOWED_LOSS = 0.002
"""Acceptable loss of strict F1 on the dev documents for 8-bit arithmetic."""
CALIBRATION_DOCUMENTS = 64
"""Approximate number of training documents on which the ranges of 8-bit inputs are measured."""
FLOAT32 = "float32"
INT8 = "int8"
INT8_AFTER_PRUNING = "int8 after token pruning"


@dataclass(frozen=True)
class Variant:
    """A variant that was tried.

    Attributes:
        name: its numeric format.
        f1: strict F1 on the dev documents; None where undefined.
        megabytes: size of its ONNX file.
        change: its scores on the dev documents compared with float32; None for float32 itself.
    """

    name: str
    f1: float | None
    megabytes: float
    change: PairedComparison | None = None


@dataclass(frozen=True)
class VariantReport:
    """The variants that were tried.

    Attributes:
        chosen: name of the variant that is packaged.
        tried: all variants that were measured, float32 first.
        calibration: method by which confidences were calibrated; None if they were not.
    """

    chosen: str
    tried: tuple[Variant, ...]
    calibration: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the report as the field `weights` of the packaged manifest."""
        return {
            "chosen": self.chosen,
            "tried": [
                {"name": variant.name, "f1": variant.f1, "megabytes": variant.megabytes}
                for variant in self.tried
            ],
            "allowed_loss": ALLOWED_LOSS,
            "changes": {
                variant.name: asdict(variant.change)
                for variant in self.tried
                if variant.change is not None
            },
            "calibration": self.calibration,
        }


def export_variants(
    network: TokenClassifier, tagger: NeuralTagger, texts: Sequence[str], folder: Path
) -> dict[str, Path]:
    """Export a network to ONNX in float32 and in 8 bits.

    For a network with token pruning there is also a variant in which only the layers after the
    pruning compute in 8 bits: the lower layers decide which tokens are pruned, and 8 bits may make
    these decisions too inaccurate.

    Args:
        network: the network.
        tagger: the trained model, which encodes texts for the network.
        texts: training texts, on a sample of which the ranges of 8-bit inputs are measured.
        folder: where the ONNX files are written.

    Returns:
        The ONNX files by variant, float32 first, then 8-bit variants in order of preference.
    """
    exported = folder / "exported.onnx"
    export_onnx(network, exported)
    # A sample spread over all texts, as consecutive texts may be similar.
    sample = texts[:: max(1, len(texts) // CALIBRATION_DOCUMENTS)]
    names = ("input_ids", "attention_mask", "features")
    batches = (dict(zip(names, batch, strict=True)) for batch in tagger.batches(sample))
    inputs = measure_inputs(exported, batches)
    quantized_inputs = {INT8: inputs}
    if network.pruner is not None:
        quantized_inputs[INT8_AFTER_PRUNING] = inputs_after_pruning(exported, inputs)
    variants = {FLOAT32: folder / "float32.onnx"}
    optimize(exported, variants[FLOAT32])
    for name, statistics in quantized_inputs.items():
        quantized, variants[name] = folder / "quantized.onnx", folder / f"{name}.onnx"
        quantize(exported, quantized, statistics)
        optimize(quantized, variants[name])
    return variants


def select_variant(
    variants: Mapping[str, Path],
    tag: Callable[[str], list[Document]],
    gold: Sequence[Document],
    float_tagged: list[Document],
    labels: Sequence[str],
) -> tuple[VariantReport, list[Document]]:
    """Choose the first 8-bit variant that is accurate enough, else float32.

    Args:
        variants: the ONNX files; see :func:`export_variants`.
        tag: returns the dev documents with the spans of a variant.
        gold: the dev documents.
        float_tagged: the dev documents with the spans of the float32 variant.
        labels: the label set.

    Returns:
        The variants that were tried and the chosen one, and the dev documents with its spans.
    """

    def measure(
        name: str, tagged: Sequence[Document], change: PairedComparison | None = None
    ) -> Variant:
        micro, _ = total_counts(zip(gold, tagged, strict=True))
        return Variant(name, micro.f1, variants[name].stat().st_size / 1e6, change)

    tried = [measure(FLOAT32, float_tagged)]
    for name in variants:
        if name == FLOAT32:
            continue
        tagged = tag(name)
        change = compare_tagged(gold, tagged, float_tagged, labels)
        tried.append(measure(name, tagged, change))
        if is_accurate_enough(change):
            return VariantReport(name, tuple(tried)), tagged
    return VariantReport(FLOAT32, tuple(tried)), float_tagged


def compare_tagged(
    gold: Sequence[Document],
    tagged: Sequence[Document],
    baseline: Sequence[Document],
    labels: Sequence[str],
) -> PairedComparison:
    """Compare the spans of two systems in the same documents by strict F1, label by label."""
    systems = SystemComparison([("tagged", 1), ("baseline", 1)], labels)
    for document, prediction, reference in zip(gold, tagged, baseline, strict=True):
        systems.add(document, [[prediction], [reference]])
    (comparison,) = systems.comparisons()
    return comparison


def is_accurate_enough(change: PairedComparison) -> bool:
    """Return whether a variant's loss against float32 is acceptable.

    Strict F1 may be at most :data:`ALLOWED_LOSS` lower. No label's loss may be significantly
    larger: its paired interval, bootstrapped over documents, must reach that value.
    """
    if change.micro.f1 is not None and change.micro.f1 < -ALLOWED_LOSS:
        return False
    highs = (difference.high for difference in change.labels.values())
    return all(high is None or high >= -ALLOWED_LOSS for high in highs)
