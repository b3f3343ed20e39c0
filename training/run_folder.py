"""The run folder: what training leaves behind, and how to use it.

RUN/manifest.json   recipe, labels, seeds, versions, hashes of every input and article
RUN/metrics.json    scores on the dev documents, by epoch and of the model kept
RUN/data/           the documents themselves: train.jsonl, dev.jsonl
RUN/model/          of a transformer model.safetensors, config.json, tokenizer.json, tagger.json,
                    gazetteer.json
RUN/evaluations/    results of orbat evaluate, one file for each gold file
RUN/checkpoints/    only while training is unfinished
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..corpus.document import Document, Span
from ..corpus.files import read_documents, sha256_text, write_json
from ..errors import InputError
from ..evaluation.counts import counts_to_json, total_counts
from .tagger.config import TaggerConfig
from .tagger.gazetteer import Gazetteer
from .tagger.mentions import Mention
from .tagger.tagger import Tagger
from .tagger.words import FEATURE_COUNT
from .transformer.encoder import refuse_pickles

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from .transformer.network import TokenClassifier

FORMAT = 3
GAZETTEER = "gazetteer.json"
EVALUATIONS = "evaluations"


def save_model(
    folder: Path,
    network: TokenClassifier,
    tokenizer: Any,
    config: TaggerConfig,
    gazetteer: Gazetteer,
) -> None:
    """Write weights, tokenizer, gazetteer and both configurations, all or nothing."""
    from safetensors.torch import save_file

    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    weights = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    save_file(weights, draft / "model.safetensors", metadata={"format": "pt"})
    network.encoder.config.save_pretrained(draft)
    tokenizer.save(str(draft / "tokenizer.json"))
    write_json(draft / "tagger.json", {"format": FORMAT, **dataclasses.asdict(config)})
    (draft / GAZETTEER).write_bytes(gazetteer.to_bytes())
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def read_manifest(run: Path) -> dict[str, Any]:
    """Return a finished run's manifest.

    Raises:
        InputError: if the folder is no run, or its training has not finished.
    """
    run = Path(run)
    path = run / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{run}: not a run folder (no readable manifest.json); name the --output of orbat train"
        ) from error
    if manifest.get("format") != FORMAT:
        raise InputError(f"{path}: written by another version of orbat; train again")
    if manifest.get("status") != "finished":
        raise InputError(f"{run}: its training has not finished; go on with orbat train … --resume")
    return manifest


def run_documents(run: Path, part: str) -> list[Document]:
    """Return the documents that a run was trained (`train`) or chosen (`dev`) on.

    Raises:
        InputError: if they are missing or not those that the manifest names.
    """
    path = Path(run) / "data" / f"{part}.jsonl"
    documents = list(read_documents(path))
    hashes = [entry["sha256"] for entry in read_manifest(run)["documents"][part]]
    if [sha256_text(document.text) for document in documents] != hashes:
        raise InputError(f"{path}: was changed after training; put the old file back")
    return documents


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        InputError: if it is missing or broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: missing or broken; the model is not whole") from error


def read_tagger_config(folder: Path) -> TaggerConfig:
    """Read `tagger.json` of a model folder.

    Raises:
        InputError: if it is missing, broken or of another version.
    """
    path = Path(folder) / "tagger.json"
    value = read_json(path)
    try:
        if value.pop("format") != FORMAT:
            raise InputError(f"{path}: written by another version of orbat; package it again")
        return TaggerConfig.from_json(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: missing or broken; the model is not whole") from error


def load_network(run: Path) -> tuple[TokenClassifier, TaggerConfig]:
    """Load a finished run's network in evaluation mode, and its tagger configuration.

    Raises:
        InputError: if the run is unfinished, damaged or holds a pickle.
    """
    recipe = read_manifest(run)["recipe"]
    kind = recipe.get("kind", "transformer")
    if kind != "transformer":
        raise InputError(f"{run}: a run of kind {kind}; name one of a transformer")
    refuse_pickles(Path(run))
    folder = Path(run) / "model"
    config = read_tagger_config(folder)

    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    from .transformer.cased_vocabulary import Casing
    from .transformer.encoder import without_pooler
    from .transformer.network import TokenClassifier

    try:
        weights = load_file(folder / "model.safetensors")
        casing = None
        if "cased.base" in weights:
            casing = Casing(weights["cased.base"].numpy(), weights["cased.signs"].numpy())
        encoder: PreTrainedModel = AutoModel.from_config(
            AutoConfig.from_pretrained(folder, trust_remote_code=False)
        )
        network = TokenClassifier(
            without_pooler(encoder),
            tags=len(config.tags),
            features=FEATURE_COUNT,
            word_features=config.features,
            gazetteer=config.gazetteer,
            crf=bool(config.transitions),
            by_line=config.by_line,
            casing=casing,
            skim=recipe.get("skim"),
            skim_sure=recipe.get("skim_sure", 1.0),
        )
        network.load_state_dict(weights)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{folder}: the model cannot be loaded ({reason}); train again") from error
    return network.eval(), config


class DocumentTagger(Protocol):
    """What finds mentions in texts, however it was trained."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it knows."""

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Give the mentions of each text, in order."""


def load_run(run: Path) -> DocumentTagger:
    """Load a finished run of any kind as a tagger.

    Raises:
        InputError: if the run is unfinished, damaged or holds a pickle.
    """
    manifest = read_manifest(run)
    refuse_pickles(Path(run))
    folder = Path(run) / "model"
    labels = tuple(label["name"] for label in manifest["labels"]["label"])
    match manifest["recipe"].get("kind"):
        case "rules":
            from .baselines.rules import load_rules

            return load_rules(folder, labels)
        case "linear":
            from .baselines.linear import load_linear

            return load_linear(folder, labels)
        case "cnn":
            from .baselines.spacy_cnn import load_cnn

            return load_cnn(folder, labels)
        case _:
            return load_tagger(run)


def load_tagger(run: Path, *, device: str = "cpu", autocast: bool = False) -> Tagger:
    """Load a finished run of a transformer as a tagger on torch.

    Args:
        run: the run folder.
        device: where the network computes.
        autocast: in bf16 instead of full precision.

    Raises:
        InputError: if the run is unfinished, of another kind, damaged or holds a pickle.
    """
    from tokenizers import Tokenizer

    network, config = load_network(run)
    network.to(device)
    tokenizer = Tokenizer.from_file(str(Path(run) / "model" / "tokenizer.json"))
    gazetteer = load_gazetteer(run)
    run_network = torch_network(network, autocast=autocast)
    return Tagger(run_network, tokenizer, config, gazetteer.find, batch_size=16)


def load_gazetteer(run: Path) -> Gazetteer:
    """Load the gazetteer that a transformer was trained with.

    Raises:
        InputError: if it is missing or broken.
    """
    path = Path(run) / "model" / GAZETTEER
    try:
        return Gazetteer.from_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: missing or broken; train again") from error


def torch_network(network: TokenClassifier, *, autocast: bool = False) -> Any:
    """Wrap a torch network as a :data:`training.tagging.Network` of arrays."""
    import torch

    device = next(network.parameters()).device

    def run(ids: Any, mask: Any, features: Any) -> Any:
        inputs = [torch.from_numpy(array).to(device) for array in (ids, mask, features)]
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=autocast),
        ):
            return network(*inputs)["logits"].float().cpu().numpy()

    return run


def mentions_to_spans(mentions: Iterable[Mention]) -> list[Span]:
    """Return the record's spans for a tagger's mentions, scores rounded to four digits."""
    return [
        Span(m.start, m.end, m.label, score=None if m.score is None else round(m.score, 4))
        for m in mentions
    ]


def score_dev(tagger: DocumentTagger, documents: Sequence[Document]) -> dict[str, Any]:
    """Return the strict scores of a tagger on gold documents, over all and by label."""
    micro, each = total_counts(zip(documents, tag_documents(tagger, documents), strict=True))
    labels = {label: counts_to_json(counts) for label, counts in each.items()}
    return {**counts_to_json(micro), "labels": labels}


def tag_documents(tagger: DocumentTagger, documents: Iterable[Document]) -> Iterator[Document]:
    """Give a stream of documents the tagger's spans; ids, texts and meta stay as they are."""
    import itertools

    stream, texts = itertools.tee(documents)
    found = tagger.pipe(document.text for document in texts)
    for document, mentions in zip(stream, found, strict=True):
        yield document.with_spans(mentions_to_spans(mentions))
