"""`orbat annotate`: its commands, in the order of the work."""

from __future__ import annotations

import typer

from ..transfer.commands import backup, clone, move, restore
from .adjudicate import adjudicate
from .agree import agree
from .audit import audit
from .changes.labels import labels
from .changes.reopen import reopen
from .changes.suggest import suggest
from .convert import convert
from .guide import guide
from .history import history
from .pull import pull
from .push import push
from .quality.qualify import qualify
from .replay import replay
from .select import select
from .server import down, page, up
from .status import status
from .team.assign import assign
from .team.password import password

app = typer.Typer(
    no_args_is_help=True, help="Annotate documents in doccano and create gold from the annotations."
)


@app.callback()
def annotate() -> None:
    """Annotate documents in doccano and create gold from the annotations."""


for command in (
    *(up, down, qualify, push, assign, password, status, pull, history, reopen, labels, suggest),
    *(replay, agree, adjudicate, select, audit, guide, convert, page),
    *(backup, restore, move, clone),
):
    app.command()(command)
