"""`orbat train`: train a model, estimate the training, or draw a learning curve."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...interruption import InterruptedCommandError, when_interrupted
from ...terminal import echo, echo_json
from .options import (
    INSTEAD,
    INTERRUPTED,
    OUTPUT,
    DevFiles,
    Flatten,
    GoldFormat,
    HeldOutFiles,
    JsonOutput,
    LabelsFile,
    Quiet,
    RecipeName,
    Settings,
    TrainFiles,
    UnlabeledFiles,
    Verbose,
    print_warnings,
    require_data,
)

if TYPE_CHECKING:
    from ...ui import OnProgress, Progress
    from ..data import TrainingData
    from ..inputs import TrainingInputs


POINTS, SEEDS = 4, 1
"""How a curve is drawn without options."""


@when_interrupted("what was finished is kept; the same command goes on")
def train(
    recipe: RecipeName,
    train: TrainFiles = None,
    dev: DevFiles = None,
    source_format: GoldFormat = None,
    flatten: Flatten = None,
    unlabeled: UnlabeledFiles = None,
    held_out: HeldOutFiles = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The run folder to write; what happens is in its training.log."),
    ] = None,
    labels: LabelsFile = None,
    settings: Settings = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Resume an unfinished run.", rich_help_panel=INTERRUPTED),
    ] = False,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Finish an interrupted run of a transformer with its best epoch so far, without "
            "more training.",
            rich_help_panel=INTERRUPTED,
        ),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            rich_help_panel=INSTEAD,
            help="Show the recipe's fields, and with --train and --dev the estimated time; "
            "train nothing.",
        ),
    ] = False,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="Train on growing parts and forecast the gain from more documents.",
            rich_help_panel=INSTEAD,
        ),
    ] = False,
    points: Annotated[
        int, typer.Option(help="Sizes of the curve.", min=3, max=12, rich_help_panel=INSTEAD)
    ] = POINTS,
    seeds: Annotated[
        int,
        typer.Option(help="Trainings at each size of the curve.", min=1, rich_help_panel=INSTEAD),
    ] = SEEDS,
    log: Annotated[
        list[str] | None,
        typer.Option(
            "--log",
            metavar="TRACKER",
            help="Record losses and scores for tensorboard (in the run folder), mlflow, wandb "
            "(offline) or trackio; repeatable.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    json_output: JsonOutput = False,
) -> None:
    """Train a model from a recipe."""
    from ...annotation.gold_files import GoldReader
    from ...errors import InputError
    from ..inputs import load_inputs
    from ..train import train as train_model
    from .explanation import explain_training

    _refuse_unused(
        curve=curve, explain=explain, resume=resume, finish=finish, sizes=(points, seeds)
    )
    inputs = load_inputs(
        *(recipe, train or (), dev or (), unlabeled or (), held_out or ()),
        labels=labels,
        settings=settings or (),
        reader=GoldReader(source_format, flatten),
    )
    if explain:
        explain_training(recipe, inputs, json_output)
        return
    data = require_data(inputs)
    if output is None:
        raise InputError("name the folder to write with --output")
    if quiet and verbose:
        raise InputError("give --quiet or --verbose, not both")
    if curve and log:
        raise InputError("--log records one training; remove it or --curve")
    print_warnings(inputs)
    if curve:
        _draw_curve(inputs, data, output, points, seeds, json_output)
    else:
        with _training_progress(quiet, verbose) as on_progress, _say_what_is_kept(output):
            metrics = train_model(
                *(inputs.recipe, data, inputs.labels, output),
                resume=resume,
                finish=finish,
                trackers=log or (),
                compare_linear=True,
                on_progress=on_progress,
            )
        _print_scores(metrics, output, quiet, json_output)


def _refuse_unused(
    *, curve: bool, explain: bool, resume: bool, finish: bool, sizes: tuple[int, int]
) -> None:
    """Refuse options that would be without effect.

    Raises:
        InputError: naming the options and the mend.
    """
    from ...errors import InputError

    if curve and explain:
        raise InputError("--explain describes one training; remove it or --curve")
    if curve and finish:
        raise InputError("--finish keeps the best epoch of one training; remove it or --curve")
    if curve and resume:
        raise InputError("--curve goes on with its unfinished trainings anyway; remove --resume")
    if explain and (resume or finish):
        option = "--finish" if finish else "--resume"
        raise InputError(f"{option} goes on with a training; remove it or --explain")
    if not curve and sizes != (POINTS, SEEDS):
        raise InputError("--points and --seeds are those of a curve; add --curve or remove them")


@contextmanager
def _say_what_is_kept(run: Path) -> Iterator[None]:
    """Say after Ctrl-C what the run keeps, and how to go on with it."""
    from ..run_folder import MANIFEST_FILE, read_kept_epochs

    try:
        yield
    except KeyboardInterrupt as error:
        kept = read_kept_epochs(run)
        if kept is not None:
            raise InterruptedCommandError(
                f"{run} keeps {kept.epochs:g} epochs, the best with F1 {kept.best_f1:.3f}; the "
                "same command with --resume trains on, and with --finish makes the best one the "
                "model"
            ) from error
        again = " with --resume" if (run / MANIFEST_FILE).is_file() else ""
        raise InterruptedCommandError(
            f"{run} keeps no epoch; run the same command{again}"
        ) from error


def _print_scores(metrics: dict[str, Any], output: Path, quiet: bool, json_output: bool) -> None:
    from rich.console import Console

    from ...evaluation.metrics import ALL_LABELS
    from ...ui import DataTable, print_tables
    from ..train import is_first_process

    if not is_first_process() or (quiet and not json_output):
        return
    if json_output:
        echo_json(metrics)
        return
    scores = {ALL_LABELS: metrics["dev"], **metrics["dev"]["labels"]}
    rows = tuple(
        (label, score["precision"], score["recall"], score["f1"]) for label, score in scores.items()
    )
    columns = ("label", "precision", "recall", "F1")
    table = DataTable("Strict scores on the dev documents", columns, rows)
    print_tables([table], Console(), len(rows))
    dtype = f", {metrics['dtype']}" if "dtype" in metrics else ""
    echo(f"run: {output} ({metrics['seconds']:.0f} s{dtype})")
    if metrics.get("threshold"):
        echo(f"mentions of a confidence below {metrics['threshold']:g} are left out (threshold)")
    for line in _find_doubts(metrics, output):
        echo(line)


def _find_doubts(metrics: dict[str, Any], output: Path) -> list[str]:
    """Return what speaks against a model that was trained, one line each."""
    from ...ui import format_value
    from ..train import f1_of_all_mentions

    doubts, f1 = [], f1_of_all_mentions(metrics)
    scores = [epoch["f1"] for epoch in metrics.get("epochs", ())]
    if metrics.get("rose_in_last_epoch"):
        before = format_value(max(scores[:-1], default=0.0))
        doubts.append(
            f"dev F1 still rose in the last epoch ({before} to {format_value(f1)}): train longer "
            f"(--set epochs=auto), or from here (orbat train {output} --set start_from={output})"
        )
    if scores and metrics["epochs"][0].get("epoch") == 0 and scores[0] >= f1:
        doubts.append(
            f"no epoch scored higher on dev than the run that it started from ({scores[0]:.3f})"
        )
    if "baseline_linear" in metrics:
        linear = metrics["baseline_linear"]
        if linear is None:
            doubts.append(
                "not compared with baseline-linear: scikit-learn is not installed "
                "(pip install 'orbat[baselines]')"
            )
        elif (linear["f1"] or 0.0) > f1:
            doubts.append(
                f"baseline-linear, which trains in seconds, scores higher on dev: "
                f"F1 {format_value(linear['f1'])}"
            )
    return doubts


def _draw_curve(
    inputs: TrainingInputs,
    data: TrainingData,
    output: Path,
    points: int,
    seeds: int,
    json_output: bool,
) -> None:
    import json

    from rich.console import Console

    from ...ui import DataTable, format_interval, format_value, print_tables
    from ..experiments.learning_curve import learning_curve

    def print_run(documents: int, seed: int, f1: float) -> None:
        echo(f"{documents} documents, seed {seed}: F1 {format_value(f1)}", err=True)

    with Console(stderr=True).status("Training"):
        curve = learning_curve(
            *(inputs.recipe, data, inputs.labels, output),
            points=points,
            seeds=seeds,
            on_run=print_run,
        )
    if json_output:
        echo_json(json.loads((output / "curve.json").read_text(encoding="utf-8")))
        return
    rows = tuple(
        (
            *(point.documents, point.f1, format_interval(point.low, point.high)),
            "measured" if point.values else "forecast",
        )
        for point in (*curve.points, *curve.forecast)
    )
    columns = ("labeled documents", "F1 on dev", "95 % interval", "")
    print_tables([DataTable("Learning curve", columns, rows)], Console(), len(rows))
    echo(f"plot: {output / 'curve.png'}")


@contextmanager
def _training_progress(quiet: bool, verbose: bool) -> Iterator[OnProgress]:
    """Print a line for each epoch, below it a progress bar on a terminal.

    Under torchrun, only the first process shows progress.

    Args:
        quiet: show nothing.
        verbose: print the loss in between too.
    """
    from ...ui import format_value, ignore_progress, progress_bars
    from ..train import EpochLines, describe_step, is_first_process

    if quiet or not is_first_process():
        yield ignore_progress
        return
    latest, describe = dict[str, float](), EpochLines()
    with progress_bars() as show:

        def on_progress(progress: Progress) -> None:
            latest.update(progress.metrics)
            shown: dict[str, float] = {n: latest[n] for n in ("loss", "f1") if n in latest}
            show(dataclasses.replace(progress, metrics=shown))
            if line := describe(progress):
                echo(line, err=True)
            elif verbose and "loss" in progress.metrics:
                loss = format_value(progress.metrics["loss"])
                echo(f"{describe_step(progress)}  loss {loss}", err=True)

        yield on_progress
