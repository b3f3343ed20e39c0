"""The convolutional baseline: spaCy's entity recognizer.

RUN/model/   a spaCy pipeline, as `nlp.to_disk` writes it
"""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, trim_span
from ...errors import ModelError, first_line
from ...ui import Progress
from ..base import TrainingJob
from ..data import TrainingData
from ..tagger.mentions import Mention
from ..tagger.span_constraints import SpanConstraints
from ..tagging import score_dev

_ESTIMATE_DOCUMENTS = 16


class CnnTrainer:
    """Trains spaCy's entity recognizer, configured as by `spacy init config -o efficiency`.

    See https://spacy.io/usage/training and :class:`orbat.training.base.Trainer`. spaCy splits texts
    into other tokens: gold spans that begin or end inside a token are expanded to the whole token.

    Args:
        job: the training job.
    """

    def __init__(self, job: TrainingJob) -> None:
        from spacy.cli.init_config import init_config

        self._job = job
        recipe = job.recipe
        self._config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", gpu=False)
        self._config["training"].update(
            seed=recipe.seed, max_steps=recipe.steps, eval_frequency=recipe.eval_every
        )

    def fit(self) -> dict[str, Any]:
        """Train with spaCy's training loop and write the model with the best dev score."""
        from spacy.training.loop import train

        job, checkpoints = self._job, self._job.output / "checkpoints"
        checkpoints.mkdir(parents=True, exist_ok=True)
        history: list[dict[str, float]] = []
        nlp = self._pipeline(job.data, history)
        ignored = io.StringIO()
        train(nlp, checkpoints, stdout=ignored, stderr=ignored)
        folder = job.output / "model"
        shutil.rmtree(folder, ignore_errors=True)
        (checkpoints / "model-best").rename(folder)
        shutil.rmtree(checkpoints)
        # An empty file with the suffix of pickles, which are refused.
        (folder / "vocab" / "lookups.bin").unlink(missing_ok=True)
        tagger = load_cnn(folder, job.labels.names, job.span_constraints)
        dev = score_dev(tagger, job.data.dev)
        return {"dev": dev, "epochs": history}

    def estimate(self) -> dict[str, str]:
        """Return the number of steps, and the time estimated from one step on a few documents."""
        recipe, documents = self._job.recipe, self._job.data.train[:_ESTIMATE_DOCUMENTS]
        nlp = self._pipeline(TrainingData(documents, documents), [])
        examples = [_example(nlp, document) for document in documents]
        start = time.perf_counter()
        nlp.update(examples)
        seconds = time.perf_counter() - start
        # spaCy increases the batch size up to this number of words.
        max_batch_words = self._config["training"]["batcher"]["size"]["stop"]
        minutes = recipe.steps * seconds / sum(map(len, examples)) * max_batch_words / 60
        return {
            "steps": f"at most {recipe.steps:,}, evaluated on dev every {recipe.eval_every}",
            "time": f"up to {minutes:.1f} min on this machine without the evaluations "
            f"(measured on {len(examples)} documents)",
        }

    def _pipeline(self, data: TrainingData, history: list[dict[str, float]]) -> Any:
        """Return an initialized pipeline that reads the data and appends scores to `history`."""
        from spacy.training.initialize import init_nlp
        from spacy.util import registry

        job = self._job

        def make_reader(part: str) -> Callable[[Any], list[Any]]:
            return lambda nlp: [_example(nlp, document) for document in getattr(data, part)]

        def make_logger() -> Callable[..., tuple[Callable[[Any], None], Callable[[], None]]]:
            def log(info: dict[str, Any] | None) -> None:
                if info is not None:
                    f1 = info["other_scores"].get("ents_f") or 0.0
                    history.append({"step": info["step"], "f1": round(f1, 4)})
                    job.on_progress(
                        Progress("Training", info["step"], job.recipe.steps, {"f1": f1})
                    )

            return lambda nlp, stdout, stderr: (log, lambda: None)

        registry.readers("orbat.documents", func=make_reader)
        registry.loggers("orbat.logger", func=make_logger)
        for part in ("train", "dev"):
            self._config["corpora"][part] = {"@readers": "orbat.documents", "part": part}
        self._config["training"]["logger"] = {"@loggers": "orbat.logger"}
        return init_nlp(self._config)


class SpacyTagger:
    """Tags texts with a spaCy pipeline. See :class:`orbat.training.base.TextTagger`.

    spaCy's entity recognizer gives no confidence: the score of every mention is None.

    Args:
        nlp: the pipeline.
        labels: the label names.
        constraints: makes mentions valid; None to keep them as predicted.
    """

    def __init__(
        self, nlp: Any, labels: tuple[str, ...], constraints: SpanConstraints | None
    ) -> None:
        self.labels = labels
        self._nlp = nlp
        self._constraints = constraints

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order."""
        for doc in self._nlp.pipe(texts):
            found = (_mention(entity) for entity in doc.ents)
            mentions = [mention for mention in found if mention is not None]
            if self._constraints is not None:
                mentions = self._constraints.apply(doc.text, mentions)
            yield mentions


def _mention(entity: Any) -> Mention | None:
    """Return an entity without surrounding white space, which spaCy may include; None if empty."""
    start, end = trim_span(entity.doc.text, entity.start_char, entity.end_char)
    return Mention(start, end, entity.label_, None) if start < end else None


def load_cnn(
    folder: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> SpacyTagger:
    """Load the pipeline of a run's model folder; see :class:`SpacyTagger`.

    Raises:
        ModelError: if a file is missing or broken.
    """
    import spacy

    try:
        return SpacyTagger(spacy.load(folder), labels, constraints)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{folder}: the model cannot be loaded ({first_line(error)}); train again"
        ) from error


def _example(nlp: Any, document: Document) -> Any:
    """Return a document as a spaCy Example."""
    from spacy.training import Example
    from spacy.util import filter_spans

    predicted, reference = nlp.make_doc(document.text), nlp.make_doc(document.text)
    spans = (
        reference.char_span(s.start, s.end, s.label, alignment_mode="expand")
        for s in document.spans
    )
    # Expanded spans may overlap.
    reference.ents = filter_spans([span for span in spans if span is not None])
    return Example(predicted, reference)
