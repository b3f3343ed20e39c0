"""`orbat annotate guide`: write the annotators' guide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...terminal import echo
from .options import Labels


def guide(
    output: Annotated[Path, typer.Argument(help="HTML page to write.")],
    labels: Labels = None,
) -> None:
    """Write a page for annotators: how to annotate, with pictures, and the labels' keys."""
    from ...corpus.files import write_text
    from ...corpus.labels import load_labels
    from ..guide import render_guide

    write_text(output, render_guide(load_labels(labels)))
    echo(f"annotators' guide in {output}; open it in a browser, or print it")
