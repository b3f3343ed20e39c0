"""`orbat annotate agree`: measure agreement between annotators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Labels, Unconfirmed


def agree(
    readings: Annotated[
        list[Path], typer.Argument(help="Each annotator's documents (JSON Lines), two or more.")
    ],
    unconfirmed: Unconfirmed = False,
    labels: Labels = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    json_output: Json = False,
) -> None:
    """Print how far annotators agree, label by label, and what they take for each other.

    Documents that only one annotator has read, or that one has not confirmed, are left out.
    """
    import json

    from rich.console import Console

    from ...corpus.files import write_text
    from ...corpus.labels import load_labels
    from ...ui import print_tables, render_tables
    from ..adjudication.annotation_sets import (
        confirmed_by_all,
        documents_by_annotator,
        read_annotation_set,
    )
    from ..agreement.measures import measure_agreement
    from ..agreement.presentation import agreement_tables, agreement_to_json

    known = load_labels(labels).names
    named = documents_by_annotator([read_annotation_set(path, known) for path in readings])
    kept, left_out = confirmed_by_all(named, unconfirmed=unconfirmed)
    agreement = measure_agreement(kept)
    summary = f"{agreement.documents} documents are read by two or more annotators."
    if agreement.single:
        summary += f" {agreement.single} are read by one only and left out."
    if left_out:
        summary += f" {left_out} are not confirmed by all who have them and left out."
    tables = agreement_tables(agreement)
    if html is not None:
        title = f"Agreement of {', '.join(agreement.annotators)}"
        write_text(html, render_tables(title, summary, tables))
    if json_output:
        typer.echo(json.dumps(agreement_to_json(agreement)))
        return
    console = Console()
    print_tables(tables, console)
    console.print(summary, highlight=False)
