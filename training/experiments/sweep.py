"""Hyperparameter sweeps: many trainings whose recipe fields Optuna chooses."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...corpus.files import write_json
from ...corpus.labels import LabelSet
from ...corpus.output.locks import lock_folder
from ...errors import DivergedError, InputError
from ...ui import Progress
from ..data import TrainingData
from ..gazetteer import load_recipe_gazetteer
from ..manifest import is_same_run, make_manifest, require_empty_folder
from ..recipe import AnyRecipe, override
from ..run_folder import MANIFEST_FILE, read_json
from ..train import f1_of_all_mentions, train_or_resume
from .search_space import SearchDimension
from .sweep_results import TrialResult, write_sweep_results

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial


def sweep(
    recipe: AnyRecipe,
    search_space: Sequence[SearchDimension],
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    trials: int,
    on_trial: Callable[[TrialResult], None] = lambda result: None,
) -> list[TrialResult]:
    """Search recipe fields for the best strict F1 on the dev documents.

    Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) chooses the values. A training
    whose score is below the median of the others at the same epoch is pruned. The folder holds the
    study, the run folder of the best training, `sweep.json`, `sweep.png` and the best recipe as
    `best.toml`. A second call with the same arguments resumes the sweep and any interrupted
    training.

    Args:
        recipe: gives the fields that are not searched.
        search_space: the fields to search, with their values.
        data: documents with gold spans.
        labels: the label set.
        output: folder of the sweep; new, or of the same sweep.
        trials: number of trainings, those of earlier calls included.
        on_trial: called with the result of each training.

    Returns:
        The results of all trainings, in order of their start.

    Raises:
        InputError: if a field or value does not fit the recipe, or the folder is another sweep's or
            written by another process.
        ModelError: if a teacher cannot be used.
    """
    import optuna
    from optuna.trial import TrialState

    data.check()
    if data.pool is not None and not getattr(recipe, "teachers", ()):
        raise InputError(
            "a sweep with unlabeled articles needs teachers; train one on the gold, and name it "
            "with --set teachers"
        )
    for dimension in search_space:
        for value in dimension.choices or (dimension.low, dimension.high):
            _override(recipe, {dimension.field: value})
    output = Path(output)
    with lock_folder(output):
        _open_output(output, recipe, search_space, data, labels)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = _open_study(output, recipe.seed)

        def objective(trial: Trial) -> float:
            values = {dimension.field: dimension.suggest(trial) for dimension in search_space}
            name = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
            trial.set_user_attr("run", name)
            try:
                metrics = train_or_resume(
                    _override(recipe, values),
                    data,
                    labels,
                    output / "runs" / name,
                    on_progress=_prune_on_progress(trial),
                )
            except DivergedError as error:
                raise optuna.TrialPruned from error
            # As reported after each epoch, which prunes trials.
            return f1_of_all_mentions(metrics)

        def finish(study: Study, trial: FrozenTrial) -> None:
            _keep_best_run(study, output / "runs")
            _write_results(study, recipe, search_space, output)
            on_trial(_trial_result(trial))

        done = len(study.get_trials(states=[TrialState.COMPLETE, TrialState.PRUNED]))
        study.optimize(objective, n_trials=max(trials - done, 0), callbacks=[finish])
        return _write_results(study, recipe, search_space, output)


def _open_study(output: Path, seed: int) -> Study:
    """Create or load the study of a sweep, and enqueue interrupted trials again."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(output / "study.journal"))),
        study_name="sweep",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        # The same values give the same run folder, in which training resumes.
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    # With the same seed, the sampler of a resumed sweep would repeat its first choices.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study


def _prune_on_progress(trial: Trial) -> Callable[[Progress], None]:
    """Return a progress callback that reports each dev score to Optuna and prunes the trial."""
    import optuna

    evaluations = 0

    def on_progress(progress: Progress) -> None:
        nonlocal evaluations
        if "f1" in progress.metrics:
            evaluations += 1
            trial.report(progress.metrics["f1"], evaluations)
            if trial.should_prune():
                raise optuna.TrialPruned

    return on_progress


def _override(recipe: AnyRecipe, values: Mapping[str, Any]) -> AnyRecipe:
    return override({**recipe.model_dump(), **values}, (), "--search")


def _open_output(
    output: Path,
    recipe: AnyRecipe,
    search_space: Sequence[SearchDimension],
    data: TrainingData,
    labels: LabelSet,
) -> None:
    """Write the manifest of a new sweep, or check that the folder is of the same sweep.

    Raises:
        InputError: if the folder has other contents.
    """
    manifest = make_manifest(recipe, data, labels, load_recipe_gazetteer(recipe, labels))
    search = [[d.field, list(d.choices), d.low, d.high, d.log] for d in search_space]
    path = output / MANIFEST_FILE
    if path.is_file():
        old = read_json(path)
        if not is_same_run(old, manifest) or old.get("search") != search:
            raise InputError(f"{output}: holds another sweep; name a new folder")
        return
    require_empty_folder(output, "sweep")
    write_json(path, {**manifest, "search": search})


def _keep_best_run(study: Study, runs: Path) -> None:
    """Remove the run folders of all trials but the best one. Their scores remain in the study."""
    from optuna.trial import TrialState

    complete = study.get_trials(states=[TrialState.COMPLETE])
    best = max(complete, key=lambda trial: trial.value or 0, default=None)
    names = {trial.user_attrs.get("run") for trial in study.trials}
    if best is not None:
        names.discard(best.user_attrs.get("run"))
    for name in names - {None}:
        shutil.rmtree(runs / name, ignore_errors=True)


def _write_results(
    study: Study, recipe: AnyRecipe, search_space: Sequence[SearchDimension], output: Path
) -> list[TrialResult]:
    """Write the files of the results, and return the results of all trainings that have ended."""
    results = [_trial_result(trial) for trial in study.trials if trial.state.is_finished()]
    complete = [result for result in results if result.state == "complete"]
    best = max(complete, key=lambda result: result.f1 or 0, default=None)
    best_recipe = _override(recipe, best.values) if best else None
    write_sweep_results(output, results, best, best_recipe, search_space)
    return results


def _trial_result(trial: FrozenTrial) -> TrialResult:
    scores = [value for value in trial.intermediate_values.values() if value is not None]
    f1 = trial.value if trial.value is not None else max(scores, default=None)
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(trial.state.name, "failed")
    return TrialResult(trial.number, state, f1, dict(trial.params))
