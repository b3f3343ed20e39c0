"""`orbat annotate select`: select what to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import load_optional_model

if TYPE_CHECKING:
    from ...corpus.document import Document


def select(
    documents: Annotated[Path, typer.Argument(help="Unlabeled documents (JSON Lines).")],
    output: Annotated[Path, typer.Option(help="File for the selected documents, in order.")],
    model: Annotated[
        str | None, typer.Option(help="Run folder, wheel or installed model to measure with.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of documents to select; default: all.")
    ] = None,
    session: Annotated[
        Path | None, typer.Option(help="Leave out the documents of this session.")
    ] = None,
    labeled: Annotated[
        Path | None,
        typer.Option(help="Labeled documents: left out, and new ones should differ from them."),
    ] = None,
    strategy: Annotated[str, typer.Option(help="uncertainty or random.")] = "uncertainty",
    seed: Annotated[int, typer.Option(help="Seed of the random order.")] = 0,
) -> None:
    """Select documents to label next: those that a model is least certain of, all different."""
    from rich.console import Console

    from ...corpus.files import read_documents, write_documents
    from ...ui import DataTable, print_tables
    from ..active_learning import select_documents

    with Console(stderr=True).status("Scoring the documents"):
        selection = select_documents(
            read_documents(documents),
            load_optional_model(model),
            count=count,
            labeled=_known_documents(labeled, session),
            strategy=strategy,
            seed=seed,
        )
    write_documents(output, selection.documents)
    if selection.entropies:
        rows = tuple(
            (rank, document.id, entropy, len(document.text.split()))
            for rank, (document, entropy) in enumerate(
                zip(selection.documents, selection.entropies, strict=True), start=1
            )
        )
        columns = ("rank", "document", "mean word entropy", "words")
        print_tables([DataTable("Documents to label next", columns, rows)], Console(), 10)
    count = len(selection.documents)
    typer.echo(f"{count} of {selection.candidates} documents in {output}, in labeling order")


def _known_documents(labeled: Path | None, session: Path | None) -> list[Document]:
    """Return the documents of a file, and those that a session's annotators have."""
    from ...corpus.files import read_documents
    from ..session.folder import open_session

    known = list(read_documents(labeled)) if labeled else []
    if session is not None:
        opened = open_session(session)
        pushed = {d.id: d for name in opened.projects for d in opened.pushed(name)}
        known += pushed.values()
    return known
