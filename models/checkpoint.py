"""Writing a run as a transformers checkpoint that needs no other code.

`transformers.pipeline("token-classification")` labels each word by the best tag of its first token,
independently of the other words, and joins adjacent words of one entity. Only a model that consists
of an encoder and a classifier can be written in this form: no gazetteer, no word features and no
CRF. The recipe `transformers` trains such models. They keep case in their vocabulary; see
:mod:`orbat.training.transformer.layers.cased_vocabulary`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpus.document import Document, Span
from ..corpus.files import sha256_file, write_json, write_text
from ..corpus.output.atomic import open_folder_atomic
from ..errors import InputError, ModelError
from ..evaluation.counts import total_counts
from ..training.run_folder import HASHES_FILE, MANIFEST_FILE, read_manifest, run_documents
from ..training.tagger.config import TaggerConfig
from ..training.tagging import tag_documents
from ..training.transformer.model_folder import load_network, load_tagger, read_tagger_config
from .cards.checkpoint_card import PipelineAgreement, checkpoint_card
from .cards.dev_scores import DevScores, measure_dev_scores
from .cards.sections import CardData
from .model import read_evaluations
from .package_info import PackageInfo, run_package_info

if TYPE_CHECKING:
    from ..training.transformer.network import TokenClassifier

MIN_AGREEMENT = 0.995
"""Share of the spans on which transformers' pipeline and the other form of a model must agree."""


@dataclass(frozen=True)
class Checkpoint:
    """The result of :func:`write_checkpoint`.

    Attributes:
        folder: the checkpoint.
        agreement: how well transformers' pipeline reproduces the trained model with it.
    """

    folder: Path
    agreement: PipelineAgreement


def check_exportable(run: Path) -> None:
    """Check that a run can be written as a transformers checkpoint.

    Raises:
        InputError: if the run contains a pickle.
        ModelError: if the run cannot be used, or the format cannot represent its model.
    """
    _load_transformers_model(run)


def check_replaceable(folder: Path) -> None:
    """Refuse to replace a folder, unless it is a checkpoint as :func:`write_checkpoint` left it.

    Args:
        folder: the checkpoint that will be written. It may be missing or empty.

    Raises:
        InputError: if it holds anything else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        written = json.loads((folder / HASHES_FILE).read_bytes())
        if written == _hash_files(folder):
            return
    except (OSError, ValueError):
        pass
    raise InputError(
        f"{folder}: would be replaced, but is not a checkpoint as this version of orbat package "
        "wrote it; move it away, or name another --output"
    )


def _hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a checkpoint, by its path in the folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
    hashes.pop(HASHES_FILE, None)
    return hashes


def write_checkpoint(run: Path, folder: Path, info: PackageInfo | None = None) -> Checkpoint:
    """Write a run as a transformers checkpoint, and test it with transformers' own pipeline.

    An earlier checkpoint is replaced only after the new one has been written and tested.

    Args:
        run: a finished run folder.
        folder: the checkpoint to write: weights, tokenizer, model card (`README.md`), manifest and
            hashes. It may hold an earlier one; see :func:`check_replaceable`.
        info: what the card says of the model; None for :func:`~.package_info.run_package_info`.

    Raises:
        InputError: if the run contains a pickle, or the folder cannot be written or replaced.
        ModelError: if the run cannot be used or one of its files was changed, the format cannot
            represent its model, or the pipeline finds other spans.
    """
    run, folder = Path(run), Path(folder)
    check_replaceable(folder)
    model = _load_transformers_model(run)
    manifest = read_manifest(run)
    with open_folder_atomic(folder, replace=True) as draft:
        model.save_pretrained(draft)
        _save_tokenizer(run, read_tagger_config(run / "model"), draft)
        agreement, dev_scores = _compare_with_run(run, draft)
        data = CardData(info or run_package_info(run), manifest, read_evaluations(run), dev_scores)
        write_text(draft / "README.md", checkpoint_card(data, agreement))
        weights = {"sha256": sha256_file(run / "model" / "model.safetensors")}
        write_json(draft / MANIFEST_FILE, {**manifest, "weights": weights})
        write_json(draft / HASHES_FILE, _hash_files(draft))
    return Checkpoint(folder, agreement)


def _compare_with_run(run: Path, checkpoint: Path) -> tuple[PipelineAgreement, DevScores]:
    """Tag the dev documents with transformers' pipeline and with the trained model.

    Returns:
        The agreement of the two, and the scores of the pipeline.

    Raises:
        ModelError: if they agree on too few spans.
    """
    config = read_tagger_config(run / "model")
    dev = run_documents(run, "dev")
    tag = _pipeline_tagger(checkpoint, config.stride)
    tagged = list(tag(dev))
    trained_tagged = list(tag_documents(load_tagger(run), dev))
    common, union = count_common(trained_tagged, tagged)
    if common < MIN_AGREEMENT * union:
        raise ModelError(
            f"{run}: transformers' pipeline and the trained model agree on only {common} of "
            f"{union} spans in the dev documents; this encoder cannot be written as a checkpoint"
        )
    dev_scores = measure_dev_scores(dev, tag, config.labels, tagged=tagged)
    trained_counts, _ = total_counts(zip(dev, trained_tagged, strict=True))
    agreement = PipelineAgreement(
        window=config.window,
        stride=config.stride,
        common=common,
        union=union,
        f1=dev_scores.tidy["micro"]["f1"],
        trained_f1=trained_counts.f1,
    )
    return agreement, dev_scores


def _load_transformers_model(run: Path) -> Any:
    """Return a run's network as a transformers token classification model.

    Raises:
        InputError: if the run contains a pickle.
        ModelError: if the run cannot be used, or the format cannot represent its model.
    """
    network, config = load_network(run)
    if not config.transformers_compatible:
        raise ModelError(
            f"{run}: a transformers checkpoint cannot represent all parts of this model; train "
            "one with the recipe transformers, with this run as its teacher"
        )
    return _to_transformers(network, config)


def _to_transformers(network: TokenClassifier, config: TaggerConfig) -> Any:
    """Copy a network's weights into transformers' token classification model of its architecture.

    Raises:
        ModelError: if that model has other layers.
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
        raise ModelError(
            f"encoder {settings.model_type}: transformers' token classifier has other layers than "
            "the trained one; it cannot be written as a checkpoint"
        ) from error
    return model.eval()


def _save_tokenizer(run: Path, config: TaggerConfig, folder: Path) -> None:
    """Write a run's tokenizer in the format of transformers."""
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
    # Under this name, older versions of transformers find the class too.
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {**settings, "tokenizer_class": "PreTrainedTokenizerFast"})


def _pipeline_tagger(
    folder: Path, stride: int
) -> Callable[[Iterable[Document]], Iterator[Document]]:
    """Return a function that tags documents with transformers' pipeline.

    Args:
        folder: the checkpoint.
        stride: tokens that neighboring windows share.
    """
    from transformers import pipeline
    from transformers.utils import logging

    logging.disable_progress_bar()
    ner = pipeline(
        "token-classification", model=str(folder), aggregation_strategy="first", stride=stride
    )

    def tag(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            yield document.with_spans(
                Span(entity["start"], entity["end"], entity["entity_group"])
                for entity in ner(document.text)
            )

    return tag


def count_common(first: Iterable[Document], second: Iterable[Document]) -> tuple[int, int]:
    """Return the sizes of the intersection and the union of the spans in two sets of documents."""
    common = union = 0
    for left, right in zip(first, second, strict=True):
        common += len(set(left.spans) & set(right.spans))
        union += len(set(left.spans) | set(right.spans))
    return common, union
