"""`orbat corpus show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal import echo_json
from .options import JsonOption

if TYPE_CHECKING:
    from ...ui import DataTable
    from ..analysis.provenance import DocumentTrace

_MAX_ROWS = 100


def show(
    doc_id: Annotated[str, typer.Argument(metavar="ID", help="The document's id.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders to search; by default the current folder."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Trace a document: its provenance, splits, annotations, and the models trained on it."""
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import print_tables
    from ..analysis.provenance import trace_document

    with Console(stderr=True).status("Searching"):
        trace = trace_document(doc_id, paths or [Path()])
    if json_output:
        echo_json(asdict(trace))
    else:
        print_tables(_make_tables(trace), Console(), max_rows=_MAX_ROWS)


def _make_tables(trace: DocumentTrace) -> list[DataTable]:
    from ...ui import DataTable

    provenance = tuple((name, str(value)) for name, value in trace.provenance.items())
    texts = tuple(("sha256 of the text", digest) for digest in trace.hashes)
    events = tuple((event.kind, event.location, event.detail) for event in trace.events)
    return [
        DataTable(f"{trace.id}: {trace.title}", ("provenance", ""), (*provenance, *texts)),
        DataTable("Events", ("event", "location", "detail"), events),
    ]
