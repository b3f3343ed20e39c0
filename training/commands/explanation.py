"""`orbat train --explain`: the fields of a recipe, and what a training will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal import echo, echo_json, to_text

if TYPE_CHECKING:
    from ..inputs import TrainingInputs


def explain_training(name: str, inputs: TrainingInputs, json_output: bool) -> None:
    """Print the fields of a recipe and, with documents, the size and time of the training."""
    from rich.console import Console
    from rich.table import Table

    from ..recipe import describe_fields

    recipe, facts = inputs.recipe, {}
    if inputs.data is not None:
        with Console(stderr=True).status("Running a few steps"):
            from ..train import estimate

            facts = estimate(recipe, inputs.data, inputs.labels)
    if json_output:
        echo_json({"recipe": recipe.model_dump(), "facts": facts})
        return
    summary = " ".join((type(recipe).__doc__ or "").split())
    title = to_text(f"{name}: {summary}", "table.title")
    table = Table("field", "value", "default", "meaning", title=title)
    for field in describe_fields(recipe):
        default = "" if field.default is None else str(field.default)
        style = "bold" if field.value != field.default else ""
        table.add_row(*map(to_text, (field.name, field.value, default, field.meaning)), style=style)
    console = Console()
    console.print(table)
    if not facts:
        echo("Name --train and --dev to estimate the training time.")
        return
    estimates = Table(show_header=False)
    for fact, value in facts.items():
        estimates.add_row(*map(to_text, (fact, value)))
    console.print(estimates)
