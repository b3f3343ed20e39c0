"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...annotation.commands.options import ANY_FORMAT


class Engine(StrEnum):
    """The engine that processes documents: this process or a Ray cluster."""

    local = "local"
    ray = "ray"


CorpusArgument = Annotated[Path, typer.Argument(help=f"The corpus, {ANY_FORMAT}.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ReportOption = Annotated[Path | None, typer.Option(help="Write an HTML report to this file.")]
