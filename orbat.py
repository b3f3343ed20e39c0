"""The front door: one command line for the five stages."""

from __future__ import annotations

import sys
from typing import Any

import typer

import annotation.commands
import corpus.commands
import evaluation.commands
import models.commands
import training.commands
from corpus.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Annotate defence news, train a model on it, measure it, package it.",
)


def _load_model(name: str) -> Any:
    from models.loading import load_model

    return load_model(name)


@app.callback()
def orbat(context: typer.Context) -> None:
    """Annotate defence news, train an entity recogniser on it, measure it, package it."""
    # Evaluation knows records only; what turns a model's name into records is handed to it here.
    context.obj = {"load_model": _load_model}


app.add_typer(corpus.commands.app, name="corpus")
app.add_typer(annotation.commands.app, name="annotate")
app.command("train")(training.commands.train)
app.command("evaluate")(evaluation.commands.evaluate)
app.command("package")(models.commands.package)
app.command("tag")(models.commands.tag)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what the user can mend ends in one line and exit code 2."""
    try:
        app(args=arguments)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
