"""Packaging a run: ONNX export, comparison with the trained model, calibration, card and wheel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus.document import Document
from ..corpus.files import sha256_file, write_text
from ..corpus.output.locks import lock_folder
from ..errors import ModelError
from ..evaluation.calibration import Calibrator, Confidences, fit_calibrator
from ..evaluation.operating_points import tabulate_operating_points
from ..training.run_folder import MANIFEST_FILE, read_manifest, run_documents
from ..training.tagger.config import TaggerConfig
from ..training.tagger.gazetteer import Gazetteer
from ..training.tagger.words import find_words
from ..training.tagging import tag_documents
from ..training.transformer.model_folder import load_network, load_run_gazetteer, load_tagger
from ..training.value_tables import load_value_tables, read_run_value_tables
from ..training.values.tables import ValueTables
from ..ui import OnProgress, Progress, ignore_progress
from .cards.dev_scores import measure_dev_scores
from .cards.sections import CardData
from .cards.wheel_card import wheel_card
from .checkpoint import Checkpoint, check_exportable, check_replaceable, write_checkpoint
from .model import read_evaluations
from .package_info import (
    PackageInfo,
    check_language,
    package_notices,
    run_package_info,
    weights_license,
)
from .runtime import (
    CONFIG_FILE,
    GAZETTEER_FILE,
    ONNX_FILE,
    OPERATING_POINTS_FILE,
    TOKENIZER_FILE,
    VALUES_FILE,
    WHEEL_FORMAT,
    add_hashes,
    load_packaged,
)
from .variants import FLOAT32, VariantReport, export_variants, select_variant
from .wheels.building import build_wheel, write_package
from .wheels.output import CARD_FILE, CHECKPOINT_FOLDER, own_output

MIN_IDENTICAL = 0.98
"""Share of the dev documents in which the exported model must find the trained model's spans."""


@dataclass(frozen=True)
class PackagingReport:
    """The result of :func:`package`.

    Attributes:
        wheel: the wheel file.
        card: the model card.
        weights: numeric format of the packaged weights.
        identical: dev documents in which the float32 ONNX model finds the trained model's spans.
        documents: number of dev documents.
        f1: strict F1 of the packaged model on the dev documents; None where undefined.
        checkpoint: the transformers checkpoint, if one was written.
        notices: lines on what the package does not state or contain.
    """

    wheel: Path
    card: Path
    weights: str
    identical: int
    documents: int
    f1: float | None
    checkpoint: Checkpoint | None = None
    notices: tuple[str, ...] = ()


def package(
    run: Path,
    output: Path,
    info: PackageInfo | None = None,
    *,
    transformers: bool = False,
    values: Path | None = None,
    on_progress: OnProgress = ignore_progress,
) -> PackagingReport:
    """Build a pip-installable wheel and a model card from a finished run.

    The network computes in 8 bits where :func:`~.variants.is_accurate_enough` allows it.
    Confidences are calibrated on the dev documents. The card shows every result of
    `orbat evaluate` that is recorded in the run folder.

    Args:
        run: a finished run folder.
        output: folder for the wheel, `MODEL_CARD.md` and the checkpoint.
        info: what the package says of itself; None for :func:`~.package_info.run_package_info`.
        transformers: whether to write a transformers checkpoint as well, into
            `output/transformers`; see :func:`~.checkpoint.write_checkpoint`.
        values: a gazetteer file whose values the model gives to its mentions; None for those that
            were stored when the run was trained.
        on_progress: called at the beginning and end of each step.

    Raises:
        InputError: if spaCy lacks the language, the run contains a pickle, the values are broken,
            or the output cannot be written or is written by another process, or
            `output/transformers` is not of an earlier call.
        ModelError: if the run cannot be used or one of its files was changed, the exported model
            finds other spans than the trained one, or no checkpoint can represent the model.
    """
    run, output, info = Path(run), Path(output), info or run_package_info(run)
    check_language(info.lang)
    if transformers:
        check_replaceable(output / CHECKPOINT_FOLDER)
        check_exportable(run)
    report = _package_wheel(run, output, info, values, on_progress)
    if not transformers:
        return report
    step = progress_step("Writing the transformers checkpoint", on_progress)
    with step, lock_folder(output, keep=False):
        checkpoint = write_checkpoint(run, output / CHECKPOINT_FOLDER, info)
    return replace(report, checkpoint=checkpoint)


