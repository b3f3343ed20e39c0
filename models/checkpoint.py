"""From a run folder to a plain transformers checkpoint, which needs no code of ours.

`transformers.pipeline("token-classification")` reads words at their first pieces, takes the best
tag of each by itself and joins what follows. So a model can be written as such a checkpoint only
if it has nothing beside its encoder and classifier: neither what a gazetteer knows, nor word
features, nor a chain of tags. The recipe `transformers` trains such models; case survives in their
vocabulary, see :mod:`training.transformer.cased_vocabulary`.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpus.document import Document, Span
from ..corpus.files import sha256_file, write_json, write_text
from ..errors import InputError
from ..evaluation.counts import total_counts
from ..evaluation.metrics import evaluate, evaluation_to_json
from ..training.run_folder import read_manifest, run_documents
from ..training.tagger.config import TaggerConfig
from ..training.tagging import tag_documents
from ..training.transformer.model_folder import load_network, load_tagger, read_tagger_config
from .card import checkpoint_card
from .loading import MANIFEST
from .packaging import read_evaluations

if TYPE_CHECKING:
    from ..training.transformer.network import TokenClassifier

SAME_SPANS = 0.995
"""Share of the spans in the dev documents on which checkpoint and model must agree."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was written.

    Attributes:
        folder: where it is.
        window: pieces that the pipeline reads at once.
        stride: pieces that neighbouring windows share; what `pipeline` wants as `stride`.
        same: spans of the dev documents that both it and the trained model find.
        either: spans that at least one of them finds.
        f1: its strict F1 on the dev documents.
        trained_f1: that of the trained model.
    """

    folder: Path
    window: int
    stride: int
    same: int
    either: int
    f1: float | None
    trained_f1: float | None


def load_plain(run: Path) -> Any:
    """Load a run's network as transformers' own model of its kind.

    Raises:
        InputError: if the run cannot be used, or no plain checkpoint can hold its model.
    """
    network, config = load_network(run)
    if not config.transformers_compatible:
        raise InputError(
            f"{run}: a transformers checkpoint cannot hold all of this model; train one with the "
            "recipe transformers, and this as its teacher"
        )
    return _with_head(network, config)


def write_checkpoint(run: Path, folder: Path, *, lang: str, name: str, version: str) -> Checkpoint:
    """Write a run as a plain transformers checkpoint, and try it with transformers' own pipeline.

    A folder of the same name is replaced when all is written and tried.

    Args:
        run: a finished run folder.
        folder: the checkpoint to write: weights, tokenizer, model card (`README.md`), manifest.
        lang: the model's language code, for the card.
        name: its name.
        version: its version.

    Raises:
        InputError: if the run cannot be written so, or the pipeline finds other spans.
    """
    run, folder = Path(run), Path(folder)
    model = load_plain(run)
    config = read_tagger_config(run / "model")
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    model.save_pretrained(draft)
    _save_tokenizer(run, config, draft)
    documents = run_documents(run, "dev")
    spans = _read_by_pipeline(draft, documents, config.stride)
    plain = [document.with_spans(own) for document, own in zip(documents, spans, strict=True)]
    trained = list(tag_documents(load_tagger(run), documents))
    same, either = _count_same(trained, plain)
    if same < SAME_SPANS * either:
        shutil.rmtree(draft)
        raise InputError(
            f"{run}: transformers' pipeline and the trained model agree on only {same} of {either} "
            "spans in the dev documents; this encoder cannot be written as a checkpoint"
        )
    evaluation = evaluate(zip(documents, plain, strict=True), config.labels)
    f1 = evaluation.strict.micro.f1
    trained_f1 = total_counts(zip(documents, trained, strict=True))[0].f1
    made = Checkpoint(folder, config.window, config.stride, same, either, f1, trained_f1)
    manifest = read_manifest(run)
    card = checkpoint_card(
        lang=lang,
        name=f"{lang}_{name}",
        version=version,
        manifest=manifest,
        evaluations=read_evaluations(run),
        dev=evaluation_to_json(evaluation)["strict"],
        agreement=asdict(made),
    )
    write_text(draft / "README.md", card)
    original = sha256_file(run / "model" / "model.safetensors")
    write_json(draft / MANIFEST, {**manifest, "weights": {"sha256": original}})
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return made


def _read_by_pipeline(
    folder: Path, documents: Sequence[Document], stride: int
) -> Iterator[list[Span]]:
    """Give the spans that transformers' pipeline finds in documents, with a checkpoint alone.

    Args:
        folder: the checkpoint.
        documents: what to read.
        stride: pieces that neighbouring windows share.
    """
    from transformers import pipeline
    from transformers.utils import logging

    logging.disable_progress_bar()
    read = pipeline(
        "token-classification", model=str(folder), aggregation_strategy="first", stride=stride
    )
    for document in documents:
        yield [
            Span(found["start"], found["end"], found["entity_group"])
            for found in read(document.text)
        ]


def _count_same(first: Sequence[Document], second: Sequence[Document]) -> tuple[int, int]:
    """Return how many spans two readings of the same documents share, and how many either has."""
    same = either = 0
    for one, other in zip(first, second, strict=True):
        ours, theirs = (
            {(span.start, span.end, span.label) for span in document.spans}
            for document in (one, other)
        )
        same += len(ours & theirs)
        either += len(ours | theirs)
    return same, either


def _with_head(network: TokenClassifier, config: TaggerConfig) -> Any:
    """Return the network as transformers' own model of its kind.

    Raises:
        InputError: if that has other layers.
    """
    from transformers import AutoModelForTokenClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    settings = copy.deepcopy(network.encoder.config)
    settings.id2label = dict(enumerate(config.tags))
    settings.label2id = {tag: index for index, tag in enumerate(config.tags)}
    # A transformers-compatible model always has a cased vocabulary.
    assert network.cased_embedding is not None
    table = network.cased_embedding.table(network.encoder.get_input_embeddings())
    settings.vocab_size = len(table)
    model = AutoModelForTokenClassification.from_config(settings)
    weights = dict(network.encoder.state_dict())
    (name,) = (
        name
        for name, parameter in network.encoder.named_parameters()
        if parameter is network.encoder.get_input_embeddings().weight
    )
    try:
        model.base_model.load_state_dict({**weights, name: table})
        model.classifier.load_state_dict(network.classifier.state_dict())
    except (RuntimeError, AttributeError) as error:
        raise InputError(
            f"encoder {settings.model_type}: transformers' token classifier has other layers than "
            "the trained one; it cannot be written as a checkpoint"
        ) from error
    return model.eval()


def _save_tokenizer(run: Path, config: TaggerConfig, folder: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_file(str(run / "model" / "tokenizer.json"))
    special = {
        "unk_token": json.loads(backend.to_str())["model"]["unk_token"],
        "pad_token": backend.id_to_token(config.pad_id),
        "cls_token": backend.id_to_token(config.prefix_ids[0]),
        "sep_token": backend.id_to_token(config.suffix_ids[-1]),
    }
    PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=config.window, **special
    ).save_pretrained(folder)
    # The name under which older versions of transformers know the class too.
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {**settings, "tokenizer_class": "PreTrainedTokenizerFast"})
