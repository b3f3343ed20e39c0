"""The options of `orbat annotate push` that add control documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import read_labeled

if TYPE_CHECKING:
    from ....corpus.labels import LabelSet
    from ...quality.control_documents import ControlPlan

ControlFile = Annotated[
    Path | None,
    typer.Option(
        "--control",
        help="Gold documents to hide among the documents; orbat annotate status scores them.",
    ),
]
ControlShare = Annotated[
    float, typer.Option(help="Share of control documents among all documents, up to 0.5.")
]


def plan_control(path: Path | None, share: float, labels: LabelSet) -> ControlPlan | None:
    """Return what control documents to add; None without a file.

    Args:
        path: the gold documents.
        share: their share.
        labels: the label set of the session.

    Raises:
        InputError: if the file cannot be read or has another label, or the share is invalid.
    """
    from ...quality.control_documents import ControlPlan

    if path is None:
        return None
    gold = read_labeled(path, labels.names, spans_required=True)
    return ControlPlan(tuple(gold), share)
