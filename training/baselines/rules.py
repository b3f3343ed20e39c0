"""The baseline without training: a gazetteer's phrases and token patterns."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.gazetteer import RuleTagger, gazetteer_files
from ...errors import InputError
from ..base import Job
from ..manifest import gazetteer_file
from ..run_folder import score_dev
from ..tagger.mentions import Mention

_FOLDER = "gazetteer"


class Rules:
    """Copies a gazetteer to a run folder and scores it.

    Args:
        job: what to score it on, and where to.

    Raises:
        InputError: if the recipe names no gazetteer, or one that cannot be read.
    """

    def __init__(self, job: Job) -> None:
        if job.recipe.gazetteer == "none":
            raise InputError("a recipe of kind rules needs a gazetteer; set gazetteer")
        self._job = job
        self._files = gazetteer_files(gazetteer_file(job.recipe))

    def fit(self) -> dict[str, Any]:
        """Copy the gazetteer and score what it finds in the dev documents."""
        folder = self._job.output / "model" / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        plan, *lists = self._files
        shutil.copyfile(plan, folder / "gazetteer.toml")
        for file in lists:
            target = folder / file.relative_to(plan.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        tagger = load_rules(self._job.output / "model", self._job.labels.names)
        return {"dev": score_dev(tagger, self._job.data.dev)}

    def explain(self) -> dict[str, str]:
        """Return what there is to do, which is little."""
        return {"gazetteer": ", ".join(file.name for file in self._files), "time": "seconds"}


class _RulesTagger:
    def __init__(self, rules: RuleTagger, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._rules = rules

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Tag a stream of texts; rules give no confidence."""
        for text in texts:
            yield [Mention(s.start, s.end, s.label, None) for s in self._rules.find(text)]


def load_rules(folder: Path, labels: tuple[str, ...]) -> _RulesTagger:
    """Load the rules of a run's model folder.

    Raises:
        InputError: if a file is missing or broken.
    """
    return _RulesTagger(RuleTagger(folder / _FOLDER / "gazetteer.toml", labels), labels)