def _package_wheel(
    run: Path, output: Path, info: PackageInfo, values: Path | None, on_progress: OnProgress
) -> PackagingReport:
    """Build the wheel and its model card; see :func:`package`."""
    manifest = read_manifest(run)
    tables = read_run_value_tables(run) if values is None else load_value_tables(values)
    network, config = load_network(run)
    dev, train = run_documents(run, "dev"), run_documents(run, "train")
    trained = load_tagger(run)
    with own_output(output) as folder:
        with progress_step("Exporting to ONNX", on_progress):
            variants = export_variants(network, trained, [d.text for d in train], folder)
        with progress_step("Preparing the gazetteer", on_progress):
            gazetteer = load_run_gazetteer(run)
            shared = _shared_files(run, gazetteer, train)

        def tag(name: str) -> list[Document]:
            files = model_files(variants[name], config, shared)
            return list(tag_documents(load_packaged(add_hashes(files)), dev))

        with progress_step("Comparing with the trained model", on_progress):
            float_tagged = tag(FLOAT32)
            identical = _count_identical(tag_documents(trained, dev), float_tagged)
            if identical < MIN_IDENTICAL * len(dev):
                raise ModelError(
                    f"{run}: the exported model finds other spans than the trained one in "
                    f"{len(dev) - identical} of {len(dev)} documents; this encoder cannot be "
                    "packaged"
                )
            variant_report, tagged = select_variant(variants, tag, dev, float_tagged, config.labels)
        calibrated, variant_report = calibrate(config, variant_report, dev, tagged)
        files = model_files(variants[variant_report.chosen], calibrated, shared)
        # The operating points have calibrated confidences, as the installed model has.
        packaged = load_packaged(add_hashes(files))
        tagged = list(tag_documents(packaged, dev))
        points = tabulate_operating_points(zip(dev, tagged, strict=True), config.labels)
        files |= {
            VALUES_FILE: tables.to_bytes(),
            MANIFEST_FILE: _packaged_manifest(run, manifest, variant_report),
            OPERATING_POINTS_FILE: json.dumps(points).encode(),
        }
        dev_scores = measure_dev_scores(
            dev,
            lambda documents: tag_documents(packaged, documents),
            config.labels,
            tagged=tagged,
            on_progress=on_progress,
        )
        data = CardData(info, manifest, read_evaluations(run), dev_scores)
        license = weights_license(
            data.weights_license,
            [info.license_file] if info.license_file else (),
            shipped_gazetteer=_has_shipped_entries(gazetteer, manifest, tables),
        )
        card = wheel_card(data, variant_report, points, license, threshold=config.threshold)
        # spaCy shows one set of scores: those of the first held-out evaluation, else of dev.
        held_out = (result["strict"] for result in data.evaluations if "strict" in result)
        strict = next(held_out, dev_scores.tidy)
        with progress_step("Building the wheel", on_progress):
            write_package(
                folder / "package",
                info,
                files=add_hashes(files),
                card=card,
                description=info.describe(config.labels),
                meta={
                    "performance": {**spacy_scores(strict), "dev": dev_scores.to_json()},
                    "base_model": data.base_model.to_json(),
                },
                colors={label["name"]: label["color"] for label in manifest["labels"]["label"]},
                license=license,
            )
            wheel = build_wheel(folder / "package", output)
        card_path = output / CARD_FILE
        write_text(card_path, card)
    f1 = dev_scores.tidy["micro"]["f1"]
    notices = package_notices(info, license, variant_report)
    return PackagingReport(
        wheel, card_path, variant_report.chosen, identical, len(dev), f1, notices=tuple(notices)
    )


