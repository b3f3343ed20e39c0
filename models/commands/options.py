"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Threshold = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[LABEL=]NUMBER",
        help="Leave out entities of lower confidence; of one label only with LABEL=. Repeatable.",
    ),
]
TargetPrecision = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[LABEL=]NUMBER",
        help="Use the lowest threshold with this precision on the dev documents: those of the "
        "run folder, or the table in the wheel. Repeatable with LABEL=.",
    ),
]
