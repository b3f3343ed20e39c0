"""`orbat corpus gazetteer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...annotation.commands.options import ANY_FORMAT, read_labeled
from ...terminal import echo_json
from .options import JsonOption


def gazetteer(
    gold: Annotated[list[Path], typer.Argument(help=f"Gold documents, {ANY_FORMAT}.")],
    unlabeled: Annotated[
        list[Path] | None,
        typer.Option(
            "--unlabeled",
            help="Documents whose matches are counted too, their spans ignored; repeatable.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--gazetteer", help="Gazetteer (TOML); by default the shipped one."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Label set (TOML); by default the shipped one.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Number of entries to print.")] = 40,
    json_output: JsonOption = False,
) -> None:
    """Count the matches of each gazetteer entry, and the correct ones; most false ones first."""
    from itertools import chain

    from rich.console import Console

    from ...training.experiments.gazetteer_audit import audit_gazetteer, audit_table, audit_to_json
    from ...ui import print_tables
    from ..labels import load_labels

    label_set = load_labels(labels)
    with Console(stderr=True).status("Matching"):
        audit = audit_gazetteer(
            chain.from_iterable(read_labeled(path, label_set.names) for path in gold),
            chain.from_iterable(read_labeled(path) for path in unlabeled or ()),
            gazetteer=file,
            labels=label_set.names,
        )
    if json_output:
        echo_json(audit_to_json(audit))
    else:
        print_tables([audit_table(audit)], Console(), top)
