"""From a run folder to a wheel: exported, checked against the trained model, described, built."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotation.matching import total_counts
from corpus.document import Document
from corpus.errors import InputError
from corpus.files import sha256_file
from evaluation.scoring import evaluate, evaluation_to_json
from models.card import write_card
from models.export import attention_shape, export_onnx, fuse, store_as_int8
from models.loading import LINEAGE
from models.runtime import FORMAT, load_packaged
from models.wheel import build_wheel, check_name, write_package
from training.run import (
    EVALUATIONS,
    GAZETTEER,
    load_network,
    load_tagger,
    read_manifest,
    run_documents,
    tag_documents,
)
from training.tagging import Tagger

ALLOWED_LOSS = 0.002
"""Strict F1 on the dev documents that smaller weights may cost."""
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

    The weights are stored in 8 bits if strict F1 on the dev documents is then at most
    :data:`ALLOWED_LOSS` below that of float32.

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
    documents = run_documents(run, "dev")
    labels = config.labels
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        say("Exporting to ONNX")
        exported, fused = folder / "exported.onnx", folder / "fused.onnx"
        export_onnx(network, exported)
        heads, width = attention_shape(network.encoder.config)
        fuse(exported, fused, heads=heads, width=width)
        base = {
            "tokenizer.json": (run / "model" / "tokenizer.json").read_bytes(),
            GAZETTEER: (run / "model" / GAZETTEER).read_bytes(),
            "tagger.json": json.dumps({"format": FORMAT, **asdict(config)}).encode(),
        }

        def tagger_of(path: Path) -> Tagger:
            return load_packaged({**base, "model.onnx": path.read_bytes()})

        say("Comparing with the trained model")
        wanted = list(tag_documents(load_tagger(run), documents))
        # Fusion is made for BERT's graph: should it bend another encoder's, the plain export stays.
        for graph in (fused, exported):
            found = list(tag_documents(tagger_of(graph), documents))
            identical = sum(_same_spans(a, b) for a, b in zip(wanted, found, strict=True))
            if identical >= SAME_DOCUMENTS * len(documents):
                break
        else:
            raise InputError(
                f"{run}: the exported model gives other spans than the trained one on "
                f"{len(documents) - identical} of {len(documents)} documents; "
                "this encoder cannot be packaged"
            )
        say("Trying 8-bit weights")
        small = folder / "int8.onnx"
        store_as_int8(graph, small)
        candidates = {"float32": (graph, found)}
        candidates["int8"] = (small, list(tag_documents(tagger_of(small), documents)))
        f1 = {each: _f1(documents, tagged) or 0.0 for each, (_, tagged) in candidates.items()}
        tried = [
            {"name": each, "f1": f1[each], "megabytes": path.stat().st_size / 1e6}
            for each, (path, _) in candidates.items()
        ]
        weights = "int8" if f1["int8"] >= f1["float32"] - ALLOWED_LOSS else "float32"
        path, tagged = candidates[weights]
        dev = evaluation_to_json(evaluate(zip(documents, tagged, strict=True), labels))
        files = {**base, "model.onnx": path.read_bytes()}
        lineage = {
            **manifest,
            "weights": {
                "sha256": sha256_file(run / "model" / "model.safetensors"),
                "onnx_sha256": sha256_file(path),
                "stored_as": weights,
                "tried": tried,
            },
        }
        files[LINEAGE] = json.dumps(lineage, indent=1).encode()
        evaluations = read_evaluations(run)
        card = write_card(
            name=full_name,
            version=version,
            manifest=manifest,
            evaluations=evaluations,
            dev=dev["strict"],
            numbers={"chosen": weights, "tried": tried, "allowed_loss": ALLOWED_LOSS},
        )
        say("Building the wheel")
        write_package(
            folder / "package",
            lang=lang,
            name=name,
            version=version,
            files=files,
            card=card,
            description=f"Named entities of defence news: {', '.join(labels)}",
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
    return Package(
        wheel,
        card_path,
        str(tried[-1]["name"]),
        identical,
        len(documents),
        dev["strict"]["micro"]["f1"],
    )


def _same_spans(first: Document, second: Document) -> bool:
    return set(first.spans) == set(second.spans)


def _f1(gold: Sequence[Document], tagged: Sequence[Document]) -> float | None:
    return total_counts(zip(gold, tagged, strict=True))[0].f1


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
