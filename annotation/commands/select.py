"""`orbat annotate select`: select documents to label next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...terminal import echo
from .options import ANY_FORMAT, load_optional_model, read_labeled


def select(
    documents: Annotated[Path, typer.Argument(help=f"Unlabeled documents, {ANY_FORMAT}.")],
    output: Annotated[
        Path, typer.Option(help="File to write the selected documents to, in order.")
    ],
    model: Annotated[
        str | None,
        typer.Option(help="Run folder, wheel or installed model that measures uncertainty."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of documents to select; default: all.")
    ] = None,
    session: Annotated[
        Path | None, typer.Option(help="Exclude the documents of this session.")
    ] = None,
    labeled: Annotated[
        Path | None,
        typer.Option(
            help="Labeled documents, in any format. They are excluded, and different documents "
            "are preferred."
        ),
    ] = None,
    strategy: Annotated[str, typer.Option(help="uncertainty or random.")] = "uncertainty",
    seed: Annotated[int, typer.Option(help="Seed of the random order.")] = 0,
) -> None:
    """Select documents to label next: those that a model is least certain of, and that differ."""
    from rich.console import Console

    from ...corpus.files import check_output_file, write_documents
    from ...ui import print_tables
    from ..active_learning import select_documents, selection_table
    from ..session.folder import open_session

    check_output_file(output, documents, labeled)
    excluded = list(read_labeled(labeled)) if labeled else []
    if session is not None:
        excluded += open_session(session).documents()
    with Console(stderr=True).status("Scoring the documents"):
        selection = select_documents(
            read_labeled(documents),
            load_optional_model(model),
            count=count,
            labeled=excluded,
            strategy=strategy,
            seed=seed,
        )
    write_documents(output, selection.documents)
    print_tables([selection_table(selection)], Console(), 10)
    count = len(selection.documents)
    echo(f"{count} of {selection.candidates} documents in {output}, in labeling order")
