"""`orbat publish`: upload a model, and gold, to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...interruption import when_interrupted
from ...terminal import echo, echo_json

if TYPE_CHECKING:
    from ..hub.contents import HubContents
    from ..hub.publishing import HubTarget


@when_interrupted("a repository changes in one commit only; the same command completes the upload")
def publish(
    model: Annotated[
        Path,
        typer.Argument(
            help="A wheel file, a checkpoint of transformers (folder), or a run folder, of which a "
            "checkpoint is published."
        ),
    ],
    to: Annotated[str, typer.Option(metavar="OWNER/NAME", help="The model's repository.")],
    gold: Annotated[
        Path | None,
        typer.Option(help="Gold documents to publish as well, as a data set with a card."),
    ] = None,
    gold_to: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="The data set's repository; default: --to."),
    ] = None,
    gold_license: Annotated[
        str | None, typer.Option(help="License of the gold, for its card, such as cc0-1.0.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Create what everybody can see; default: private.")
    ] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(help="Address of another server; default: HF_ENDPOINT, or huggingface.co."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show which files would be sent where; send nothing."),
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish a model, and gold, on the Hugging Face Hub.

    All files are listed before they are sent. The token is that of HF_TOKEN or of hf auth login.
    """
    from ...corpus.output.atomic import open_scratch_folder
    from ...errors import InputError
    from ..hub.contents import gold_contents, model_contents
    from ..hub.publishing import make_target
    from ..hub.publishing import publish as upload

    if gold is None and (gold_to or gold_license):
        raise InputError("--gold-to and --gold-license need --gold")
    targets = [make_target(to, endpoint, public=public)]
    targets += [make_target(gold_to or to, endpoint, public=public)] if gold else []
    with open_scratch_folder() as scratch:
        contents = [model_contents(model, scratch)]
        contents += [gold_contents(gold, gold_license)] if gold else []
        uploads = list(zip(contents, targets, strict=True))
        if not json_output:
            for part, target in uploads:
                _print_contents(part, target)
        results = []
        for part, target in uploads:
            commit = None if dry_run else upload(part, target)
            results.append(_to_json(part, target, commit))
            if commit is not None:
                echo(f"published: {commit}", err=json_output)
    if json_output:
        echo_json(results)
    elif dry_run:
        echo("nothing was sent (--dry-run)")


def _print_contents(contents: HubContents, target: HubTarget) -> None:
    from rich.console import Console

    from ...ui import DataTable, print_tables

    rows = tuple((file.path, file.size) for file in contents.files)
    access = "public" if target.public else "private"
    total = sum(file.size for file in contents.files)
    echo(f"{target.address(contents.kind)} ({contents.kind}, {access})")
    note = f"files: {len(rows)}, bytes: {total:,}"
    print_tables([DataTable("Files", ("file", "bytes"), rows, note=note)], Console(), len(rows))
    for note in contents.notes:
        echo(note)
    if contents.left_out:
        echo(f"left out: {', '.join(contents.left_out)}")


def _to_json(contents: HubContents, target: HubTarget, commit: str | None) -> dict[str, Any]:
    return {
        "address": target.address(contents.kind),
        "kind": contents.kind,
        "public": target.public,
        "files": [{"path": file.path, "bytes": file.size} for file in contents.files],
        "left_out": contents.left_out,
        "notes": contents.notes,
        "commit": commit,
    }
