"""The command line `orbat`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .annotation.commands import app as annotate
from .corpus.commands import app as corpus
from .errors import OrbatError
from .evaluation.commands import evaluate
from .models.commands import package, tag
from .training.commands import sweep, train

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Annotate defence news, train a model on it, measure it, package it.",
)


def _load_model(name: str) -> Any:
    from .models.loading import load_model

    return load_model(name)


def _cross_predict(recipe: str, settings: list[str], *arguments: Any, **options: Any) -> Any:
    from .training.experiments.cross_validation import cross_predict
    from .training.recipe import load_recipe

    return cross_predict(load_recipe(recipe, settings), *arguments, **options)


@app.callback()
def orbat(context: typer.Context) -> None:
    """Annotate defence news, train an entity recogniser on it, measure it, package it."""
    # Annotation and evaluation know records only; what makes a model of a name, or of documents,
    # is handed to them here.
    context.obj = {"load_model": _load_model, "cross_predict": _cross_predict}


app.add_typer(corpus, name="corpus")
app.add_typer(annotate, name="annotate")
app.command()(train)
app.command()(sweep)
app.command()(evaluate)
app.command()(package)
app.command()(tag)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for all that is made.")] = Path(
        "demo-output"
    ),
    documents: Annotated[
        int | None, typer.Option(min=2, help="Use only so many articles of each kind.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
    ] = None,
) -> None:
    """Go the whole way on the shipped articles, from raw text to an installed model."""
    from .demo import run_demo

    run_demo(output, documents=documents, settings=settings or ())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what the user can mend ends in one line and exit code 2."""
    try:
        app(args=arguments)
    except ModuleNotFoundError as error:
        typer.echo(
            f"error: this command needs {error.name}, which is not installed; "
            "pip install -e '.[all]', or the extra that the README names",
            err=True,
        )
        sys.exit(2)
    except (OrbatError, OSError) as error:
        # An OSError that nothing below foresaw (no permission, disk full) names its file itself.
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
