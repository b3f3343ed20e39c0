"""From a run folder to a wheel: exported, checked against the trained model, described, built."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..corpus.document import Document
from ..corpus.files import sha256_file
from ..errors import InputError
from ..evaluation.calibration import Calibrator, Confidences, fit_calibrator
from ..evaluation.comparison.system_comparison import PairedComparison, SystemComparison
from ..evaluation.counts import total_counts
from ..evaluation.metrics import evaluate, evaluation_to_json
from ..training.run_folder import EVALUATIONS, read_manifest, run_documents
from ..training.tagger.config import TaggerConfig
from ..training.tagger.tagger import NeuralTagger
from ..training.tagger.words import find_words
from ..training.tagging import tag_documents
from ..training.transformer.model_folder import load_network, load_run_gazetteer, load_tagger
from .card import wheel_card
from .export import export_onnx, optimize
from .loading import MANIFEST
from .quantization import inputs_after_pruning, measure_inputs, quantize
from .runtime import FORMAT, HASHES, load_packaged, write_hashes
from .wheel import build_wheel, check_name, write_package

if TYPE_CHECKING:
    from ..training.transformer.network import TokenClassifier

ALLOWED_LOSS = 0.002
"""Strict F1 on the dev documents that 8-bit arithmetic may cost."""
CALIBRATION_DOCUMENTS = 64
"""About so many training documents the ranges of 8-bit arithmetic are measured on."""
SAME_DOCUMENTS = 0.98
"""Share of the dev documents on which the exported model must give the trained one's spans."""


@dataclass(frozen=True)
class Package:
    """What packaging made.

    Attributes:
        wheel: the wheel file.
        card: the model card.
        weights: how the weights are stored.
        identical: dev documents on which the float ONNX model gives the torch model's spans.
        documents: dev documents in all.
        f1: strict F1 of the packaged model on them.
    """

    wheel: Path
    card: Path
    weights: str
    identical: int
    documents: int
    f1: float | None


