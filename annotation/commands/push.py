"""Assign documents to annotators: `orbat annotate push`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from ...corpus.labels import LabelSet
    from ...corpus.tagger import Tagger


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
    from ..suggestions import DEFAULT_GOLD, measure_suggestions, suggestion_table
    from ..suggestions import suggest as suggest_spans

    label_set = load_labels(labels)
    guidelines = with_keys(label_set, load_guidelines(label_set, labels))
    wanted = list(read_documents(documents, label_set.names))
    loaded = context.obj["load_model"](model) if model else None
    sources = suggest or ("model+rules" if model else "rules")
    taggers = build_taggers(sources, label_set, model=loaded, gazetteer=gazetteer)
    gold_file = gold or (DEFAULT_GOLD if labels is None else None)
    measured = None
    own = sum(bool(document.spans) for document in wanted)
    with connect(home, url, username, password) as (doccano, alive):
        if taggers and own < len(wanted):
            with Console(stderr=True).status("Suggesting spans"):
                wanted = suggest_spans(wanted, taggers, label_set.names)
                if gold_file is not None:
                    known = list(read_documents(gold_file, label_set.names))
                    scores = measure_suggestions(known, taggers, label_set.names)
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
    elif taggers and own < len(wanted):
        typer.echo("how good the suggestions are was not measured; pass gold documents with --gold")
    if taggers and own:
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


SOURCES = ("rules", "model", "rules+model", "model+rules", "none")
"""Values of `--suggest`. Where spans of two sources overlap, the first source takes precedence."""


def build_taggers(
    sources: str, labels: LabelSet, *, model: Tagger | None = None, gazetteer: Path | None = None
) -> list[Tagger]:
    """Return the taggers that `--suggest` names, in order of precedence.

    Args:
        sources: one of :data:`SOURCES`.
        labels: the label set of the session.
        model: needed if the sources name it.
        gazetteer: file of the rules; None for the default gazetteer.

    Raises:
        InputError: for unknown sources, a missing model, or a model that predicts no label of
            the label set.
    """
    from ...errors import InputError
    from ...training.baselines.rules import RuleTagger

    if sources not in SOURCES:
        raise InputError(f"--suggest {sources}: choose one of {', '.join(SOURCES)}")
    taggers: list[Tagger] = []
    for name in () if sources == "none" else sources.split("+"):
        if name == "rules":
            taggers.append(RuleTagger.from_file(gazetteer, labels.names))
            continue
        if model is None:
            raise InputError(f"--suggest {sources}: name the model with --model")
        if not set(model.labels) & set(labels.names):
            raise InputError(
                f"the model predicts {', '.join(model.labels)} and none of the label set's "
                f"{', '.join(labels.names)}; pass the label set that it was trained on"
            )
        taggers.append(model)
    return taggers
