"""The front door: one command line for the five stages."""

from __future__ import annotations

import sys

import typer

import annotation.commands
import corpus.commands
from corpus.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Annotate defence news, train a model on it, measure it, package it.",
)


@app.callback()
def orbat() -> None:
    """Annotate defence news, train an entity recogniser on it, measure it, package it."""


app.add_typer(corpus.commands.app, name="corpus")
app.add_typer(annotation.commands.app, name="annotate")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what the user can mend ends in one line and exit code 2."""
    try:
        app(args=arguments)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
