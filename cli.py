"""The command line `orbat`: assembles the commands of all rooms and prints errors."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from . import __version__
from .annotation.commands import app as annotate
from .corpus.commands import app as corpus
from .crash_log import write_crash_log
from .errors import OrbatError, describe_fault
from .evaluation.commands import evaluate
from .interruption import EXIT_INTERRUPTED, UNCHANGED, InterruptedCommandError
from .models.commands import package, publish, serve, tag
from .terminal import allow_all_characters, echo, echo_json
from .training.commands import sweep, train

EXIT_UNEXPECTED = 70
"""Exit code after an error that the user cannot fix (EX_SOFTWARE of sysexits.h)."""


class Commands(TyperGroup):
    """The commands in the order of the work, from articles to a model."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order in which help lists them."""
        order = (
            *("corpus", "annotate", "train", "sweep", "evaluate", "package", "publish", "tag"),
            *("serve", "doctor", "demo"),
        )
        return sorted(super().list_commands(ctx), key=order.index)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; data that end too early are no request to abort, as Ctrl-C is."""
        try:
            return super().invoke(ctx)
        except EOFError as error:  # click takes it for Ctrl-D, and would say "Aborted!" only
            raise UnexpectedEndError(f"the data end too early: {error}") from error


class UnexpectedEndError(Exception):
    """Data ended too early in a place that does not expect it."""


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Annotate news articles, train an entity recognizer on them, evaluate it and package it.",
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"orbat {__version__}")
        raise typer.Exit


@app.callback()
def orbat(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Annotate news articles, train an entity recognizer on them, evaluate it and package it."""


app.add_typer(corpus, name="corpus")
app.add_typer(annotate, name="annotate")
app.command()(train)
app.command()(sweep)
app.command()(evaluate)
app.command()(package)
app.command()(publish)
app.command()(tag)
app.command()(serve)


@app.command()
def doctor(
    home: Annotated[
        Path | None,
        typer.Option(envvar="ORBAT_DOCCANO_HOME", help="Data folder of the local doccano server."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check what orbat needs, and print how to fix what is missing or broken.

    Versions, processors, GPU, memory, disk space, doccano and programs are listed as ok, missing
    (only a part of orbat needs it) or broken. The exit code is 1 if something is broken.
    """
    from .doctor import check_installation, checks_to_json

    checks = check_installation(home)
    if json_output:
        echo_json(checks_to_json(checks))
    else:
        for check in checks:
            echo(f"{check.state:<7}  {check.name}: {check.found}")
            if check.mend:
                echo(f"         {check.mend}")
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(1)


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for everything that the demo writes.")] = (
        Path("demo-output")
    ),
    documents: Annotated[
        int | None, typer.Option(min=2, help="Use at most this number of articles of each kind.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
    ] = None,
) -> None:
    """Run every step on the shipped articles, from raw text to an installed model."""
    from .demo import run_demo

    run_demo(output, documents=documents, settings=settings or ())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    An error that the user can fix is printed as one line, with exit code 2, and what stands after
    Ctrl-C with exit code 130. For any other error the exit code is 70, and the line names a log
    file with the traceback.

    Args:
        arguments: the command and its options; None for those of the process.
    """
    allow_all_characters()
    try:
        app(args=arguments, prog_name="orbat")
    except ModuleNotFoundError as error:
        # "all" contains neither.
        extra = error.name if error.name in ("ray", "gliner") else "all"
        message = f"{error.name} is not installed; install orbat with its extra '{extra}'"
    except (OrbatError, OSError) as error:
        # An OSError that no code above expected (no permission, disk full) names its file.
        message = str(error)
    except InterruptedCommandError as error:
        echo(f"interrupted: {error}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except SystemExit as ended:
        # So typer ends after Ctrl-C while it reads options, or in a command that says nothing else.
        if ended.code == EXIT_INTERRUPTED:
            echo(f"interrupted: {UNCHANGED}", err=True)
        raise
    except Exception as error:
        echo(f"error: {_report(error)}", err=True)
        sys.exit(EXIT_UNEXPECTED)
    else:
        return
    echo(f"error: {message}", err=True)
    sys.exit(2)


def _report(error: Exception) -> str:
    """Return one line about an error of orbat itself; its traceback is written to a file."""
    fault = f"unexpected {describe_fault(error)}"
    try:
        log = write_crash_log(error)
        return f"{fault}; please report it with {log} (read it first: it may quote your data)"
    except OSError as unwritten:
        traceback.print_exception(error)
        return f"{fault}; please report it with the lines above (no log file: {unwritten})"
