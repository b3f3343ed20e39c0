"""`orbat annotate push`: assign documents to annotators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo
from .options import (
    ANY_FORMAT,
    MODELS,
    Home,
    LabelMap,
    Labels,
    PasswordStdin,
    SessionFolder,
    Url,
    Username,
    connect,
    load_optional_model,
    print_invitation,
    print_left_out_labels,
    print_page_hint,
    read_labeled,
    split_names,
)
from .quality.control import ControlFile, ControlShare, plan_control

if TYPE_CHECKING:
    from ...corpus.document import Document
    from ...corpus.labels import LabelSet
    from ...corpus.tagger import Tagger
    from ...evaluation.metrics import Evaluation
    from ..session.push import Pushed

_SHARES = "Who gets what"
_SUGGESTED = "Suggestions"
"""Groups of options in the help."""


SOURCES = ("rules", "model", "rules+model", "model+rules", "none")
"""Values of `--suggest`. Where spans of two sources overlap, the first source takes precedence."""


@when_interrupted("what doccano has stands; the same command completes the push")
def push(
    documents: Annotated[Path, typer.Argument(help=f"Documents, {ANY_FORMAT}.")],
    session: SessionFolder,
    annotators: Annotated[
        str, typer.Option(help="Account names, separated by commas.", rich_help_panel=_SHARES)
    ],
    overlap: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of the documents that several annotators read; each of the others gets "
            "one annotator.",
            rich_help_panel=_SHARES,
        ),
    ] = 1.0,
    readers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many annotators read a document of that share; default: all of them.",
            rich_help_panel=_SHARES,
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Maximum number of unconfirmed documents per annotator; push again to add more.",
            rich_help_panel=_SHARES,
        ),
    ] = None,
    control: ControlFile = None,
    control_share: ControlShare = 0.1,
    labels: Labels = None,
    suggest: Annotated[
        str | None,
        typer.Option(
            help="What suggests spans for documents without spans: rules, model, rules+model, "
            "model+rules (the first wins where both overlap) or none. Default: rules, with "
            "--model model+rules.",
            rich_help_panel=_SUGGESTED,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help=f"{MODELS}, for suggestions.", rich_help_panel=_SUGGESTED)
    ] = None,
    label_map: LabelMap = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            help="Gold documents to measure the suggestions on, before anything is uploaded; "
            "default: the shipped dev articles, but for models that get texts sent.",
            rich_help_panel=_SUGGESTED,
        ),
    ] = None,
    gazetteer: Annotated[
        Path | None,
        typer.Option(
            help="Gazetteer file; default: the shipped one for defence news.",
            rich_help_panel=_SUGGESTED,
        ),
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Assign documents to annotators and upload them to doccano. Idempotent."""
    from rich.console import Console

    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...models.commands.remote import print_notes
    from ...ui import print_tables, progress_bars
    from ..guide import with_keys
    from ..session.folder import SESSION_FORMAT, is_round
    from ..session.push import push as push_documents
    from ..session.push import share_table
    from ..suggestions import DEFAULT_GOLD, suggestion_table

    if is_round(session):
        raise InputError(f"{session}: is an adjudication round; name another folder")
    label_set = load_labels(labels)
    text = load_guidelines(label_set, labels)
    guidelines = with_keys(label_set, text)
    pushable = list(read_labeled(documents, label_set.names))
    tagger = load_optional_model(model, label_map or (), label_set, text)
    sources = suggest or ("model+rules" if model else "rules")
    suggesters = build_taggers(sources, label_set, model=tagger, gazetteer=gazetteer)
    print_left_out_labels(tagger, label_set)
    is_remote = tagger is not None and tagger.address is not None
    gold_file = gold or (DEFAULT_GOLD if labels is None and not is_remote else None)
    gold_documents: list[Document] = []
    if gold_file and suggesters and not all(document.spans for document in pushable):
        gold_documents = list(read_labeled(gold_file, label_set.names))
    console = Console()

    def print_accuracy(evaluation: Evaluation) -> None:
        assert gold_file is not None
        table = suggestion_table(evaluation, gold_file, gold_documents, tagger)
        print_tables([table], console)

    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        pushed = push_documents(
            client,
            session,
            pushable,
            split_names(annotators),
            label_set,
            suggesters=suggesters,
            gold=gold_documents,
            overlap=overlap,
            readers=readers,
            batch=batch,
            control=plan_control(control, control_share, label_set),
            guidelines=guidelines,
            on_measured=print_accuracy,
            on_progress=on_progress,
        )
    print_notes(tagger)
    if pushed.upgraded:
        echo(f"{session}: now a session of format {SESSION_FORMAT}, which earlier versions refuse")
    if pushed.guidelines_updated:
        names = ", ".join(pushed.guidelines_updated)
        echo(f"the guidelines have changed, and were replaced for {names}")
    _print_notes(pushed, suggested=bool(suggesters))
    if readers is not None and pushed.assigned_before:
        echo(
            f"{pushed.assigned_before} documents were assigned before and keep their annotators; "
            "--readers is for new ones"
        )
    if control is not None and not pushed.control:
        echo("no control documents were added: there are no new documents, or no other gold")
    elif control is not None:
        echo(f"the session has {pushed.control} control documents, listed in {session / 'control'}")
    print_tables([share_table(pushed)], console, len(pushed.shares))
    for share in pushed.shares:
        if share.documents or share.waiting:
            echo(f"first document of {share.annotator}: {share.link}")
        else:
            echo(
                f"'{share.annotator}' has no documents: all of these were assigned before; "
                f"orbat annotate assign --session {session} --add {share.annotator} gives some"
            )
        print_invitation(share.annotator, share.invitation)
    print_page_hint(client)
    echo(
        f"{len(pushed.documents)} documents with {pushed.spans} suggested spans, {pushed.shared} "
        "with several annotators; all uploaded documents are verified on the server"
    )


def _print_notes(pushed: Pushed, *, suggested: bool) -> None:
    """Print which suggestions and spans were not measured."""
    if suggested and pushed.evaluation is None and pushed.labeled < len(pushed.documents):
        echo("the suggestions were not measured; pass gold documents with --gold")
    if suggested and pushed.labeled:
        echo(f"{pushed.labeled} documents keep their spans, which were not measured")


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
                f"{', '.join(labels.names)}; pass the label set that it was trained on, or rename "
                "its labels with --map LABEL=NAME"
            )
        taggers.append(model)
    return taggers
