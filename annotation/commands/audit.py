"""Find likely label errors: `orbat annotate audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Home, Labels, Password, Url, Username, connect, show_progress, split_names


def audit(
    context: typer.Context,
    gold: Annotated[Path, typer.Argument(help="Gold documents to look through (JSON Lines).")],
    work: Annotated[
        Path, typer.Option(help="Folder for the trainings; called again, the command goes on.")
    ],
    recipe: Annotated[str, typer.Option(help="Recipe of the models that judge.")] = "quick",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Trainings, each on all but its part.")] = 5,
    top: Annotated[int, typer.Option(min=1, help="Report so many places.")] = 100,
    output: Annotated[Path | None, typer.Option(help="JSON Lines of the places to write.")] = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    session: Annotated[
        Path | None, typer.Option(help="Put these documents before annotators in this session.")
    ] = None,
    annotators: Annotated[
        str | None, typer.Option(help="Account names for --session, with commas between.")
    ] = None,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Find likely label errors in gold, by models that have not seen the documents they judge.

    What the models think of each word is left in WORK/words.jsonl, for other tools.
    """
    from rich.console import Console

    from ...corpus.files import read_documents, write_json_lines, write_text
    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...ui import DataTable, print_tables, render_tables
    from ..guide import with_keys
    from ..label_issues import (
        find_label_issues,
        label_issue_table,
        label_issue_to_json,
        worst_documents,
    )
    from ..session.push import push as push_documents

    if (session is None) != (annotators is None):
        raise InputError("--session and --annotators go together; pass both or neither")
    label_set = load_labels(labels)
    documents = list(read_documents(gold, label_set.names))
    with show_progress() as report:
        predictions = context.obj["cross_predict"](
            recipe,
            settings or [],
            documents,
            label_set,
            work,
            folds=folds,
            on_progress=lambda progress: report("Training", progress.completed, progress.total),
        )
    write_json_lines(
        work / "words.jsonl",
        (
            {"id": document.id, **chances.to_json()}
            for document, (_, chances) in zip(documents, predictions, strict=True)
        ),
    )
    found = find_label_issues(documents, predictions)[:top]
    table = label_issue_table(found)
    summary = f"{len(found)} places in {len(documents)} documents of {gold.name}, worst first."
    if output is not None:
        write_json_lines(output, map(label_issue_to_json, found))
    if html is not None:
        write_text(html, render_tables("Likely label errors", summary, [table]))
    brief = DataTable(table.title, table.columns[:-1], tuple(row[:-1] for row in table.rows))
    print_tables([brief], Console(), 20)
    if session is not None and annotators is not None:
        with connect(home, url, username, password) as (doccano, alive), show_progress() as report:
            made = push_documents(
                doccano,
                session,
                worst_documents(found),
                split_names(annotators),
                label_set,
                overlap=0,
                guidelines=with_keys(label_set, load_guidelines(label_set, labels)),
                alive=alive,
                report=report,
            )
        for name in made.projects:
            typer.echo(f"{name} looks at {len(made.pushed(name))} of them at {made.link(name)}")
