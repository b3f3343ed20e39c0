"""The results of a sweep: a JSON file, the best recipe and a plot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...corpus.files import write_json, write_text
from ..recipe import AnyRecipe
from .search_space import SearchDimension


@dataclass(frozen=True)
class TrialResult:
    """The result of one training of a sweep.

    Attributes:
        number: position in the order of start, from 0.
        state: `complete`, `pruned` or `failed`.
        f1: best strict F1 on the dev documents; None if the model was never evaluated.
        values: the values of the searched fields.
    """

    number: int
    state: str
    f1: float | None
    values: Mapping[str, Any]


def write_sweep_results(
    output: Path,
    results: Sequence[TrialResult],
    best: TrialResult | None,
    best_recipe: AnyRecipe | None,
    search_space: Sequence[SearchDimension],
) -> None:
    """Write `sweep.json`, and once a training is complete `best.toml` and `sweep.png`.

    Args:
        output: folder of the sweep.
        results: of all trainings that have ended.
        best: the complete training with the best F1.
        best_recipe: its recipe.
        search_space: the searched fields.
    """
    trials = [{**vars(result), "values": dict(result.values)} for result in results]
    write_json(output / "sweep.json", {"best": best.number if best else None, "trials": trials})
    if best is None or best_recipe is None:
        return
    # TOML has no null: a field without a value keeps its default, None.
    fields = best_recipe.model_dump(exclude_none=True).items()
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields]
    title = f"# The best recipe of a sweep: F1 {best.f1:.4f} on its dev documents."
    write_text(output / "best.toml", "\n".join([title, *lines]) + "\n")
    plot_sweep(results, search_space, output / "sweep.png")


def plot_sweep(
    results: Sequence[TrialResult], search_space: Sequence[SearchDimension], path: Path
) -> None:
    """Plot F1 over the course of the sweep and over the values of each field."""
    from matplotlib.figure import Figure

    columns = len(search_space) + 1
    figure = Figure(figsize=(4 * columns, 3.6), layout="constrained")
    axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    axes[0].set(xlabel="training", ylabel="strict F1 on dev", title="course")
    for state, marker in (("complete", "o"), ("pruned", "x")):
        shown = [result for result in results if result.state == state and result.f1 is not None]
        f1 = [result.f1 for result in shown]
        axes[0].plot([result.number + 1 for result in shown], f1, marker, label=state)
        for axis, dimension in zip(axes[1:], search_space, strict=True):
            values = [result.values[dimension.field] for result in shown]
            axis.plot([str(v) for v in values] if dimension.choices else values, f1, marker)
            axis.set_title(dimension.field)
            if dimension.log:
                axis.set_xscale("log")
    axes[0].legend()
    for axis in axes:
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
