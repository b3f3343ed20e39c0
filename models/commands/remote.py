"""What commands say of models that send texts to an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal import echo

if TYPE_CHECKING:
    from ..model import Model


def announce(model: Model) -> Model:
    """Say where a model sends texts, before it sends any; return the model."""
    if model.address is not None:
        echo(f"the texts are sent to {model.address}", err=True)
    return model


def print_notes(model: Model | None) -> None:
    """Say what a model sent, what it cost and what was left out; nothing of one that sends none."""
    for note in model.notes() if model is not None else ():
        echo(note, err=True)
