"""Sweeps: many trainings whose recipe fields Optuna chooses, and the best of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...corpus.files import write_json, write_text
from ...corpus.labels import LabelSet
from ...errors import DivergedError, InputError
from ...ui import Progress
from ..data import TrainingData
from ..gazetteer import load_recipe_gazetteer
from ..manifest import is_same_run, make_manifest
from ..recipe import AnyRecipe, override
from ..run_folder import read_json
from ..train import train_or_resume

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Range:
    """Values that a recipe field may take in a sweep.

    Attributes:
        field: the recipe field.
        choices: the values themselves; empty for a span of numbers.
        low: least number.
        high: greatest number.
        log: whether a step is a factor.
    """

    field: str
    choices: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False

    def suggest(self, trial: Trial) -> Any:
        """Let Optuna choose a value."""
        if self.choices:
            return trial.suggest_categorical(self.field, list(self.choices))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.field, self.low, self.high, log=self.log)
        return trial.suggest_float(self.field, self.low, self.high, log=self.log)


def parse_range(text: str) -> Range:
    """Read `KEY=LOW:HIGH`, `KEY=LOW:HIGH:log` or `KEY=A,B,C`.

    Raises:
        InputError: naming the text and the mend.
    """
    field, equals, values = text.partition("=")
    parts = values.split(":")
    try:
        if equals and field.strip() and len(parts) == 1:
            choices = tuple(_value(each) for each in values.split(","))
            if all(choice != "" for choice in choices):
                return Range(field.strip(), choices)
        if equals and field.strip() and (len(parts) == 2 or parts[2:] == ["log"]):
            low, high = (_number(part) for part in parts[:2])
            if low < high and (low > 0 or len(parts) == 2):
                return Range(field.strip(), (), low, high, len(parts) == 3)
    except ValueError:
        pass
    raise InputError(
        f"--search {text}: write KEY=LOW:HIGH, KEY=LOW:HIGH:log (from above 0) or KEY=A,B,C"
    )


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _value(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    try:
        return _number(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Outcome:
    """One training of a sweep.

    Attributes:
        number: in order of beginning.
        state: `complete`, `pruned` or `failed`.
        f1: best strict F1 on the dev documents; None where there was none.
        values: the chosen fields.
    """

    number: int
    state: str
    f1: float | None
    values: Mapping[str, Any]


def sweep(
    recipe: AnyRecipe,
    ranges: Sequence[Range],
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    trials: int,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Search recipe fields for the best strict F1 on the dev documents.

    Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) chooses; a training that is
    worse than the median of the others at the same epoch is cut short. The folder holds the
    study, the best training's run folder, `sweep.json`, `sweep.png` and the best recipe as
    `best.toml`. Called again it goes on: a training that was killed is resumed.

    Args:
        recipe: gives the fields that are not searched.
        ranges: the fields that are.
        data: documents with gold spans.
        labels: the label set.
        output: folder of the sweep; a new one, or that of the same sweep.
        trials: trainings in all, those of earlier calls included.
        report: called after every training.

    Raises:
        InputError: if a field or value does not fit the recipe, or the folder is another sweep's.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    data.check()
    for each in ranges:
        for value in each.choices or (each.low, each.high):
            _changed(recipe, {each.field: value})
    output = Path(output)
    _claim(output, recipe, ranges, data, labels)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(output / "study.journal")))
    study = optuna.create_study(
        storage=storage,
        study_name="sweep",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        # Killed: the same values come again, to the same run folder, which goes on.
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    counted = [TrialState.COMPLETE, TrialState.PRUNED]
    done = len(study.get_trials(states=counted))
    # A sampler begun anew would repeat its first choices.
    study.sampler = optuna.samplers.TPESampler(seed=recipe.seed + len(study.trials))

    def objective(trial: Trial) -> float:
        values = {each.field: each.suggest(trial) for each in ranges}
        name = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
        looks = 0

        def watch(progress: Progress) -> None:
            nonlocal looks
            if "f1" in progress.metrics:
                looks += 1
                trial.report(progress.metrics["f1"], looks)
                if trial.should_prune():
                    raise optuna.TrialPruned

        run = output / "runs" / name
        trial.set_user_attr("run", name)
        try:
            metrics = train_or_resume(
                _changed(recipe, values), data, labels, run, on_progress=watch
            )
        except DivergedError as error:
            raise optuna.TrialPruned from error
        return float(metrics["dev"]["f1"] or 0.0)

    def finished(study: Study, trial: FrozenTrial) -> None:
        _keep_best_run(study, output / "runs")
        _write_results(study, recipe, ranges, output)
        report(_outcome(trial))

    study.optimize(objective, n_trials=max(trials - done, 0), callbacks=[finished])
    return _write_results(study, recipe, ranges, output)


def _changed(recipe: AnyRecipe, values: Mapping[str, Any]) -> AnyRecipe:
    return override({**recipe.model_dump(), **values}, (), "--search")


def _claim(
    output: Path,
    recipe: AnyRecipe,
    ranges: Sequence[Range],
    data: TrainingData,
    labels: LabelSet,
) -> None:
    manifest = make_manifest(recipe, data, labels, load_recipe_gazetteer(recipe, labels))
    search = [[each.field, list(each.choices), each.low, each.high, each.log] for each in ranges]
    path = output / "manifest.json"
    if path.is_file():
        old = read_json(path)
        if not is_same_run(old, manifest) or old.get("search") != search:
            raise InputError(f"{output}: holds another sweep; name a new folder")
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output}: exists and is no sweep; name a new folder")
    else:
        write_json(path, {**manifest, "search": search})


def _outcome(trial: FrozenTrial) -> Outcome:
    seen = [value for value in trial.intermediate_values.values() if value is not None]
    f1 = trial.value if trial.value is not None else max(seen, default=None)
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(trial.state.name, "failed")
    return Outcome(trial.number, state, f1, dict(trial.params))


def _keep_best_run(study: Study, runs: Path) -> None:
    """Remove the run folders of all trainings but the best: their scores stay in the study."""
    from optuna.trial import TrialState

    complete = study.get_trials(states=[TrialState.COMPLETE])
    best = max(complete, key=lambda trial: trial.value or 0, default=None)
    for run in runs.iterdir() if runs.is_dir() else ():
        if best is None or run.name != best.user_attrs.get("run"):
            shutil.rmtree(run)


def _write_results(
    study: Study, recipe: AnyRecipe, ranges: Sequence[Range], output: Path
) -> list[Outcome]:
    outcomes = [_outcome(trial) for trial in study.trials if trial.state.is_finished()]
    complete = [each for each in outcomes if each.state == "complete"]
    best = max(complete, key=lambda each: each.f1 or 0, default=None)
    write_json(
        output / "sweep.json",
        {
            "best": best.number if best else None,
            "trials": [{**vars(each), "values": dict(each.values)} for each in outcomes],
        },
    )
    if best is not None:
        fields = _changed(recipe, best.values).model_dump()
        lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
        title = f"# The best of a sweep: F1 {best.f1:.4f} on its dev documents."
        write_text(output / "best.toml", "\n".join([title, *lines]) + "\n")
        _draw(outcomes, ranges, output / "sweep.png")
    return outcomes


def _draw(outcomes: Sequence[Outcome], ranges: Sequence[Range], path: Path) -> None:
    """Draw F1 over the course of the sweep and over each field."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * (len(ranges) + 1), 3.6), layout="constrained")
    axes = figure.subplots(1, len(ranges) + 1, sharey=True, squeeze=False)[0]
    axes[0].set(xlabel="training", ylabel="strict F1 on dev", title="course")
    for state, marker in (("complete", "o"), ("pruned", "x")):
        shown = [each for each in outcomes if each.state == state and each.f1 is not None]
        f1 = [each.f1 for each in shown]
        axes[0].plot([each.number + 1 for each in shown], f1, marker, label=state)
        for axis, field in zip(axes[1:], ranges, strict=True):
            values = [each.values[field.field] for each in shown]
            axis.plot([str(v) for v in values] if field.choices else values, f1, marker)
            axis.set_title(field.field)
            if field.log:
                axis.set_xscale("log")
    axes[0].legend()
    for axis in axes:
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
