"""Packaging a token classifier that orbat did not train as a wheel."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...annotation.gold_files import GoldReader
from ...corpus.document import Document, Span
from ...corpus.files import read_documents, sha256_file, sha256_text, write_text
from ...errors import InputError, ModelError
from ...evaluation.metrics import evaluate, evaluation_to_json
from ...evaluation.operating_points import tabulate_operating_points
from ...training.external.huggingface.loading import HuggingFaceModel, load_checkpoint
from ...training.run_folder import MANIFEST_FILE
from ...training.tagger.config import TaggerConfig
from ...training.tagger.gazetteer import Gazetteer
from ...training.tagging import tag_documents
from ...ui import OnProgress, ignore_progress
from ..checkpoint import MIN_AGREEMENT, count_common
from ..onnx.export import export_onnx, optimize
from ..package_info import (
    SEVERAL_LANGUAGES,
    UNKNOWN_LICENSE,
    PackageInfo,
    check_language,
    language_fault,
    model_name,
    package_notices,
)
from ..packaging import calibrate, model_files, progress_step, spacy_scores
from ..runtime import (
    GAZETTEER_FILE,
    HASHES_FILE,
    OPERATING_POINTS_FILE,
    TOKENIZER_FILE,
    add_hashes,
    load_packaged,
)
from ..variants import FLOAT32, VariantReport, export_variants, select_variant
from ..wheels.building import build_wheel, write_package
from ..wheels.output import CARD_FILE, own_output
from .card import OwnCard, PipelineComparison, imported_card, read_own_card
from .licensing import checkpoint_license

ARTICLES = Path(__file__).parents[2] / "corpus" / "articles" / "dev.jsonl"
"""Texts on which the exported model is compared if there are no dev documents."""
COMPARED_DOCUMENTS = 10
"""Maximum number of documents on which it is compared."""


@dataclass(frozen=True)
class ImportReport:
    """The result of :func:`package_checkpoint`.

    Attributes:
        wheel: the wheel file.
        card: the model card.
        weights: numeric format of the packaged weights.
        comparison: how well the exported model reproduces transformers' pipeline.
        f1: strict F1 on the dev documents; None without them.
        notices: lines about what was left out of the dev documents, and what is not stated.
    """

    wheel: Path
    card: Path
    weights: str
    comparison: PipelineComparison
    f1: float | None
    notices: tuple[str, ...] = ()


def package_checkpoint(
    source: str | Path,
    output: Path,
    *,
    name: str | None = None,
    lang: str | None = None,
    license: str | None = None,
    dev: Path | None = None,
    on_progress: OnProgress = ignore_progress,
    **fields: Any,
) -> ImportReport:
    """Build a wheel and its model card from a token classifier of transformers.

    The wheel is of the same kind as that of a run. With dev documents, the network computes in 8
    bits where that is accurate enough, confidences are calibrated, and there are operating points.

    Args:
        source: a folder written by `save_pretrained`, or an id on the Hugging Face Hub.
        output: the folder of the wheel and the card.
        name: the model's name without the language; None for one made from the source.
        lang: ISO 639 code of the pipeline's language; None for that of the checkpoint's card, or
            :data:`~orbat.models.package_info.SEVERAL_LANGUAGES`.
        license: the license of the weights; None for that of the checkpoint's card.
        dev: documents with gold spans in the model's labels, in any format that `orbat annotate
            convert` reads.
        on_progress: called at the beginning and end of each step.
        fields: the other fields of :class:`~orbat.models.package_info.PackageInfo`.

    Raises:
        InputError: if the weights are pickled, spaCy lacks the language, the name is malformed or
            taken by another package, the dev documents are invalid or have other labels, or the
            output cannot be written or is written by another process.
        ModelError: if the checkpoint cannot be used; see :func:`load_checkpoint`.
    """
    with progress_step("Loading the checkpoint", on_progress):
        model = load_checkpoint(source)
    own = read_own_card(model.folder)
    info = PackageInfo(
        lang=lang or _spacy_language(own),
        name=name or model_name(Path(source).resolve().name),
        license=license or own.license or UNKNOWN_LICENSE,
        **fields,
    )
    _check_name_is_free(info)
    check_language(info.lang)
    reader = GoldReader(has_options=False)
    gold = list(reader.read(dev, model.scheme.labels, part="dev")) if dev is not None else []
    if dev is not None and not gold:
        raise InputError(f"{dev}: contains no document; give documents with gold spans")
    compared = (gold or list(read_documents(ARTICLES)))[:COMPARED_DOCUMENTS]
    with own_output(Path(output)) as folder:
        with progress_step("Exporting to ONNX", on_progress):
            variants = _export(model, gold, folder)
        shared = {
            TOKENIZER_FILE: model.backend.to_str().encode(),
            GAZETTEER_FILE: Gazetteer({}).to_bytes(classes=True),
        }

        def tag(
            variant: str, documents: Iterable[Document], config: TaggerConfig = model.config
        ) -> list[Document]:
            files = add_hashes(model_files(variants[variant], config, shared))
            return list(tag_documents(load_packaged(files), documents))

        with progress_step("Comparing with transformers", on_progress):
            short = list(_short_texts(model, compared))
            common, union = count_common(_reference(model, short), tag(FLOAT32, short))
            if common < MIN_AGREEMENT * union:
                raise ModelError(
                    f"{source}: transformers and the exported model agree on only {common} of "
                    f"{union} spans; models of this kind cannot be packaged"
                )
            texts = (dev or ARTICLES).name
            comparison = PipelineComparison(common, union, len(short), texts)
        config, report, scores, points = model.config, None, None, None
        if gold:
            with progress_step("Choosing the numeric format", on_progress):
                report, tagged = select_variant(
                    variants, lambda v: tag(v, gold), gold, tag(FLOAT32, gold), config.labels
                )
                config, report = calibrate(config, report, gold, tagged)
                tagged = tag(report.chosen, gold, config)
                points = tabulate_operating_points(zip(gold, tagged, strict=True), config.labels)
                scores = evaluation_to_json(evaluate(gold, tagged, config.labels))["strict"]
        chosen = report.chosen if report else FLOAT32
        files = {
            **model_files(variants[chosen], config, shared),
            MANIFEST_FILE: _manifest(model, gold, report),
        }
        if points is not None:
            files[OPERATING_POINTS_FILE] = json.dumps(points).encode()
        base_model = {"name": model.name, "license": info.license}
        if own.base_model:
            base_model["fine_tuned_from"] = own.base_model
        own_license = checkpoint_license(
            info.license or UNKNOWN_LICENSE, model.folder, info.license_file
        )
        card = imported_card(
            model,
            info,
            own,
            comparison,
            own_license,
            variants=report,
            dev_scores=scores,
            points=points,
        )
        with progress_step("Building the wheel", on_progress):
            write_package(
                folder / "package",
                info,
                files=add_hashes(files),
                card=card,
                description=info.describe(model.scheme.labels),
                meta={
                    "performance": spacy_scores(scores) if scores else {},
                    "base_model": base_model,
                },
                colors={},
                license=own_license,
            )
            wheel = build_wheel(folder / "package", Path(output))
        card_path = Path(output) / CARD_FILE
        write_text(card_path, card)
    f1 = scores["micro"]["f1"] if scores else None
    notices = (*reader.notices, *package_notices(info, own_license, report))
    return ImportReport(wheel, card_path, chosen, comparison, f1, notices)


def _export(model: HuggingFaceModel, gold: Sequence[Document], folder: Path) -> dict[str, Path]:
    """Export to ONNX in float32; with gold documents, on whose texts 8-bit ranges are measured,
    also in 8 bits."""
    if gold:
        return export_variants(model.network(), model.tagger(), [d.text for d in gold], folder)
    exported, optimized = folder / "exported.onnx", folder / "float32.onnx"
    export_onnx(model.network(), exported)
    optimize(exported, optimized)
    return {FLOAT32: optimized}


def _short_texts(model: HuggingFaceModel, documents: Iterable[Document]) -> Iterator[Document]:
    """Yield parts of lines that fit one window.

    At line breaks and where windows overlap, the packaged model is meant to differ from the
    pipeline; see :func:`imported_card`.
    """
    backend, capacity = model.backend, model.config.capacity
    for document in documents:
        for line in document.text.splitlines():
            words = line.split()
            for start in range(0, len(words), max(1, capacity // 3)):
                text = " ".join(words[start : start + max(1, capacity // 3)])
                if len(backend.encode(text, add_special_tokens=False)) <= capacity:
                    yield replace(document, text=text, spans=())


def _reference(model: HuggingFaceModel, documents: Sequence[Document]) -> Iterator[Document]:
    """Yield the documents with the spans that transformers' pipeline finds.

    The pipeline does not know BIOES and BILOU; for these, the model on torch is the reference.
    """
    if model.scheme.name not in ("BIO", "IO"):
        yield from tag_documents(model.tagger(), documents)
        return
    import warnings

    from transformers import pipeline

    model.tokenizer.model_max_length = model.config.window
    find = pipeline(
        "token-classification",
        model=model.model,
        tokenizer=model.tokenizer,
        aggregation_strategy="first",
        stride=model.config.stride,
    )
    for document in documents:
        with warnings.catch_warnings():
            # It warns at every piece that the tokenizer does not mark words.
            warnings.simplefilter("ignore")
            entities = find(document.text)
        spans = []
        for entity in entities:
            found = document.text[entity["start"] : entity["end"]]
            start = entity["start"] + len(found) - len(found.lstrip())
            if found.strip():
                spans.append(Span(start, start + len(found.strip()), entity["entity_group"]))
        yield document.with_spans(spans)


def _manifest(
    model: HuggingFaceModel, gold: Sequence[Document], report: VariantReport | None
) -> bytes:
    """Return the manifest: the checkpoint's files, labels, and the documents that selected it.

    A checkpoint that orbat wrote also names those that it was trained on.
    """
    weights = {path.name: sha256_file(path) for path in sorted(model.folder.glob("*.safetensors"))}
    known = model.run_manifest.get("documents", {})
    dev = [{"id": d.id, "sha256": sha256_text(d.text)} for d in gold]
    manifest = {
        "checkpoint": {"name": Path(model.name).name, "sha256": weights},
        "labels": {"label": [{"name": label, "description": ""} for label in model.scheme.labels]},
        "documents": {
            "train": known.get("train", []),
            "dev": [*known.get("dev", []), *dev],
        },
        "weights": report.to_json() if report else {"chosen": FLOAT32},
    }
    return json.dumps(manifest, indent=1).encode()


def _spacy_language(own: OwnCard) -> str:
    language = (own.language or "").lower()
    is_code = re.fullmatch(r"[a-z]{2,3}", language)
    return language if is_code and language_fault(language) is None else SEVERAL_LANGUAGES


def _check_name_is_free(info: PackageInfo) -> None:
    """Refuse the name of an installed package that is not an orbat model.

    Raises:
        InputError: naming the fix.
    """
    spec = importlib.util.find_spec(info.package_name)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    is_model = any(any(Path(folder).rglob(HASHES_FILE)) for folder in folders)
    if spec is not None and not is_model:
        raise InputError(
            f"--name {info.name}: {info.package_name} is another installed package; "
            "choose another name"
        )
