"""Convert between corpus formats: `orbat annotate convert`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ...corpus.document import Document


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File or folder to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or new folder to write.")],
    source_form: Annotated[str, typer.Option("--from", metavar="FORM", help="Form of IN.")],
    target_form: Annotated[
        str, typer.Option("--to", metavar="FORM", help="Form of OUT.")
    ] = "jsonl",
    labels: Annotated[
        Path | None, typer.Option(help="Label set file; spans of other labels are left out.")
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="Tags of conll, iob and words-tags: bio or bilou.")
    ] = "bio",
) -> None:
    """Turn an annotated corpus into another form, and say what cannot be kept.

    FORM is jsonl (orbat's own), doccano, brat, conll, iob, words-tags, docbin, labelstudio,
    prodigy, datasets or re3d. brat, words-tags, datasets and re3d are folders, the others files.
    """
    from ...corpus.labels import load_labels
    from ...ui import counting
    from ..formats.conversion import read_format, write_format
    from ..formats.conversion_report import ConversionReport

    wanted = load_labels(labels).names if labels else None
    losses = ConversionReport()
    with counting("Converting") as report:

        def counted() -> Iterator[Document]:
            documents = read_format(source, source_form, losses, wanted)
            for number, document in enumerate(documents, start=1):
                yield document
                report(number)

        written = write_format(target, target_form, counted(), losses, wanted, scheme=scheme)
    typer.echo(f"{written} documents in {target}")
    for what, number in sorted((+losses).items()):
        typer.echo(f"left out: {number} {what}", err=True)
