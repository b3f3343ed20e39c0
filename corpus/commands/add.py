"""`orbat corpus add`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...interruption import when_interrupted
from ...terminal import echo, echo_json, echo_warnings
from .options import Engine, JsonOption

if TYPE_CHECKING:
    from ..ingestion.pipeline import IngestionReport


@when_interrupted(
    "the articles added so far are kept, and the corpus is unchanged; the same command goes on"
)
def add(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, http or https URLs of pages and feeds, or hf:ID of a dataset. "
            "File types: text, HTML, MHTML, PDF, e-mail, mailbox, JSON, JSON Lines, CSV, TSV, "
            "Parquet, WARC, ARC, zip, gzip."
        ),
    ],
    output: Annotated[Path, typer.Option(help="The corpus to create or extend (JSON Lines).")],
    text_column: Annotated[
        str | None,
        typer.Option(
            help="Field or column of JSON, tables and datasets that holds the text; outer.inner "
            "for a field within a field. Default: text or, without it, a usual name such as "
            "maintext, body or content."
        ),
    ] = None,
    license: Annotated[
        str | None, typer.Option(help="License of the articles, recorded in their provenance.")
    ] = None,
    pause: Annotated[
        float, typer.Option(min=0, help="Minimum seconds between two requests to one host.")
    ] = 1.0,
    timeout: Annotated[float, typer.Option(min=1, help="Maximum seconds per URL.")] = 30,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow URLs with private IP addresses.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="Process files in this process or on a Ray cluster.")
    ] = Engine.local,
    json_output: JsonOption = False,
) -> None:
    """Add articles to a corpus: extract, clean and deduplicate them.

    An article whose id, text and labels are in the corpus is known. With other labels, or as a
    record with a corrected text, it replaces the document with its id. Duplicates are stored in a
    file of their own. Articles that cannot be used are reported, one line each. An interrupted run
    resumes when the command is started again.
    """
    from ...ui import progress_bars
    from ..ingestion.pipeline import add_to_corpus
    from ..ingestion.sources import SourceOptions
    from ..ingestion.web.fetching import FetchRules

    options = SourceOptions(
        text_column=text_column,
        rules=FetchRules(pause=pause, timeout=timeout, allow_private=allow_private),
        license=license,
    )
    with progress_bars() as on_progress:
        report = add_to_corpus(
            sources, output, options=options, engine=engine.value, on_progress=on_progress
        )
    echo_warnings(report.notices)
    for article in report.rejected:
        echo(f"rejected: {article}", err=True)
    echo_warnings(report.undecodable)
    if json_output:
        echo_json(_to_json(report))
    else:
        _print(report, output)


def _to_json(report: IngestionReport) -> dict[str, Any]:
    return {
        "added": report.added,
        "updated": report.updated,
        "known": report.known,
        "duplicates": [
            {"id": d.id, "of": d.of, "similarity": round(d.similarity, 3)}
            for d in report.duplicates
        ],
        "rejected": [
            {"location": article.location, "reason": article.reason} for article in report.rejected
        ],
        "resumed": report.resumed,
        "undecodable": list(report.undecodable),
        "notices": list(report.notices),
    }


def _print(report: IngestionReport, output: Path) -> None:
    from rich.console import Console

    from ...ui import DataTable, print_tables

    rows = tuple((d.id, d.of, d.similarity) for d in report.duplicates)
    table = DataTable("Duplicates", ("document", "duplicate of", "similarity"), rows)
    print_tables([table], Console())
    resumed = "resumed an interrupted run; " if report.resumed else ""
    echo(
        f"{resumed}{report.added} added, {report.updated} updated, {report.known} known, "
        f"{len(report.duplicates)} duplicates, {len(report.rejected)} rejected: {output}"
    )
