"""Preparation of a training from its job: network, tokenizer, windows and teachers."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers import set_seed

from ...corpus.document import Document
from ...errors import InputError
from ..base import TrainingJob
from ..recipe import Recipe
from ..tagger.arrays import Ints
from ..tagger.config import TaggerConfig
from ..tagger.line_wraps import unwrap_lines
from ..tagger.tagger import NeuralTagger
from ..tagger.windows import EncodedText, Window, cut_windows, encode_texts
from ..tagger.words import FEATURE_COUNT, find_words
from ..unlabeled.runs import find_pool_teachers
from ..unlabeled.teachers import PoolTeachers
from .auto_length import AutoLength
from .dataset import (
    Row,
    TeacherScorer,
    TrainingWindows,
    choose_copies,
    encode_documents,
    encode_without_case,
    make_unlabeled_windows,
    make_windows,
)
from .device import autocast_dtype, choose_precision, training_device
from .encoder import encoder_layers, load_encoder, longest_window, special_tokens
from .layers.cased_vocabulary import LINE_BREAKS, CasedVocabulary, make_cased_tokenizer
from .layers.quantization_aware import insert_fake_quantization
from .model_folder import torch_network
from .network import TokenClassifier
from .trained_runs import held_out_texts, load_start, load_teachers


class Preparation:
    """The objects of one training. Creating them loads the encoder and writes nothing.

    Args:
        job: the training job.

    Attributes:
        job: the training job.
        batch_size: windows that this process computes at once.
        precision: the arithmetic of training.
        network: the network, its encoder pretrained.
        tokenizer: a `tokenizers.Tokenizer` without truncation and padding.
        config: labels, windows, special tokens and decoding of the tagger.
        training_config: the same for training windows, which do not overlap.
        encoded: encoded training texts and the tag indices of their words.
        without_case: the same for the texts in lower case and in capitals, if the recipe shows
            some of them so.
        windows: the training windows.
        labeled_windows: number of those that are of labeled documents.
        auto_length: decides the length of the training from the dev scores; None if the recipe
            names the number of epochs.
        teachers: the transformers that teach on the training texts, if the recipe names any.
        teacher_scorer: gives the teachers' log-probabilities for the windows of an epoch. None
            until the training begins, as scoring takes long.
        pool: the unlabeled articles, if there are any.
        pool_teachers: the teachers of these articles.
        pool_is_scored: whether they have scored them.

    Raises:
        InputError: if the recipe's encoder or teachers cannot be used, or the documents have no
            words.
        ModelError: if a teacher is not a finished transformer run.
    """

    def __init__(self, job: TrainingJob) -> None:
        recipe: Recipe = job.recipe
        self.job = job
        self.batch_size = _batch_size_of_process(recipe)
        self.precision = choose_precision(recipe.dtype)
        set_seed(recipe.seed)
        encoder, tokenizer = load_encoder(recipe.encoder, recipe.attention_dropout, recipe.layers)
        _adapt_encoder(encoder, recipe)
        self.config = _make_config(job, encoder, tokenizer)
        self.training_config = dataclasses.replace(self.config, stride=0)
        self.tokenizer, cased_vocabulary = _make_tokenizer(tokenizer, recipe)
        self.network = _make_network(encoder, self.config, recipe, cased_vocabulary)
        if recipe.start_from is not None:
            load_start(self.network, self.tokenizer, Path(recipe.start_from), job)
        self.teachers = load_teachers(job, precision=self.precision)
        self.teacher_scorer: TeacherScorer | None = None
        self.pool = job.data.pool
        self.pool_teachers: PoolTeachers | None = None
        if self.pool is not None:
            self.pool_teachers = find_pool_teachers(
                *(recipe.teachers, job.labels, job.data.guidelines, held_out_texts(job)),
                *(job.load_run, self._cut_windows),
                crf=recipe.crf,
                precision=self.precision,
            )
        self.pool_is_scored = False
        self._train_words = sum(len(find_words(document.text)) for document in job.data.train)
        if training_device().type == "cpu":
            # On CPUs, the backward pass of torch's fused attention is slower than eager attention.
            encoder.set_attn_implementation("eager")
        if recipe.freeze_embeddings:
            encoder.get_input_embeddings().requires_grad_(False)
        self.encoded = encode_documents(
            job.data.train, self.tokenizer, self.training_config, job.gazetteer
        )
        self.without_case: list[list[tuple[EncodedText, Ints]]] = []
        if recipe.case_dropout:
            self.without_case = encode_without_case(
                job.data.train, self.tokenizer, self.training_config, job.gazetteer
            )
        self._outside_ids: list[int] = []
        if recipe.transformers_compatible and self.config.by_line:
            self._outside_ids = list(map(self.tokenizer.token_to_id, LINE_BREAKS))
        self.labeled_windows = 0
        self.windows = TrainingWindows(self._epoch_windows, recipe.batch_size, recipe.seed)
        if not any(len(text.words) for text, _ in self.encoded):
            raise InputError("the training documents have no words to learn from; add text to them")
        self.auto_length = (
            AutoLength(recipe, self.steps_per_epoch) if recipe.epochs == "auto" else None
        )

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch."""
        recipe: Recipe = self.job.recipe
        return math.ceil(len(self.windows) / recipe.batch_size)

    @property
    def epochs(self) -> float:
        """Number of epochs; the highest one if the dev scores decide it."""
        recipe: Recipe = self.job.recipe
        if recipe.epochs == "auto":
            return recipe.max_steps / self.steps_per_epoch
        return recipe.epochs

    def unlabeled_documents(self, epoch: int) -> list[Document]:
        """Return the unlabeled articles of an epoch; [] if there are none."""
        recipe: Recipe = self.job.recipe
        words = round(recipe.unlabeled_ratio * self._train_words)
        return self.pool.select(epoch, words, recipe.seed) if self.pool and words else []

    def all_unlabeled_documents(self) -> list[Document]:
        """Return the unlabeled articles that at least one epoch uses."""
        epochs = range(math.ceil(self.epochs))
        documents = (document for epoch in epochs for document in self.unlabeled_documents(epoch))
        return list({id(document): document for document in documents}.values())

    def tagger(self) -> NeuralTagger:
        """Return a tagger with the current state of the network."""
        return NeuralTagger(
            torch_network(self.network, autocast=autocast_dtype(self.precision)),
            self.tokenizer,
            self.current_config(),
            self.job.gazetteer.find,
            batch_size=32,
        )

    def set_threshold(self, threshold: float) -> None:
        """Set the lowest confidence of mentions."""
        self.config = dataclasses.replace(self.config, threshold=threshold)

    def current_config(self) -> TaggerConfig:
        """Return the configuration with the transitions that the network has learned so far."""
        return dataclasses.replace(self.config, **self.network.crf_parameters())

    def _epoch_windows(self, epoch: int, rng: np.random.Generator) -> list[Row]:
        config, labeled = self.training_config, self.encoded
        if self.without_case:
            share = self.job.recipe.case_dropout
            labeled = choose_copies(labeled, self.without_case, share, rng)
        rows = make_windows(labeled, config, rng, self._outside_ids, self.teacher_scorer)
        self.labeled_windows = len(rows)
        documents = self.unlabeled_documents(epoch)
        if documents:
            texts = encode_documents(documents, self.tokenizer, config, self.job.gazetteer)
            log_probs = None
            if self.pool_is_scored and self.pool_teachers is not None:
                log_probs = self.pool_teachers.log_probs(documents)
            rows += make_unlabeled_windows(
                [text for text, _ in texts], config, self._outside_ids, log_probs
            )
        return rows

    def _cut_windows(self, texts: Sequence[str]) -> list[list[Window]]:
        unwrap = self.training_config.unwrap_lines
        encoded = encode_texts(self.tokenizer, texts, unwrap=unwrap)
        return [cut_windows(text, self.training_config) for text in encoded]