def package(
    run: Path,
    output: Path,
    *,
    lang: str = "en",
    name: str = "orbat_news",
    version: str = "0.1.0",
    say: Callable[[str], None] = lambda text: None,
) -> Package:
    """Package a finished run as a wheel with a model card.

    The model computes in 8 bits where :func:`may_ship` says so of the dev documents. Confidences
    are calibrated on these, too.

    Args:
        run: a finished run folder.
        output: folder for the wheel and the card.
        lang: the pipeline's language code.
        name: the model's name without the language.
        version: the model's version.
        say: told what is being done.

    Raises:
        InputError: if the run cannot be used, or the exported model differs from the trained one.
    """
    full_name = check_name(lang, name, version)
    run, output = Path(run), Path(output)
    network, config = load_network(run)
    manifest = read_manifest(run)
    documents, learnt = run_documents(run, "dev"), run_documents(run, "train")
    trained = load_tagger(run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        say("Exporting to ONNX")
        graphs = _export(network, trained, [d.text for d in learnt], folder)
        say("Preparing the gazetteer")
        gazetteer = load_run_gazetteer(run)
        for document in learnt:
            gazetteer.find(document.text, find_words(document.text).tolist())
        base = {
            "tokenizer.json": (run / "model" / "tokenizer.json").read_bytes(),
            "gazetteer.json": gazetteer.to_bytes(classes=True),
        }

        def files_of(weights: str, config: TaggerConfig) -> dict[str, bytes]:
            tagger = json.dumps({"format": FORMAT, **asdict(config)}).encode()
            return {**base, "model.onnx": graphs[weights].read_bytes(), "tagger.json": tagger}

        def tagged_by(weights: str) -> list[Document]:
            tagger = load_packaged(with_hashes(files_of(weights, config)))
            return list(tag_documents(tagger, documents))

        say("Comparing with the trained model")
        wanted = list(tag_documents(trained, documents))
        tagged = {"float32": tagged_by("float32")}
        identical = sum(map(_same_spans, wanted, tagged["float32"]))
        if identical < SAME_DOCUMENTS * len(documents):
            raise InputError(
                f"{run}: the exported model gives other spans than the trained one on "
                f"{len(documents) - identical} of {len(documents)} documents; "
                "this encoder cannot be packaged"
            )
        changes = {}
        for weights in [each for each in graphs if each != "float32"]:
            tagged[weights] = tagged_by(weights)
            changes[weights] = compare(documents, tagged[weights], tagged["float32"], config.labels)
            if may_ship(changes[weights]):
                break
        else:
            weights = "float32"
        chosen = list(zip(documents, tagged[weights], strict=True))
        dev = evaluation_to_json(evaluate(chosen, config.labels))
        confidences = Confidences(chosen)
        calibrator = fit_calibrator(confidences.scores, confidences.right)
        if calibrator is not None:
            config = replace(config, calibration=calibration_points(calibrator))
        numbers = {
            "chosen": weights,
            "tried": [
                {
                    "name": each,
                    "f1": total_counts(zip(documents, tagged[each], strict=True))[0].f1,
                    "megabytes": graphs[each].stat().st_size / 1e6,
                }
                for each in tagged
            ],
            "allowed_loss": ALLOWED_LOSS,
            "changes": {each: asdict(change) for each, change in changes.items()},
            "calibration": calibrator.method if calibrator is not None else None,
        }
        original = sha256_file(run / "model" / "model.safetensors")
        provenance = {**manifest, "weights": {"sha256": original, **numbers}}
        evaluations = read_evaluations(run)
        card = wheel_card(
            name=full_name,
            version=version,
            manifest=manifest,
            evaluations=evaluations,
            dev=dev["strict"],
            numbers=numbers,
        )
        say("Building the wheel")
        files = {**files_of(weights, config), MANIFEST: json.dumps(provenance, indent=1).encode()}
        write_package(
            folder / "package",
            lang=lang,
            name=name,
            version=version,
            files=with_hashes(files),
            card=card,
            description=f"Named entities of defence news: {', '.join(config.labels)}",
            performance=_performance(evaluations, dev),
        )
        built = build_wheel(folder / "package", folder / "dist")
        output.mkdir(parents=True, exist_ok=True)
        wheel = output / built.name
        draft = output / f".{built.name}.draft"
        shutil.move(built, draft)
        draft.rename(wheel)
        card_path = output / "MODEL_CARD.md"
        card_path.write_text(card, encoding="utf-8")
    f1 = dev["strict"]["micro"]["f1"]
    return Package(wheel, card_path, weights, identical, len(documents), f1)


def _export(
    network: TokenClassifier, trained: NeuralTagger, texts: Sequence[str], folder: Path
) -> dict[str, Path]:
    """Write the network as ONNX: as it is, and with ever fewer 8-bit products.

    Skimming, one layer has to tell what most of a text is; 8 bits may cost too much there alone.
    """
    plain = folder / "plain.onnx"
    export_onnx(network, plain)
    names = ("input_ids", "attention_mask", "features")
    # From all of them, for neighbours may be of one kind.
    some = texts[:: max(1, len(texts) // CALIBRATION_DOCUMENTS)]
    batches = (dict(zip(names, batch, strict=True)) for batch in trained.batches(some))
    inputs = measure_inputs(plain, batches)
    plans = {"int8": inputs}
    if network.pruner is not None:
        plans["int8 where it reads on"] = inputs_after_pruning(plain, inputs)
    graphs = {"float32": folder / "float32.onnx"}
    optimize(plain, graphs["float32"])
    for weights, plan in plans.items():
        rough, graphs[weights] = folder / "rough.onnx", folder / f"{weights}.onnx"
        quantize(plain, rough, plan)
        optimize(rough, graphs[weights])
    return graphs


def with_hashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return a model's files and the hashes by which a damaged one is found."""
    return {**files, HASHES: write_hashes(files)}


def compare(
    gold: Sequence[Document],
    first: Sequence[Document],
    other: Sequence[Document],
    labels: Sequence[str],
) -> PairedComparison:
    """Compare two readings of the same documents by strict F1, label by label."""
    contest = SystemComparison([("first", 1), ("other", 1)], labels)
    for document, reading, reference in zip(gold, first, other, strict=True):
        contest.add(document, [[reading], [reference]])
    (comparison,) = contest.comparisons()
    return comparison


def may_ship(change: PairedComparison) -> bool:
    """Tell whether the smaller model is good enough.

    Its strict F1 must be at most :data:`ALLOWED_LOSS` below that of the larger one, and no label's
    certainly more: its paired interval, bootstrapped over documents, must reach that far.
    """
    if change.micro.f1 is not None and change.micro.f1 < -ALLOWED_LOSS:
        return False
    highs = (difference.high for difference in change.labels.values())
    return all(high is None or high >= -ALLOWED_LOSS for high in highs)


def calibration_points(
    calibrator: Calibrator, points: int = 101
) -> tuple[tuple[float, float], ...]:
    """Return a calibrator as points between which the packaged model interpolates."""
    given = np.linspace(0, 1, points)
    found = np.clip(calibrator.apply(given), 0.001, 0.999)
    return tuple(zip(given.tolist(), found.tolist(), strict=True))


def _same_spans(first: Document, second: Document) -> bool:
    return set(first.spans) == set(second.spans)


def read_evaluations(run: Path) -> list[dict[str, Any]]:
    """Return the results that `orbat evaluate` left in a run folder, by name of the gold file."""
    found = sorted((Path(run) / EVALUATIONS).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


def _performance(evaluations: Sequence[dict[str, Any]], dev: dict[str, Any]) -> dict[str, Any]:
    """Return spaCy's score names for the first held-out evaluation, else for the dev documents."""
    strict = evaluations[0]["strict"] if evaluations else dev["strict"]
    return {
        "ents_p": strict["micro"]["precision"],
        "ents_r": strict["micro"]["recall"],
        "ents_f": strict["micro"]["f1"],
        "ents_per_type": {
            label: {"p": s["precision"], "r": s["recall"], "f": s["f1"]}
            for label, s in strict["labels"].items()
        },
    }
