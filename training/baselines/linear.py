"""The linear baseline: logistic regression of word features by scikit-learn."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...corpus.document import Document
from ...corpus.files import write_json
from ...errors import InputError, ModelError
from ...ui import Progress
from ..base import TrainingJob
from ..data import TrainingData
from ..run_folder import GAZETTEER, read_json
from ..tagger.arrays import Floats, Ints
from ..tagger.decoding import TagDecoder, label_probabilities
from ..tagger.gazetteer import Gazetteer
from ..tagger.mentions import Mention, spans_to_tags, tag_names, tags_to_mentions
from ..tagger.words import find_features, find_words
from ..tagging import score_dev

_LONGEST_AFFIX = 4


class LinearTrainer:
    """A linear classifier about to be trained.

    Each word is described by itself, its shape, its affixes, what the gazetteer says of it, and
    the same of its neighbours; the features are hashed (Weinberger et al. 2009).

    Args:
        job: what to train, on what, and where to.

    Raises:
        InputError: if the documents hold no word.
    """

    def __init__(self, job: TrainingJob) -> None:
        self._job = job
        self._tags = tag_names(job.labels.names)
        if not any(len(find_words(document.text)) for document in job.data.train):
            raise InputError("the training documents hold no word to learn from; add text to them")

    def fit(self) -> dict[str, Any]:
        """Train by stochastic gradient descent and write the pass with the best dev F1."""
        tagger, metrics = self._run(self._job, self._job.recipe.epochs)
        tagger.save(self._job.output / "model")
        return metrics

    def _run(self, job: TrainingJob, epochs: int) -> tuple[LinearTagger, dict[str, Any]]:
        from sklearn.linear_model import SGDClassifier

        recipe = job.recipe
        features = _Features(recipe.context, recipe.features, job.gazetteer, self._tags)
        tagger = LinearTagger(features, job.labels.names)
        rows = features.of_texts([document.text for document in job.data.train])
        tags = np.concatenate([self._tags_of(document) for document in job.data.train])
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
            job.on_progress(Progress("Training", epoch, epochs, {"f1": f1}))
            if f1 > best[0]:
                best = (f1, scores, tagger.weights, tagger.bias)
        _, scores, tagger.weights, tagger.bias = best
        return tagger, {"dev": scores, "epochs": history, "training_words": len(tags)}

    def estimate(self) -> dict[str, str]:
        """Return the size of the task, and its time by trying one pass over a few documents."""
        job, recipe = self._job, self._job.recipe
        words = sum(len(find_words(document.text)) for document in job.data.train)
        few = TrainingData(job.data.train[:8], job.data.dev[:8])
        seconds = {}
        for epochs in (1, 2):
            began = time.perf_counter()
            self._run(dataclasses.replace(job, data=few), epochs)
            seconds[epochs] = time.perf_counter() - began
        once, again = seconds[1] / len(few.train), (seconds[2] - seconds[1]) / len(few.train)
        minutes = (once + max(again, 0) * (recipe.epochs - 1)) * len(job.data.train) / 60
        return {
            "weights": f"{recipe.features * len(self._tags):,}",
            "training words": f"{words:,}, {recipe.epochs} times",
            "time": f"about {minutes:.1f} min here (tried on {len(few.train)} documents)",
        }

    def _tags_of(self, document: Document) -> Any:
        spans = [(span.start, span.end, span.label) for span in document.spans]
        return spans_to_tags(find_words(document.text), spans, self._tags)


class _Features:
    """Turns words into rows of a sparse matrix.

    Args:
        context: words on each side whose features are given too.
        size: columns of the matrix.
        gazetteer: finds known phrases.
        tags: the tags that they are told as.
    """

    def __init__(self, context: int, size: int, gazetteer: Gazetteer, tags: Sequence[str]) -> None:
        from sklearn.feature_extraction import FeatureHasher

        self.context, self.size, self.gazetteer, self.tags = context, size, gazetteer, tags
        self._hasher = FeatureHasher(size, input_type="string", alternate_sign=False)

    def of_texts(self, texts: Iterable[str]) -> Any:
        """Return the features of all words of some texts, *Shape:* (words, size), sparse."""
        return self._hasher.transform(row for text in texts for row in self._rows(text))

    def _rows(self, text: str) -> Iterator[list[str]]:
        words = find_words(text)
        bounds = words.tolist()
        known = spans_to_tags(words, self.gazetteer.find(text, bounds), self.tags).tolist()
        shapes = find_features(text, words).tolist()
        own = []
        for (start, stop), shape, tag in zip(bounds, shapes, known, strict=True):
            lower = text[start:stop].lower()
            own.append(
                [f"w={lower}", f"s={shape}", f"g={tag}"]
                + [f"p={lower[:n]}" for n in range(1, _LONGEST_AFFIX + 1)]
                + [f"x={lower[-n:]}" for n in range(1, _LONGEST_AFFIX + 1)]
            )
        for place in range(len(own)):
            row = list(own[place])
            for step in range(1, self.context + 1):
                for side in (-step, step):
                    near = place + side
                    there = own[near] if 0 <= near < len(own) else ["none"]
                    row += [f"{side}{feature}" for feature in there]
            if place > 0:
                row.append(f"{own[place - 1][0]} {own[place][0]}")
            yield row


class LinearTagger:
    """Tags texts by the weights of word features.

    Args:
        features: describes words.
        labels: the label names.
        weights: *Shape:* (tags, features).
        bias: *Shape:* (tags,).
    """

    def __init__(
        self,
        features: _Features,
        labels: tuple[str, ...],
        weights: Floats | None = None,
        bias: Floats | None = None,
    ) -> None:
        tags = len(tag_names(labels))
        self.labels = labels
        self._features = features
        self._decoder = TagDecoder(tags)
        self.weights = np.zeros((tags, features.size), np.float32) if weights is None else weights
        self.bias = np.zeros(tags, np.float32) if bias is None else bias

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Tag a stream of texts."""
        for words, logits in self._scores(texts):
            if len(words) == 0:
                yield []
                continue
            path, log_probs = self._decoder.decode(logits, [0, len(words)])
            yield tags_to_mentions(words, path, log_probs, self.labels)

    def probabilities(self, texts: Iterable[str]) -> Iterator[tuple[Ints, NDArray[np.float64]]]:
        """Yield the words of each text, and their probabilities of no label and of each label."""
        for words, logits in self._scores(texts):
            marginals = np.empty(logits.shape)
            if len(words):
                marginals = self._decoder.marginals(logits, [0, len(words)])
            yield words, label_probabilities(marginals)

    def _scores(self, texts: Iterable[str]) -> Iterator[tuple[Ints, Floats]]:
        weights = np.ascontiguousarray(self.weights.T)
        for text in texts:
            words = find_words(text)
            logits = np.empty((0, len(self.bias)), np.float32)
            if len(words):
                logits = (self._features.of_texts([text]) @ weights + self.bias).astype(np.float32)
            yield words, logits

    def save(self, folder: Path) -> None:
        """Write weights, gazetteer and configuration."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        save_file({"weights": self.weights, "bias": self.bias}, folder / "model.safetensors")
        features = self._features
        (folder / GAZETTEER).write_bytes(features.gazetteer.to_bytes())
        write_json(
            folder / "features.json", {"context": features.context, "features": features.size}
        )


def load_linear(folder: Path, labels: tuple[str, ...]) -> LinearTagger:
    """Load the classifier of a run's model folder.

    Raises:
        ModelError: if a file is missing or broken.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    settings = read_json(folder / "features.json")
    try:
        weights = load_file(folder / "model.safetensors")
        gazetteer = Gazetteer.from_bytes((folder / GAZETTEER).read_bytes())
        features = _Features(
            settings["context"], settings["features"], gazetteer, tag_names(labels)
        )
        return LinearTagger(features, labels, weights["weights"], weights["bias"])
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(f"{folder}: the model cannot be loaded ({error}); train again") from error
