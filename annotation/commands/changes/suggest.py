"""`orbat annotate suggest`: replace the suggestions in documents that nobody has begun."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....interruption import when_interrupted
from ....terminal import echo
from ..options import (
    MODELS,
    Home,
    LabelMap,
    PasswordStdin,
    SessionFolder,
    Url,
    Username,
    connect,
    load_optional_model,
    print_left_out_labels,
    read_labeled,
)
from ..push import build_taggers

if TYPE_CHECKING:
    from ....corpus.document import Document
    from ...session.changes.replacing_suggestions import SuggestionAccuracy


@when_interrupted("the documents written so far have new suggestions; the same command goes on")
def suggest(
    session: SessionFolder,
    model: Annotated[str, typer.Option(help=f"{MODELS}, for suggestions.")],
    label_map: LabelMap = None,
    suggesters: Annotated[
        str,
        typer.Option(
            "--suggest",
            help="What suggests spans: model, rules+model or model+rules (the first wins where "
            "both overlap).",
        ),
    ] = "model+rules",
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Gold documents to measure the suggestions on, before anything is replaced, "
            "beside the confirmed documents."
        ),
    ] = None,
    gazetteer: Annotated[
        Path | None,
        typer.Option(help="Gazetteer file; default: the shipped one for defence news."),
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Replace the suggestions in documents that nobody has begun, and compare old and new ones.

    The accuracy is printed before anything is replaced. Begun are documents with a span that
    somebody added, deleted, changed or accepted, with a comment, and confirmed ones. doccano does
    not record who has only read a document: annotators who have one of the others open should load
    the page again.
    """
    from rich.console import Console

    from ....models.commands.remote import print_notes
    from ....ui import print_tables, progress_bars
    from ...session.changes.replacing_suggestions import replace_suggestions, replacement_tables
    from ...session.folder import open_session
    from ...session.guidelines import read_guideline_log
    from ...suggestions import suggestion_table

    labels = open_session(session).labels
    versions = read_guideline_log(session)
    latest = versions.text(versions.versions[-1].number) if versions.versions else ""
    tagger = load_optional_model(model, label_map or (), labels, latest)
    assert tagger is not None
    print_left_out_labels(tagger, labels)
    gold_documents: list[Document] = []
    if gold is not None:
        gold_documents = list(read_labeled(gold, labels.names, spans_required=True))
    console = Console()

    def print_accuracy(accuracy: SuggestionAccuracy) -> None:
        if gold is not None and accuracy.gold is not None:
            table = suggestion_table(accuracy.gold, gold, gold_documents, tagger)
            print_tables([table], console)
        print_tables(replacement_tables(accuracy), console)
        if accuracy.new is None and accuracy.gold is None:
            echo(
                "the suggestions were not measured: no document to measure on is confirmed yet; "
                "pass gold documents with --gold"
            )

    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        result = replace_suggestions(
            client,
            session,
            build_taggers(suggesters, labels, model=tagger, gazetteer=gazetteer),
            seen=tagger.seen,
            gold=gold_documents,
            on_measured=print_accuracy,
            on_progress=on_progress,
        )
    print_notes(tagger)
    if result.seen:
        echo(
            f"the model was trained or selected on {result.seen} of the {result.confirmed} "
            "confirmed documents, which were not measured"
        )
    for annotator, count in result.replaced.items():
        echo(f"{count} documents of {annotator} have new suggestions")
    replaced = sum(result.replaced.values())
    echo(
        f"{replaced} documents replaced and verified; {result.unchanged} have the same "
        f"suggestions, {result.begun} are begun and {result.confirmed} confirmed, and were left "
        "as they are"
    )
