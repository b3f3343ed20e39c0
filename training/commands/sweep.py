"""`orbat sweep`: search recipe fields for the best dev score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo, echo_json
from .options import (
    DevFiles,
    Flatten,
    GoldFormat,
    HeldOutFiles,
    JsonOutput,
    LabelsFile,
    RecipeName,
    Settings,
    TrainFiles,
    UnlabeledFiles,
    print_warnings,
    require_data,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..experiments.search_space import SearchDimension
    from ..experiments.sweep_results import TrialResult


@when_interrupted("the finished trials stand; the same command goes on")
def sweep(
    recipe: RecipeName,
    search: Annotated[
        list[str],
        typer.Option(
            help="A field and its values: KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C; repeatable."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder of the sweep; an existing one is resumed.")],
    trials: Annotated[int, typer.Option(help="Number of trainings in all.", min=1)] = 20,
    train: TrainFiles = None,
    dev: DevFiles = None,
    source_format: GoldFormat = None,
    flatten: Flatten = None,
    unlabeled: UnlabeledFiles = None,
    held_out: HeldOutFiles = None,
    labels: LabelsFile = None,
    settings: Settings = None,
    json_output: JsonOutput = False,
) -> None:
    """Search recipe fields for the best dev score. Interrupted sweeps resume."""
    import json

    from rich.console import Console

    from ...annotation.gold_files import GoldReader
    from ...ui import format_value
    from ..experiments.search_space import parse_dimension
    from ..inputs import load_inputs

    search_space = [parse_dimension(text) for text in search]
    inputs = load_inputs(
        *(recipe, train or (), dev or (), unlabeled or (), held_out or ()),
        labels=labels,
        settings=settings or (),
        reader=GoldReader(source_format, flatten),
    )
    data = require_data(inputs)
    print_warnings(inputs)

    def print_trial(result: TrialResult) -> None:
        values = "  ".join(f"{name}={value}" for name, value in result.values.items())
        score = f"{result.number + 1}: F1 {format_value(result.f1)} {result.state}"
        echo(f"{score}  {values}", err=True)

    with Console(stderr=True).status("Training"):
        from ..experiments.sweep import sweep as run_sweep

        results = run_sweep(
            *(inputs.recipe, search_space, data, inputs.labels, output),
            trials=trials,
            on_trial=print_trial,
        )
    if json_output:
        echo_json(json.loads((output / "sweep.json").read_text(encoding="utf-8")))
        return
    _print_results(results, search_space)
    if (output / "best.toml").is_file():
        echo(f"best recipe: {output / 'best.toml'}\nplot: {output / 'sweep.png'}")


def _print_results(
    results: Sequence[TrialResult], search_space: Sequence[SearchDimension], limit: int = 20
) -> None:
    """Print the best trainings of a sweep."""
    from rich.console import Console

    from ...ui import DataTable, print_tables

    fields = [dimension.field for dimension in search_space]
    best = sorted(results, key=lambda result: -(result.f1 or 0))[:limit]
    rows = tuple(
        (
            *(str(result.number + 1), result.f1, result.state),
            *(str(result.values.get(field, "")) for field in fields),
        )
        for result in best
    )
    columns = ("training", "F1 on dev", "state", *fields)
    print_tables([DataTable("Best trainings", columns, rows)], Console(), len(rows))
