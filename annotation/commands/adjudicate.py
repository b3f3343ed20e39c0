"""`orbat annotate adjudicate`: merge annotation sets into gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Home, Labels, Password, Unconfirmed, Url, Username, connect


def adjudicate(
    readings: Annotated[list[Path], typer.Argument(help="Each annotator's documents.")],
    output: Annotated[Path, typer.Option(help="Gold documents to write (JSON Lines).")],
    policy: Annotated[
        str,
        typer.Option(
            help="How conflicts are settled: majority, union, prefer:NAME, or manual for an "
            "adjudication round in doccano."
        ),
    ] = "majority",
    session: Annotated[
        Path | None, typer.Option(help="Folder of the adjudication round (policy manual).")
    ] = None,
    adjudicator: Annotated[
        str, typer.Option(help="Account that settles the conflicts (policy manual).")
    ] = "adjudicator",
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="HTML page of what was disputed, to mend the guidelines by."),
    ] = None,
    unconfirmed: Unconfirmed = False,
    texts: Annotated[
        Path | None, typer.Option(help="Documents with the texts, where the readings lack them.")
    ] = None,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Merge readings to gold: agreed spans pass, conflicts are settled by a policy.

    With policy manual the first call puts the conflicts before the adjudicator, who settles
    each by one key; call it again when they are confirmed there.
    """
    from ...corpus.files import read_documents, write_documents, write_text
    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...ui import progress_bars, render_tables
    from ..adjudication.annotation_sets import compare_annotation_sets, read_annotation_set
    from ..adjudication.conflicts import check_policy, make_gold
    from ..adjudication.report import conflict_tables
    from ..adjudication.round import run_round
    from ..guide import with_keys

    label_set = load_labels(labels)
    known = {d.id: d for d in read_documents(texts)} if texts else None
    read = [read_annotation_set(path, label_set.names, known) for path in readings]
    check_policy(policy, [reading.name for reading in read])
    comparisons, left_out = compare_annotation_sets(read, unconfirmed=unconfirmed)
    if not comparisons:
        raise InputError(
            "no document is confirmed by all annotators; confirm some, or pass --unconfirmed"
        )
    if not all(comparison.document.text for comparison in comparisons):
        raise InputError("the readings have no texts; pass the documents with --texts FILE")
    conflicts = sum(len(comparison.conflicts) for comparison in comparisons)
    if left_out:
        typer.echo(f"{len(left_out)} documents left out: not confirmed by all annotators", err=True)
    if policy == "manual":
        if session is None:
            raise InputError("policy manual needs --session FOLDER for the adjudication round")
        with (
            connect(home, url, username, password) as client,
            progress_bars() as on_progress,
        ):
            state = run_round(
                client,
                session,
                comparisons,
                label_set,
                adjudicator=adjudicator,
                guidelines=with_keys(label_set, load_guidelines(label_set, labels)),
                on_progress=on_progress,
            )
        if state.open:
            typer.echo(
                f"{state.open} of {conflicts} conflicts are open, {state.new} of them new. "
                f"'{adjudicator}' (password {state.password or 'theirs'}) settles them at"
            )
            for link in state.links:
                typer.echo(f"  {link}")
            typer.echo(
                "by the number of the right reading, 0 for no span or x for none of them, then "
                "Enter; run this command again then. Nothing is written yet"
            )
            raise typer.Exit(0 if state.new else 1)
        gold = list(state.gold)
    else:
        gold = [make_gold(comparison, policy) for comparison in comparisons]
    count = write_documents(output, gold)
    typer.echo(f"{count} gold documents in {output}; {conflicts} conflicts settled by {policy}")
    alone = sum(len(comparison.annotators) == 1 for comparison in comparisons)
    if alone:
        typer.echo(f"{alone} of them stand as their only annotator marked them")
    if report_file is not None:
        summary = f"{conflicts} conflicts in {count} documents, settled by {policy}."
        page = render_tables("What the annotators disputed", summary, conflict_tables(gold))
        write_text(report_file, page)
