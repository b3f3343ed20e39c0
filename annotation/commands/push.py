"""Assign documents to annotators: `orbat annotate push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    Home,
    Labels,
    Password,
    SessionFolder,
    Url,
    Username,
    connect,
    show_progress,
    split_names,
)


def push(
    context: typer.Context,
    documents: Annotated[Path, typer.Argument(help="Documents (JSON Lines).")],
    session: SessionFolder,
    annotators: Annotated[str, typer.Option(help="Account names, with commas between.")],
    overlap: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of the documents that all annotators get; the rest is dealt."
        ),
    ] = 1.0,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Documents open at a time for each annotator; push again to hand out more."
        ),
    ] = None,
    labels: Labels = None,
    suggest: Annotated[
        str | None,
        typer.Option(
            help="What marks documents without spans: rules, model, rules+model or model+rules "
            "(the first named wins where both mark), or none. Default: rules, with --model "
            "model+rules."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Run folder, wheel or installed model that suggests.")
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(help="Gold to measure the suggestions on; default: the shipped dev."),
    ] = None,
    gazetteer: Annotated[
        Path | None, typer.Option(help="Gazetteer file; default: the one for defence news.")
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Put documents before annotators in doccano. Pushing twice changes nothing."""
    from rich.console import Console
    from rich.table import Table

    from ...corpus.files import read_documents
    from ...corpus.labels import load_guidelines, load_labels
    from ...ui import print_tables
    from ..guide import with_keys
    from ..session.push import push as push_documents
    from ..suggestions import (
        DEFAULT_GOLD,
        make_finders,
        measure_suggestions,
        suggestion_table,
    )
    from ..suggestions import suggest as suggest_spans

    label_set = load_labels(labels)
    guidelines = with_keys(label_set, load_guidelines(label_set, labels))
    wanted = list(read_documents(documents, label_set.names))
    loaded = context.obj["load_model"](model) if model else None
    sources = suggest or ("model+rules" if model else "rules")
    finders = make_finders(sources, label_set, model=loaded, gazetteer=gazetteer)
    gold_file = gold or (DEFAULT_GOLD if labels is None else None)
    measured = None
    own = sum(bool(document.spans) for document in wanted)
    with connect(home, url, username, password) as (doccano, alive):
        if finders and own < len(wanted):
            with Console(stderr=True).status("Suggesting spans"):
                wanted = suggest_spans(wanted, finders, label_set.names)
                if gold_file is not None:
                    known = list(read_documents(gold_file, label_set.names))
                    scores = measure_suggestions(known, finders, label_set.names)
                    measured = suggestion_table(scores, gold_file, known, loaded)
        with show_progress() as report:
            made = push_documents(
                doccano,
                session,
                wanted,
                split_names(annotators),
                label_set,
                overlap=overlap,
                batch=batch,
                guidelines=guidelines,
                alive=alive,
                report=report,
            )
    console = Console()
    if measured is not None:
        print_tables([measured], console)
    elif finders and own < len(wanted):
        typer.echo("how good the suggestions are was not measured; pass gold documents with --gold")
    if finders and own:
        typer.echo(f"{own} documents keep the spans that they came with, which were not measured")
    table = Table("annotator", "documents", "waiting", "password")
    for name in made.projects:
        pushed = made.pushed(name)
        assigned = sum(owner in (None, name) for owner in made.assignments.values())
        counts = (str(len(pushed)), str(assigned - len(pushed)))
        table.add_row(name, *counts, made.password(name) or "(theirs)")
    console.print(table)
    for name in made.projects:
        typer.echo(f"{name} begins at {made.link(name)}")
    suggestions = sum(len(document.spans) for document in wanted)
    shared = sum(owner is None for owner in made.assignments.values())
    typer.echo(
        f"{len(wanted)} documents with {suggestions} suggested spans, {shared} shared by all; what "
        "lies before annotators is verified on the server"
    )
