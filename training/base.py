"""One training: what, on what, where to, and how it tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..corpus.labels import LabelSet
from .manifest import TrainingData
from .tagger.gazetteer import Gazetteer


@dataclass(frozen=True)
class Progress:
    """Where training stands.

    Attributes:
        step: steps done.
        steps: steps in all.
        loss: mean training loss since the last report, where known.
        f1: strict F1 on the dev documents after the last epoch, where known.
        what: what is being done.
    """

    step: int
    steps: int
    loss: float | None = None
    f1: float | None = None
    what: str = "Training"


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Job:
    """What a training of any kind needs.

    Attributes:
        recipe: how to train, of the kind that the training knows.
        data: documents with gold spans.
        labels: the label set.
        gazetteer: its phrases and patterns; empty where the recipe wants none.
        output: the run folder; the model goes to its `model` folder.
        resume: go on with what stands there.
        report: called with the progress.
    """

    recipe: Any
    data: TrainingData
    labels: LabelSet
    gazetteer: Gazetteer
    output: Path
    resume: bool = False
    report: Report = lambda progress: None


class Fitting(Protocol):
    """A training that has been checked and can begin."""

    def fit(self) -> dict[str, Any]:
        """Write the model and return the metrics, at least `dev`."""

    def explain(self) -> dict[str, str]:
        """Return what training will take, by name."""
