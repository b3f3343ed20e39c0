"""Interfaces that every kind of model shares: training job, trainer and tagger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..corpus.labels import LabelSet
from ..ui import OnProgress, ignore_progress
from .data import TrainingData
from .tagger.arrays import Doubles, Ints
from .tagger.gazetteer import Gazetteer
from .tagger.mentions import Mention
from .tagger.span_constraints import SpanConstraints, learn_span_constraints


@dataclass(frozen=True)
class TrainingJob:
    """Everything that a trainer needs.

    Attributes:
        recipe: how to train; an instance of the recipe class of the trainer's kind.
        data: documents with gold spans.
        labels: the label set.
        gazetteer: phrases and patterns of the recipe's gazetteer; empty if it names none.
        output: the run folder. The model is written to its `model` folder.
        load_run: loads a finished run of any kind as a tagger, for teachers.
        resume: continue from the last checkpoint in the run folder.
        finish: keep the best checkpoint in the run folder, and train no further.
        trackers: programs that record losses and scores; see :mod:`.experiments.trackers`.
        on_progress: called with the progress. Scores on the dev documents are reported as the
            metric `f1`.
    """

    recipe: Any
    data: TrainingData
    labels: LabelSet
    gazetteer: Gazetteer
    output: Path
    load_run: Callable[[Path], TextTagger]
    resume: bool = False
    on_progress: OnProgress = ignore_progress
    finish: bool = False
    trackers: tuple[str, ...] = ()

    @property
    def span_constraints(self) -> SpanConstraints:
        """The label set's rules for spans, or else the constraints that the gold spans obey."""
        rules = self.labels.spans
        if rules is not None:
            return SpanConstraints(rules.start, rules.end, rules.balanced)
        return learn_span_constraints(
            document.text[span.start : span.end]
            for document in self.data.train
            for span in document.spans
        )


class Trainer(Protocol):
    """Trains one kind of model. Its constructor checks the job and writes nothing."""

    def fit(self) -> dict[str, Any]:
        """Train, write the model folder and return the metrics.

        Returns:
            At least `dev`: the strict scores on the dev documents.
        """

    def estimate(self) -> dict[str, str]:
        """Return the size of the task and the estimated training time, by name."""


class TextTagger(Protocol):
    """Finds mentions in texts. Trained models of every kind implement it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the tagger can predict."""

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order."""


@runtime_checkable
class ProbabilisticTextTagger(TextTagger, Protocol):
    """A tagger that also predicts the label probabilities of words."""

    def probabilities(self, texts: Iterable[str]) -> Iterator[tuple[Ints, Doubles]]:
        """Yield the words of each text, and their probabilities of no label and of each label.

        *Shapes:* (words, 2), (words, 1 + labels). Words are given by start and end in code points.
        """


@runtime_checkable
class RemoteTextTagger(TextTagger, Protocol):
    """A tagger that sends texts to another machine, or to another program on this one."""

    @property
    def address(self) -> str:
        """Where it sends them."""

    def pipe_with_gaps(
        self, texts: Iterable[str]
    ) -> Iterator[tuple[list[Mention], list[tuple[int, int]]]]:
        """Yield the mentions of each text, and the parts that were not tagged, by start and end."""

    def forecast(self, texts: Iterable[str]) -> str:
        """Return a line on what tagging texts would send; send nothing."""

    def notes(self) -> list[str]:
        """Return lines on what was sent so far, what it cost, and what was left out."""
