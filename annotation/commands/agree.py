"""`orbat annotate agree`: measure agreement between annotators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, Labels, Unconfirmed

if TYPE_CHECKING:
    from ..agreement.measures import Agreement


def agree(
    annotation_sets: Annotated[
        list[Path], typer.Argument(help="Each annotator's documents (JSON Lines), two or more.")
    ],
    unconfirmed: Unconfirmed = False,
    labels: Labels = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    json_output: Json = False,
) -> None:
    """Measure inter-annotator agreement for each label, and list the confused labels.

    Documents with one annotator, and documents that an annotator has not confirmed, are skipped.
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

    names = load_labels(labels).names
    sets = [read_annotation_set(path, names) for path in annotation_sets]
    annotations, skipped = confirmed_by_all(documents_by_annotator(sets), unconfirmed=unconfirmed)
    agreement = measure_agreement(annotations)
    tables, summary = agreement_tables(agreement), _summarize(agreement, skipped)
    if html is not None:
        title = f"Agreement of {', '.join(agreement.annotators)}"
        write_text(html, render_tables(title, summary, tables))
    if json_output:
        typer.echo(json.dumps(agreement_to_json(agreement)))
        return
    console = Console()
    print_tables(tables, console)
    console.print(summary, highlight=False)


def _summarize(agreement: Agreement, skipped: int) -> str:
    """Return the number of documents that were compared, and why others were skipped."""
    summary = f"{agreement.documents} documents have two or more annotators."
    if agreement.single:
        summary += f" {agreement.single} with one annotator were skipped."
    if skipped:
        summary += f" {skipped} that an annotator has not confirmed were skipped."
    return summary