def _batch_size_of_process(recipe: Recipe) -> int:
    """Return how many windows of a step this process computes at once.

    Raises:
        InputError: if the step cannot be divided among the processes and into its parts.
    """
    processes, parts = int(os.environ.get("WORLD_SIZE", "1")), recipe.gradient_accumulation_steps
    if recipe.batch_size % (processes * parts):
        divided = f"among {processes} processes" if processes > 1 else "into parts"
        if parts > 1:
            divided += f" of gradient_accumulation_steps {parts}"
        raise InputError(
            f"batch_size {recipe.batch_size} cannot be divided {divided}; "
            f"set it to a multiple of {processes * parts}"
        )
    return recipe.batch_size // (processes * parts)


def _adapt_encoder(encoder: Any, recipe: Recipe) -> None:
    """Check that an encoder supports the recipe, and change its layers as the recipe asks.

    Raises:
        InputError: if the encoder does not support the recipe's token pruning, or gradient
            checkpointing.
    """
    if recipe.prune_after_layer is not None:
        layers = len(encoder_layers(encoder))
        if recipe.prune_after_layer >= layers:
            raise InputError(
                f"prune_after_layer {recipe.prune_after_layer}: the encoder has {layers} layers; "
                "set prune_after_layer to fewer"
            )
    if recipe.quantization_aware:
        insert_fake_quantization(encoder)
    if recipe.gradient_checkpointing:
        if not encoder.supports_gradient_checkpointing:
            raise InputError(
                f"encoder '{recipe.encoder}' does not support gradient checkpointing; "
                "set gradient_checkpointing to false"
            )
        # Reentrant checkpoints would need embeddings that are trained.
        encoder.gradient_checkpointing_enable({"use_reentrant": False})


