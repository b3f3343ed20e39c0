"""`orbat annotate adjudicate`: merge annotation sets into gold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo
from .options import (
    ANY_FORMAT,
    Home,
    Labels,
    PasswordStdin,
    Texts,
    Unconfirmed,
    Url,
    Username,
    connect,
    print_invitation,
    print_notices,
    print_page_hint,
    read_labeled,
)

if TYPE_CHECKING:
    from ..adjudication.adjudicate import Adjudication


@when_interrupted(
    "no gold was written, and what the adjudicator answered stands; run the command again"
)
def adjudicate(
    annotation_sets: Annotated[
        list[Path], typer.Argument(help=f"Each annotator's documents {ANY_FORMAT}; two or more.")
    ],
    output: Annotated[Path, typer.Option(help="Gold documents to write (JSON Lines).")],
    policy: Annotated[
        str | None,
        typer.Option(
            help="How conflicts are resolved: majority (of two who differ, neither's spans are "
            "gold), union, prefer:NAME, or manual for an adjudication round in doccano. By default "
            "by majority, and conflicts without one are refused."
        ),
    ] = None,
    session: Annotated[
        Path | None, typer.Option(help="Folder of the adjudication round (policy manual).")
    ] = None,
    adjudicator: Annotated[
        str, typer.Option(help="Account that resolves the conflicts (policy manual).")
    ] = "adjudicator",
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="HTML report of the conflicts, to improve the guidelines."),
    ] = None,
    unconfirmed: Unconfirmed = False,
    texts: Texts = None,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Merge annotation sets into gold. Conflicts are resolved by a policy.

    With policy manual the first call uploads the conflicts to doccano, where the adjudicator
    answers each with one key. Run the command again when the answers are confirmed.
    """
    from ...corpus.files import check_output_file, write_documents, write_text
    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...ui import progress_bars, render_tables
    from ..adjudication.adjudicate import adjudicate as merge
    from ..adjudication.adjudicate import adjudicate_manually
    from ..adjudication.policies import MANUAL
    from ..adjudication.report import conflict_tables
    from ..adjudication.set_files import read_set
    from ..gold_files import GoldReader

    for path in (output, report_file):
        check_output_file(path, *annotation_sets, texts)
    label_set = load_labels(labels)
    documents = {d.id: d for d in read_labeled(texts)} if texts else None
    reader = GoldReader(has_options=False)
    sets = [read_set(path, label_set.names, reader, documents) for path in annotation_sets]
    print_notices(reader)
    if policy == MANUAL:
        if session is None:
            raise InputError("policy manual needs --session FOLDER for the adjudication round")
        with (
            connect(home, url, username, password_stdin, session) as client,
            progress_bars() as on_progress,
        ):
            result = adjudicate_manually(
                client,
                session,
                sets,
                label_set,
                adjudicator=adjudicator,
                guidelines=load_guidelines(label_set, labels),
                unconfirmed=unconfirmed,
                on_progress=on_progress,
            )
    else:
        result = merge(sets, policy, unconfirmed=unconfirmed)
    if result.skipped:
        count = len(result.skipped)
        echo(f"{count} documents skipped: fewer than two annotators have confirmed them", err=True)
    for line in result.matches.lines():
        echo(line, err=True)
    if result.round is not None and result.round.open:
        _print_open_conflicts(result, adjudicator)
        print_page_hint(client)
        raise typer.Exit(0 if result.round.new else 1)
    count = write_documents(output, result.gold)
    resolved = result.conflicts - result.undecided
    echo(f"{count} gold documents in {output}; {resolved} conflicts resolved by {result.policy}")
    if result.undecided:
        echo(
            f"{result.undecided} conflicts have no majority, so that their spans are left out of "
            "the gold; choose --policy union, prefer:NAME or manual to keep the right ones",
            err=True,
        )
    if result.single:
        echo(f"{result.single} of them have one annotator only, whose spans are gold")
    if report_file is not None:
        summary = (
            f"{result.conflicts} conflicts in {count} documents, {resolved} of them resolved by "
            f"{result.policy}."
        )
        page = render_tables("Conflicts between annotators", summary, conflict_tables(result.gold))
        write_text(report_file, page)


def _print_open_conflicts(result: Adjudication, adjudicator: str) -> None:
    state = result.round
    assert state is not None
    password = f" (password {state.password})" if state.password else ""
    echo(
        f"{state.open} of {result.conflicts} conflicts are open, {state.new} of them new. "
        f"'{adjudicator}'{password} resolves them at"
    )
    for link in state.links:
        echo(f"  {link}")
    print_invitation(adjudicator, state.invitation)
    echo(
        "One key resolves each: the number of the right answer, 0 for no span or x for none of "
        "them; doccano's own page needs Enter, too. Run this command again afterwards. No gold "
        "was written yet"
    )
