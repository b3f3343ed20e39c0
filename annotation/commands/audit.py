"""`orbat annotate audit`: find likely label errors in gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo
from .options import (
    ANY_FORMAT,
    Home,
    Labels,
    PasswordStdin,
    Url,
    Username,
    connect,
    print_invitation,
    print_page_hint,
    read_labeled,
    split_names,
)


@when_interrupted("the finished models stand; the same command goes on with the others")
def audit(
    gold: Annotated[Path, typer.Argument(help=f"Gold documents to check, {ANY_FORMAT}.")],
    work: Annotated[
        Path, typer.Option(help="Folder of the training runs; run again to resume there.")
    ],
    recipe: Annotated[str, typer.Option(help="Recipe of the models.")] = "quick",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Number of cross-validation folds.")] = 5,
    top: Annotated[int, typer.Option(min=1, help="Maximum number of issues to report.")] = 100,
    output: Annotated[
        Path | None, typer.Option(help="File to write the issues to (JSON Lines).")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    session: Annotated[
        Path | None,
        typer.Option(help="Session folder to push the documents with issues to, for review."),
    ] = None,
    annotators: Annotated[
        str | None, typer.Option(help="Account names for --session, separated by commas.")
    ] = None,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Find likely label errors in gold, with models that were not trained on the document.

    The models' label probabilities of every word are written to WORK/words.jsonl.
    """
    from rich.console import Console

    from ...corpus.files import check_output_file, write_json_lines, write_text
    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...training.experiments.label_audit import audit_labels
    from ...training.recipe import load_recipe
    from ...ui import DataTable, print_tables, progress_bars, render_tables
    from ..guide import with_keys
    from ..label_issues import label_issue_table, label_issue_to_json

    if (session is None) != (annotators is None):
        raise InputError("--session and --annotators go together; pass both or neither")
    for path in (output, html):
        check_output_file(path, gold)
    label_set = load_labels(labels)
    documents = list(read_labeled(gold, label_set.names))
    loaded_recipe = load_recipe(recipe, settings or [])
    with progress_bars() as on_progress:
        result = audit_labels(
            *(loaded_recipe, documents, label_set, work),
            folds=folds,
            top=top,
            on_progress=on_progress,
        )
    table = label_issue_table(result.issues)
    if output is not None:
        write_json_lines(output, map(label_issue_to_json, result.issues))
    if html is not None:
        summary = (
            f"{len(result.issues)} issues in {result.sample.documents} documents of {gold.name}, "
            f"most likely first; {result.sample.note()}."
        )
        write_text(html, render_tables("Likely label errors", summary, [table]))
    # The last column, the context, is too wide for a terminal.
    brief = DataTable(table.title, table.columns[:-1], tuple(row[:-1] for row in table.rows))
    print_tables([brief], Console(), 20)
    echo(result.sample.note())
    if session is None or annotators is None:
        return
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        pushed = result.push_for_review(
            *(client, session, split_names(annotators)),
            guidelines=with_keys(label_set, load_guidelines(label_set, labels)),
            on_progress=on_progress,
        )
    for share in pushed.shares:
        echo(f"{share.annotator} reviews {share.documents} documents at {share.link}")
        print_invitation(share.annotator, share.invitation)
    print_page_hint(client)
