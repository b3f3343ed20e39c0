"""Select what to label next: `orbat annotate select`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def select(
    context: typer.Context,
    documents: Annotated[Path, typer.Argument(help="Unlabelled documents (JSON Lines).")],
    output: Annotated[Path, typer.Option(help="The same documents in the order to label them.")],
    model: Annotated[
        str | None, typer.Option(help="Run folder, wheel or installed model that is asked.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Choose so many; default: put all in order.")
    ] = None,
    session: Annotated[
        Path | None, typer.Option(help="Leave out what this session's annotators have.")
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Documents labelled already: left out, and kept away from.")
    ] = None,
    strategy: Annotated[str, typer.Option(help="uncertainty or random.")] = "uncertainty",
    seed: Annotated[int, typer.Option(help="Of the random order.")] = 0,
) -> None:
    """Choose what to label next: documents that a model is least sure of, unlike each other."""
    from rich.console import Console

    from ...corpus.files import read_documents, write_documents
    from ...errors import InputError
    from ...ui import DataTable, print_tables
    from ..active_learning import select_documents
    from ..session.folder import open_session

    known = list(read_documents(labelled)) if labelled else []
    if session is not None:
        made = open_session(session)
        there = {d.id: d for name in made.projects for d in made.pushed(name)}
        known += there.values()
    taken = {document.id for document in known}
    free = [document for document in read_documents(documents) if document.id not in taken]
    if not free:
        raise InputError(f"{documents}: every document is labelled or before annotators already")
    loaded = context.obj["load_model"](model) if model else None
    with Console(stderr=True).status("Asking the model"):
        chosen = select_documents(
            free, loaded, count=count, labelled=known, strategy=strategy, seed=seed
        )
    write_documents(output, (document for document, _ in chosen))
    if strategy != "random":
        rows = tuple(
            (place, document.id, entropy, len(document.text.split()))
            for place, (document, entropy) in enumerate(chosen, start=1)
        )
        columns = ("", "document", "entropy of a word", "words")
        print_tables([DataTable("To label next", columns, rows)], Console(), 10)
    typer.echo(f"{len(chosen)} of {len(free)} documents in {output}, in the order to label them")
