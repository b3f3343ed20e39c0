"""The convolutional baseline: spaCy's own recogniser."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, trim
from ...errors import ModelError
from ...ui import Progress
from ..base import TrainingJob
from ..data import TrainingData
from ..tagger.mentions import Mention
from ..tagging import score_dev

_TRIED = 16


class CnnTrainer:
    """spaCy's entity recogniser on its tok2vec, as `spacy init config -o efficiency` sets it.

    See https://spacy.io/usage/training. spaCy cuts texts into tokens of its own; gold spans that
    end within a token are moved to its ends.

    Args:
        job: what to train, on what, and where to.
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
        """Train by spaCy's own loop and write the model with its best dev score."""
        from spacy.training.loop import train

        job, checkpoints = self._job, self._job.output / "checkpoints"
        checkpoints.mkdir(parents=True, exist_ok=True)
        history: list[dict[str, float]] = []
        nlp = self._pipeline(job.data, history)
        screen = io.StringIO()
        train(nlp, checkpoints, stdout=screen, stderr=screen)
        folder = job.output / "model"
        shutil.rmtree(folder, ignore_errors=True)
        (checkpoints / "model-best").rename(folder)
        shutil.rmtree(checkpoints)
        # It is empty, and its name says pickle.
        (folder / "vocab" / "lookups.bin").unlink(missing_ok=True)
        dev = score_dev(load_cnn(folder, job.labels.names), job.data.dev)
        return {"dev": dev, "epochs": history}

    def estimate(self) -> dict[str, str]:
        """Return the size of the task, and its time by trying one step."""
        recipe, documents = self._job.recipe, self._job.data.train[:_TRIED]
        nlp = self._pipeline(TrainingData(documents, documents), [])
        examples = [_example(nlp, document) for document in documents]
        began = time.perf_counter()
        nlp.update(examples)
        seconds = time.perf_counter() - began
        # A batch grows to this many words, by spaCy's configuration.
        most = self._config["training"]["batcher"]["size"]["stop"]
        minutes = recipe.steps * seconds / sum(map(len, examples)) * most / 60
        return {
            "steps": f"at most {recipe.steps:,}, a look at dev after every {recipe.eval_every}",
            "time": f"up to {minutes:.1f} min here, looks at dev aside "
            f"(tried on {len(examples)} documents)",
        }

    def _pipeline(self, data: TrainingData, history: list[dict[str, float]]) -> Any:
        """Return an initialised pipeline that reads the documents and writes down its scores."""
        from spacy.training.initialize import init_nlp
        from spacy.util import registry

        job = self._job

        def documents(part: str) -> Callable[[Any], list[Any]]:
            return lambda nlp: [_example(nlp, each) for each in getattr(data, part)]

        def reporter() -> Callable[..., tuple[Callable[[Any], None], Callable[[], None]]]:
            def log(info: dict[str, Any] | None) -> None:
                if info is not None:
                    f1 = info["other_scores"].get("ents_f") or 0.0
                    history.append({"step": info["step"], "f1": round(f1, 4)})
                    job.on_progress(
                        Progress("Training", info["step"], job.recipe.steps, {"f1": f1})
                    )

            return lambda nlp, stdout, stderr: (log, lambda: None)

        registry.readers("orbat.documents", func=documents)
        registry.loggers("orbat.reporter", func=reporter)
        for part in ("train", "dev"):
            self._config["corpora"][part] = {"@readers": "orbat.documents", "part": part}
        self._config["training"]["logger"] = {"@loggers": "orbat.reporter"}
        return init_nlp(self._config)


class _CnnTagger:
    def __init__(self, nlp: Any, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._nlp = nlp

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Tag a stream of texts; spaCy's recogniser gives no confidence."""
        for doc in self._nlp.pipe(texts):
            yield [mention for entity in doc.ents if (mention := _mention(entity)) is not None]


def _mention(entity: Any) -> Mention | None:
    """Cut the white space off an entity, which spaCy has tokens for."""
    start, end = trim(entity.doc.text, entity.start_char, entity.end_char)
    return Mention(start, end, entity.label_, None) if start < end else None


def load_cnn(folder: Path, labels: tuple[str, ...]) -> _CnnTagger:
    """Load the pipeline of a run's model folder.

    Raises:
        ModelError: if a file is missing or broken.
    """
    import spacy

    try:
        return _CnnTagger(spacy.load(folder), labels)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"{folder}: the model cannot be loaded ({reason}); train again") from error


def _example(nlp: Any, document: Document) -> Any:
    from spacy.training import Example
    from spacy.util import filter_spans

    predicted, reference = nlp.make_doc(document.text), nlp.make_doc(document.text)
    spans = (
        reference.char_span(s.start, s.end, s.label, alignment_mode="expand")
        for s in document.spans
    )
    # Expanding may make two of them meet.
    reference.ents = filter_spans([span for span in spans if span is not None])
    return Example(predicted, reference)