def _make_config(job: TrainingJob, encoder: Any, tokenizer: Any) -> TaggerConfig:
    """Return the configuration of the tagger, without learned transitions.

    Raises:
        InputError: if the recipe's window is too long for the encoder.
    """
    recipe: Recipe = job.recipe
    prefix_ids, suffix_ids = special_tokens(tokenizer)
    longest = longest_window(encoder)
    if longest and recipe.window > longest:
        raise InputError(
            f"window {recipe.window} is longer than encoder '{recipe.encoder}' reads; "
            f"set window to at most {longest}"
        )
    return TaggerConfig(
        labels=job.labels.names,
        window=recipe.window,
        stride=recipe.stride,
        prefix_ids=prefix_ids,
        suffix_ids=suffix_ids,
        pad_id=tokenizer.pad_token_id or 0,
        word_features=recipe.word_features,
        gazetteer=bool(job.gazetteer),
        by_line=not _any_span_crosses_lines(job.data.train, unwrap=recipe.unwrap_lines),
        unwrap_lines=recipe.unwrap_lines,
        transformers_compatible=recipe.transformers_compatible,
        # The token-classification pipeline of transformers cannot apply them.
        span_constraints=None if recipe.transformers_compatible else job.span_constraints,
    )


def _any_span_crosses_lines(documents: Sequence[Document], *, unwrap: bool) -> bool:
    texts = (unwrap_lines(d.text) if unwrap else d.text for d in documents)
    return any(
        not {"\n", "\r"}.isdisjoint(text[span.start : span.end])
        for text, document in zip(texts, documents, strict=True)
        for span in document.spans
    )


def _make_tokenizer(tokenizer: Any, recipe: Recipe) -> tuple[Any, CasedVocabulary | None]:
    """Return a `tokenizers.Tokenizer`, and its cased vocabulary if the recipe needs one.

    Raises:
        InputError: if the recipe needs a cased vocabulary and the tokenizer cannot have one.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    if recipe.transformers_compatible:
        return make_cased_tokenizer(backend, recipe.encoder)
    return backend, None


def _make_network(
    encoder: Any, config: TaggerConfig, recipe: Recipe, cased_vocabulary: CasedVocabulary | None
) -> TokenClassifier:
    return TokenClassifier(
        encoder,
        tags=len(config.tags),
        features=FEATURE_COUNT,
        word_features=config.word_features,
        gazetteer=config.gazetteer,
        crf=recipe.crf,
        by_line=config.by_line,
        cased_vocabulary=cased_vocabulary,
        prune_after_layer=recipe.prune_after_layer,
        prune_threshold=recipe.prune_threshold,
        dropout=recipe.dropout,
        gazetteer_dropout=recipe.gazetteer_dropout,
    )
