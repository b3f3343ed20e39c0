"""Options that the training commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal import echo, echo_warnings

if TYPE_CHECKING:
    from ..data import TrainingData
    from ..inputs import TrainingInputs

DOCUMENTS, OUTPUT = "Documents and labels", "What is printed"
INTERRUPTED, INSTEAD = "Interrupted runs", "Instead of one training"
"""Groups of options in the help."""

RecipeName = Annotated[
    str,
    typer.Argument(
        help="A shipped recipe (quick, default, fast, fastest, accurate, large, transformers, "
        "baseline-rules, baseline-linear, baseline-cnn), a TOML file, or a run folder to train "
        "again."
    ),
]
TrainFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--train",
        help="Gold to train on: a file or folder that orbat annotate convert reads; repeatable.",
        rich_help_panel=DOCUMENTS,
    ),
]
DevFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--dev",
        help="Gold to select the best epoch on, likewise; repeatable.",
        rich_help_panel=DOCUMENTS,
    ),
]
GoldFormat = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Format of --train and --dev, as of orbat annotate convert; default: found from each.",
        rich_help_panel=DOCUMENTS,
    ),
]
Flatten = Annotated[
    str | None,
    typer.Option(
        metavar="longest",
        help="Keep the longest of spans that are nested or overlap, which are refused otherwise.",
        rich_help_panel=DOCUMENTS,
    ),
]
UnlabeledFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--unlabeled",
        "--unlabelled",
        help="Unlabeled articles to learn from: any files that orbat corpus add reads, or folders "
        "of them; repeatable.",
        rich_help_panel=DOCUMENTS,
    ),
]
HeldOutFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--held-out",
        help="Documents that unlabeled articles must not repeat, such as test documents; "
        "repeatable.",
        rich_help_panel=DOCUMENTS,
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="Label set file, or auto for the labels of the documents; default: the one for "
        "defence news.",
        rich_help_panel=DOCUMENTS,
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print only warnings and errors.", rich_help_panel=OUTPUT),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Print the loss within epochs too.",
        rich_help_panel=OUTPUT,
    ),
]


def require_data(inputs: TrainingInputs) -> TrainingData:
    """Return the documents.

    Raises:
        InputError: if no documents were named.
    """
    from ...errors import InputError

    if inputs.data is None:
        raise InputError("name the gold to train on with --train and to select on with --dev")
    return inputs.data


def print_warnings(inputs: TrainingInputs) -> None:
    """Print warnings about the documents, and where articles are sent, to standard error.

    Of several processes, only the first one does.
    """
    from rich.console import Console

    from ..external.loading import remote_address
    from ..train import is_first_process

    if inputs.data is not None and is_first_process():
        if inputs.data.pool is not None:
            for address in map(remote_address, getattr(inputs.recipe, "teachers", ())):
                if address is not None:
                    echo(f"the unlabeled articles are sent to {address}", err=True)
        with Console(stderr=True).status("Comparing the documents"):
            warnings = inputs.data.warnings(inputs.labels)
        echo_warnings(warnings)
