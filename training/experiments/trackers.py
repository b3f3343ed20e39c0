"""Experiment trackers: programs that record and show losses and scores while a model trains."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError, describe_fault

TRACKERS = {
    "tensorboard": ("tensorboardX", "tensorboard"),
    "mlflow": ("mlflow",),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}
"""The packages with which each tracker works."""
TENSORBOARD_FOLDER = "tensorboard"
"""Folder of TensorBoard's files in a run folder."""
_QUIET = {
    "wandb": {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"},
    "mlflow": {"MLFLOW_DISABLE_TELEMETRY": "true"},
}
"""Variables that keep trackers from sending anything, unless they have other values already."""


def check_trackers(names: Sequence[str]) -> None:
    """Check that trackers are known and installed.

    Raises:
        InputError: naming the first one that is not.
    """
    for name in names:
        if name not in TRACKERS:
            raise InputError(f"--log {name}: no such tracker; choose from {', '.join(TRACKERS)}")
        if not any(importlib.util.find_spec(package) for package in TRACKERS[name]):
            raise InputError(f"--log {name}: is not installed; pip install {TRACKERS[name][0]}")


def make_trackers(names: Sequence[str], run: Path) -> list[Any]:
    """Return transformers' own callbacks for some trackers, which write to this machine.

    wandb is offline and mlflow sends no reports, unless the environment says otherwise.

    Args:
        names: keys of :data:`TRACKERS`.
        run: the run folder.

    Raises:
        InputError: if a tracker is unknown or not installed.
    """
    check_trackers(names)
    for name in names:
        for variable, value in _QUIET.get(name, {}).items():
            os.environ.setdefault(variable, value)
    from transformers.integrations.integration_utils import get_reporting_integration_callbacks

    callbacks = [make() for make in get_reporting_integration_callbacks(list(names))]
    for name, callback in zip(names, callbacks, strict=True):
        if name == "tensorboard" and callback.logging_dir is None:
            # The folder of the checkpoints, its default, is deleted after training.
            callback.logging_dir = str(run / TENSORBOARD_FOLDER)
        callback.on_train_begin = _explained(name, callback.on_train_begin)
    return callbacks


def _explained(name: str, begin: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that begins to record, and names the tracker if it cannot.

    A tracker raises what its libraries raise, such as for a server that does not answer.
    """

    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return begin(*arguments, **options)
        except Exception as error:
            raise InputError(
                f"--log {name}: cannot record ({describe_fault(error)}); set it up, or leave out "
                "--log, and run again with --resume"
            ) from error

    return run
