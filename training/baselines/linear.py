"""The linear baseline: logistic regression on word features, trained with scikit-learn.

RUN/model/model.safetensors   weights, (tags, features), and bias, (tags,)
RUN/model/features.json       settings of the word features
RUN/model/gazetteer.json      phrases and patterns
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...corpus.document import Document
from ...corpus.files import write_json
from ...corpus.output.atomic import open_folder_atomic
from ...errors import InputError, ModelError
from ...ui import Progress
from ..base import TrainingJob
from ..data import TrainingData
from ..run_folder import GAZETTEER_FILE, read_json
from ..tagger.arrays import Doubles, Floats, Ints
from ..tagger.decoding import TagDecoder, label_probabilities
from ..tagger.gazetteer import Gazetteer
from ..tagger.mentions import Mention, spans_to_tags, tag_names, tags_to_mentions
from ..tagger.span_constraints import SpanConstraints
from ..tagger.words import find_words
from ..tagging import score_dev
from .word_features import WordFeatures

_ESTIMATE_DOCUMENTS = 8


class LinearTrainer:
    """Trains a linear classifier of words. See :class:`orbat.training.base.Trainer`.

    Args:
        job: the training job.

    Raises:
        InputError: if the training documents contain no word.
    """

    def __init__(self, job: TrainingJob) -> None:
        self._job = job
        self._tags = tag_names(job.labels.names)
        if not any(len(find_words(document.text)) for document in job.data.train):
            raise InputError("the training documents have no words to learn from; add text to them")

    def fit(self) -> dict[str, Any]:
        """Train by stochastic gradient descent and write the model of the best epoch on dev."""
        tagger, metrics = self._fit(self._job, self._job.recipe.epochs)
        tagger.save(self._job.output / "model")
        return metrics

    def score(self) -> dict[str, Any]:
        """Train, write nothing, and return the scores of the best epoch on the dev documents."""
        _, metrics = self._fit(self._job, self._job.recipe.epochs)
        scores: dict[str, Any] = metrics["dev"]
        return scores

    def _fit(self, job: TrainingJob, epochs: int) -> tuple[LinearTagger, dict[str, Any]]:
        from sklearn.linear_model import SGDClassifier

        recipe = job.recipe
        features = WordFeatures(recipe.context, recipe.features, job.gazetteer, self._tags)
        tagger = LinearTagger(features, job.labels.names, constraints=job.span_constraints)
        rows = features.transform([document.text for document in job.data.train])
        tags = np.concatenate([self._gold_tags(document) for document in job.data.train])
        classifier = SGDClassifier(
            loss="log_loss", alpha=recipe.penalty, average=True, random_state=recipe.seed
        )
        rng = np.random.default_rng(recipe.seed)
        classes = np.arange(len(self._tags))
        best: tuple[float, dict[str, Any], Floats, Floats]
        best = (-1.0, {}, tagger.weights, tagger.bias)
        history = []
        for epoch in range(1, epochs + 1):
            order = rng.permutation(len(tags))
            classifier.partial_fit(rows[order], tags[order], classes=classes)
            tagger.weights = classifier.coef_.astype(np.float32)
            tagger.bias = classifier.intercept_.astype(np.float32)
            scores = score_dev(tagger, job.data.dev)
            f1 = scores["f1"] or 0.0
            history.append({"epoch": epoch, "f1": f1})
            metrics = {name: scores[name] or 0.0 for name in ("precision", "recall", "f1")}
            job.on_progress(Progress("Training", epoch, epochs, {**metrics, "epoch": epoch}))
            if f1 > best[0]:
                best = (f1, scores, tagger.weights, tagger.bias)
        _, scores, tagger.weights, tagger.bias = best
        return tagger, {"dev": scores, "epochs": history, "training_words": len(tags)}

    def estimate(self) -> dict[str, str]:
        """Return the size of the task, and the time estimated from training on a few documents."""
        job, recipe = self._job, self._job.recipe
        words = sum(len(find_words(document.text)) for document in job.data.train)
        sample = TrainingData(
            job.data.train[:_ESTIMATE_DOCUMENTS], job.data.dev[:_ESTIMATE_DOCUMENTS]
        )
        seconds = {}
        for epochs in (1, 2):
            start = time.perf_counter()
            self._fit(dataclasses.replace(job, data=sample), epochs)
            seconds[epochs] = time.perf_counter() - start
        first = seconds[1] / len(sample.train)
        further = max((seconds[2] - seconds[1]) / len(sample.train), 0)
        minutes = (first + further * (recipe.epochs - 1)) * len(job.data.train) / 60
        return {
            "weights": f"{recipe.features * len(self._tags):,}",
            "training words": f"{words:,}, {recipe.epochs} times",
            "time": f"about {minutes:.1f} min on this machine "
            f"(measured on {len(sample.train)} documents)",
        }

    def _gold_tags(self, document: Document) -> Ints:
        spans = [(span.start, span.end, span.label) for span in document.spans]
        return spans_to_tags(find_words(document.text), spans, self._tags)


class LinearTagger:
    """Tags texts with a linear classifier of words. See :class:`orbat.training.base.TextTagger`.

    Args:
        features: extracts the features of words.
        labels: the label names.
        weights: *Shape:* (tags, features). Zeros by default.
        bias: *Shape:* (tags,). Zeros by default.
        constraints: makes mentions valid; None to keep them as decoded.
    """

    def __init__(
        self,
        features: WordFeatures,
        labels: tuple[str, ...],
        weights: Floats | None = None,
        bias: Floats | None = None,
        *,
        constraints: SpanConstraints | None = None,
    ) -> None:
        tags = len(tag_names(labels))
        self.labels = labels
        self._features = features
        self._decoder = TagDecoder(tags)
        self._constraints = constraints
        self.weights = np.zeros((tags, features.size), np.float32) if weights is None else weights
        self.bias = np.zeros(tags, np.float32) if bias is None else bias

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order."""
        sources, again = itertools.tee(texts)
        for text, (words, logits) in zip(sources, self._scores(again), strict=True):
            if len(words) == 0:
                yield []
                continue
            path, log_probs = self._decoder.decode(logits, [0, len(words)])
            mentions = tags_to_mentions(words, path, log_probs, self.labels)
            if self._constraints is not None:
                mentions = self._constraints.apply(text, mentions)
            yield mentions

    def probabilities(self, texts: Iterable[str]) -> Iterator[tuple[Ints, Doubles]]:
        """Yield the words of each text, and their probabilities of no label and of each label.

        *Shapes:* (words, 2), (words, 1 + labels).
        """
        for words, logits in self._scores(texts):
            marginals = np.empty(logits.shape)
            if len(words):
                marginals = self._decoder.marginals(logits, [0, len(words)])
            yield words, label_probabilities(marginals)

    def _scores(self, texts: Iterable[str]) -> Iterator[tuple[Ints, Floats]]:
        """Yield words, *Shape:* (words, 2), and logits, *Shape:* (words, tags), of each text."""
        weights = np.ascontiguousarray(self.weights.T)
        for text in texts:
            words = find_words(text)
            logits = np.empty((0, len(self.bias)), np.float32)
            if len(words):
                logits = (self._features.transform([text]) @ weights + self.bias).astype(np.float32)
            yield words, logits

    def save(self, folder: Path) -> None:
        """Write weights, gazetteer and feature settings; an existing folder is replaced."""
        from safetensors.numpy import save_file

        features = self._features
        settings = {"context": features.context, "features": features.size}
        with open_folder_atomic(folder, replace=True) as draft:
            save_file({"weights": self.weights, "bias": self.bias}, draft / "model.safetensors")
            (draft / GAZETTEER_FILE).write_bytes(features.gazetteer.to_bytes())
            write_json(draft / "features.json", settings)


def load_linear(
    folder: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> LinearTagger:
    """Load the classifier of a run's model folder; see :class:`LinearTagger`.

    Raises:
        ModelError: if a file is missing or broken.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    settings = read_json(folder / "features.json")
    try:
        weights = load_file(folder / "model.safetensors")
        gazetteer = Gazetteer.from_bytes((folder / GAZETTEER_FILE).read_bytes())
        features = WordFeatures(
            settings["context"], settings["features"], gazetteer, tag_names(labels)
        )
        return LinearTagger(
            features, labels, weights["weights"], weights["bias"], constraints=constraints
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(f"{folder}: the model cannot be loaded ({error}); train again") from error
