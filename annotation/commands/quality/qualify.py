"""`orbat annotate qualify`: score annotators on known documents before they begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....interruption import when_interrupted
from ....terminal import echo, echo_json
from ..options import (
    ANY_FORMAT,
    Home,
    Json,
    Labels,
    PasswordStdin,
    SessionFolder,
    Url,
    Username,
    connect,
    print_invitation,
    print_page_hint,
    read_labeled,
    split_names,
)

if TYPE_CHECKING:
    from ...quality.qualification import Qualification


@when_interrupted("what doccano has stands; the same command completes it")
def qualify(
    gold: Annotated[Path, typer.Argument(help=f"Known documents with gold spans, {ANY_FORMAT}.")],
    session: SessionFolder,
    annotators: Annotated[str, typer.Option(help="Account names, separated by commas.")],
    bar: Annotated[float, typer.Option(help="Strict F1 that passes.")] = 0.9,
    documents: Annotated[
        int | None, typer.Option(min=1, help="Documents of a round; default: all that are left.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Begin another round, with other documents, for those who did not pass."
        ),
    ] = False,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Let annotators mark known documents, and score them. Run it again for the scores.

    The first call uploads the documents without suggestions; later calls score what is confirmed.
    When a round is over, a feedback page for the annotator is written. Exit code 1 means that an
    annotator has not passed.
    """
    from ....corpus.labels import load_guidelines, load_labels
    from ....ui import progress_bars
    from ...guide import with_keys
    from ...quality.qualification import QualificationPlan
    from ...quality.qualification import qualify as qualify_annotators
    from ...quality.qualification_records import Verdict

    label_set = load_labels(labels)
    plan = QualificationPlan(
        tuple(read_labeled(gold, label_set.names, spans_required=True)),
        label_set,
        bar,
        documents,
        with_keys(label_set, load_guidelines(label_set, labels)),
    )
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        states = qualify_annotators(
            client, session, split_names(annotators), plan, again=again, on_progress=on_progress
        )
    if json_output:
        echo_json([state.to_json() for state in states])
    else:
        for state in states:
            _print_state(state)
        print_page_hint(client)
    if not all(state.verdict in (Verdict.BEGUN, Verdict.PASSED) for state in states):
        raise typer.Exit(1)


def _print_state(state: Qualification) -> None:
    from rich.console import Console

    from ....ui import format_interval, format_value, print_tables
    from ...quality.qualification_records import Verdict
    from ...quality.scores import annotator_score_table

    name, number = state.round.annotator, state.round.number
    if state.verdict is Verdict.BEGUN:
        password = f" (password {state.password})" if state.password else ""
        echo(f"'{name}'{password} marks {state.documents} documents, round {number}: {state.link}")
        print_invitation(name, state.invitation)
        return
    if state.evaluation is not None:
        title = f"{name}, round {number}: {state.confirmed} of {state.documents} documents"
        print_tables([annotator_score_table(title, state.evaluation)], Console())
    if state.verdict is Verdict.OPEN:
        echo(f"'{name}': not yet, {state.documents - state.confirmed} documents are open")
        echo(f"next document of {name}: {state.link}")
        return
    score = state.score
    assert score is not None
    interval = format_interval(score.low, score.high)
    echo(
        f"'{name}': {state.verdict}, strict F1 {format_value(score.f1)} (95 % interval {interval}) "
        f"against a bar of {state.bar:g}"
    )
    echo(f"feedback for {name}: {state.round.feedback_file}")
