"""`orbat annotate convert`: convert between corpus formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File or folder to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or new folder to write.")],
    source_format: Annotated[str, typer.Option("--from", metavar="FORMAT", help="Format of IN.")],
    target_format: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="Format of OUT.")
    ] = "jsonl",
    labels: Annotated[
        Path | None, typer.Option(help="Label set file. Spans of other labels are dropped.")
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="Tagging scheme of conll, iob and words-tags: bio or bilou.")
    ] = "bio",
) -> None:
    """Convert an annotated corpus to another format.

    FORMAT is jsonl (orbat's own), doccano, brat, conll, iob, words-tags, docbin, labelstudio,
    prodigy, datasets or re3d. brat, words-tags, datasets and re3d are folders, the others are
    files. What a format cannot keep is counted and printed.
    """
    from ...corpus.labels import load_labels
    from ...ui import progress_bars
    from ..formats.conversion import convert as convert_corpus

    names = load_labels(labels).names if labels else None
    with progress_bars() as on_progress:
        report = convert_corpus(
            source,
            target,
            source_format,
            target_format,
            labels=names,
            scheme=scheme,
            on_progress=on_progress,
        )
    typer.echo(f"{report.documents} documents in {target}")
    for kind, count in sorted(report.dropped.items()):
        typer.echo(f"dropped: {count} {kind}", err=True)