@contextmanager
def progress_step(name: str, on_progress: OnProgress) -> Iterator[None]:
    """Report the beginning and the end of a step."""
    on_progress(Progress(name, 0, 1))
    yield
    on_progress(Progress(name, 1, 1))


def _shared_files(run: Path, gazetteer: Gazetteer, train: Iterable[Document]) -> dict[str, bytes]:
    """Return the files that do not depend on the variant: tokenizer and compiled gazetteer."""
    # Searching texts adds the classes of their tokens to the gazetteer, which are saved with it.
    for document in train:
        gazetteer.find(document.text, find_words(document.text).tolist())
    return {
        TOKENIZER_FILE: (run / "model" / TOKENIZER_FILE).read_bytes(),
        GAZETTEER_FILE: gazetteer.to_bytes(classes=True),
    }


def _has_shipped_entries(
    gazetteer: Gazetteer, manifest: Mapping[str, Any], tables: ValueTables
) -> bool:
    """Return whether a run has phrases or values of the gazetteer that ships with orbat."""
    is_shipped = manifest["recipe"].get("gazetteer") == "default"
    return is_shipped and (bool(gazetteer) or bool(tables.labels))


def model_files(onnx: Path, config: TaggerConfig, shared: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a packaged model by name, without manifest and hashes."""
    settings = json.dumps({"format": WHEEL_FORMAT, **asdict(config)}).encode()
    return {**shared, ONNX_FILE: onnx.read_bytes(), CONFIG_FILE: settings}


def _count_identical(first: Iterable[Document], second: Iterable[Document]) -> int:
    """Return the number of documents with the same spans in both."""
    return sum(set(a.spans) == set(b.spans) for a, b in zip(first, second, strict=True))


def calibrate(
    config: TaggerConfig,
    variants: VariantReport,
    gold: Sequence[Document],
    tagged: Sequence[Document],
) -> tuple[TaggerConfig, VariantReport]:
    """Calibrate confidences on the dev documents, if there are enough of them.

    Args:
        config: the configuration to add the calibration to.
        variants: the report to add the method to.
        gold: the dev documents.
        tagged: the dev documents with the spans of the packaged variant.
    """
    confidences = Confidences(zip(gold, tagged, strict=True))
    calibrator = fit_calibrator(confidences.scores, confidences.correct)
    if calibrator is None:
        return config, variants
    points = _calibration_points(calibrator)
    return replace(config, calibration=points), replace(variants, calibration=calibrator.method)


def _calibration_points(
    calibrator: Calibrator, points: int = 101
) -> tuple[tuple[float, float], ...]:
    """Return a calibrator as points between which the packaged model interpolates."""
    scores = np.linspace(0, 1, points)
    calibrated = np.clip(calibrator.apply(scores), 0.001, 0.999)
    return tuple(zip(scores.tolist(), calibrated.tolist(), strict=True))


def _packaged_manifest(run: Path, manifest: Mapping[str, Any], variants: VariantReport) -> bytes:
    """Return the run's manifest with the origin and the numeric format of the weights."""
    trained_hash = sha256_file(run / "model" / "model.safetensors")
    weights = {"sha256": trained_hash, **variants.to_json()}
    return json.dumps({**manifest, "weights": weights}, indent=1).encode()


def spacy_scores(strict: Mapping[str, Any]) -> dict[str, Any]:
    """Return strict scores under the names that spaCy's `meta.json` has for them.

    Args:
        strict: the field `strict` of an evaluation's JSON.
    """
    return {
        "ents_p": strict["micro"]["precision"],
        "ents_r": strict["micro"]["recall"],
        "ents_f": strict["micro"]["f1"],
        "ents_per_type": {
            label: {"p": scores["precision"], "r": scores["recall"], "f": scores["f1"]}
            for label, scores in strict["labels"].items()
        },
    }
