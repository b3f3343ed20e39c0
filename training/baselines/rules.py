"""The rules baseline: the phrases and token patterns of a gazetteer, without training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.gazetteer import gazetteer_files
from ...corpus.output.atomic import open_folder_atomic
from ...errors import InputError, ModelError
from ..base import TrainingJob
from ..gazetteer import load_gazetteer, recipe_gazetteer_path
from ..run_folder import GAZETTEER_FILE
from ..tagger.gazetteer import Gazetteer
from ..tagger.mentions import Mention
from ..tagger.span_constraints import SpanConstraints
from ..tagger.words import find_words
from ..tagging import mentions_to_spans, score_dev, tag_documents


class RuleTagger:
    """Tags texts and documents with a gazetteer; of overlapping matches the longest is kept.

    Rules give no confidence: the score of every mention is None.

    Args:
        gazetteer: finds phrases and patterns.
        labels: the labels that the tagger can predict.
        constraints: makes mentions valid; None to keep all matches as they are.
    """

    def __init__(
        self,
        gazetteer: Gazetteer,
        labels: Iterable[str],
        constraints: SpanConstraints | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self._gazetteer = gazetteer
        self._constraints = constraints

    @classmethod
    def from_file(cls, path: Path | None, labels: Iterable[str]) -> RuleTagger:
        """Make a tagger from a gazetteer file.

        Args:
            path: a TOML file; None for the gazetteer that ships with orbat.
            labels: phrases and patterns of other labels are skipped.

        Raises:
            InputError: if a file of the gazetteer is missing or broken.
        """
        labels = tuple(labels)
        return cls(load_gazetteer(path, labels), labels)

    def find(self, text: str) -> list[Span]:
        """Return the spans of a text, without overlaps, in order."""
        return mentions_to_spans(next(self.pipe([text])))

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order."""
        for text in texts:
            matches = self._gazetteer.find(text, find_words(text).tolist())
            mentions = [Mention(*match, None) for match in matches]
            if self._constraints is not None:
                mentions = self._constraints.apply(text, mentions)
            yield mentions

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents in order, their spans replaced by the tagger's."""
        return tag_documents(self, documents)


class RulesTrainer:
    """Writes a gazetteer to a run folder and scores it. See :class:`orbat.training.base.Trainer`.

    Args:
        job: the training job.

    Raises:
        InputError: if the recipe names no gazetteer, or one that cannot be read.
    """

    def __init__(self, job: TrainingJob) -> None:
        if job.recipe.gazetteer == "none":
            raise InputError("a recipe of kind rules needs a gazetteer; set gazetteer")
        self._job = job

    def fit(self) -> dict[str, Any]:
        """Write the gazetteer and score its matches in the dev documents."""
        job = self._job
        folder = job.output / "model"
        with open_folder_atomic(folder, replace=True) as draft:
            (draft / GAZETTEER_FILE).write_bytes(job.gazetteer.to_bytes())
        tagger = load_rules(folder, job.labels.names, job.span_constraints)
        return {"dev": score_dev(tagger, job.data.dev)}

    def estimate(self) -> dict[str, str]:
        """Return the files of the gazetteer; there is nothing to train."""
        files = gazetteer_files(recipe_gazetteer_path(self._job.recipe))
        return {"gazetteer": ", ".join(file.name for file in files), "time": "seconds"}


def load_rules(
    folder: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> RuleTagger:
    """Load the rules of a run's model folder; see :class:`RuleTagger`.

    Raises:
        ModelError: if the gazetteer is missing or broken.
    """
    path = folder / GAZETTEER_FILE
    try:
        return RuleTagger(Gazetteer.from_bytes(path.read_bytes()), labels, constraints)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: missing or broken; train again") from error
