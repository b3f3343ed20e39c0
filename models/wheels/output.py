"""The output folder of `orbat package`, which one process at a time writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...corpus.output.locks import lock_folder

CARD_FILE = "MODEL_CARD.md"
"""The model card, beside the wheel."""
CHECKPOINT_FOLDER = "transformers"
"""Folder of the output with the transformers checkpoint."""
_DRAFTS = ".orbat-package"


@contextmanager
def own_output(output: Path) -> Iterator[Path]:
    """Keep other packagings from an output folder, and yield a folder in it for drafts.

    Args:
        output: the folder; created if it does not exist.

    Raises:
        InputError: if another process writes the output, or it cannot be written.
    """
    drafts = output / _DRAFTS
    with lock_folder(output, keep=False):
        # Of a killed process.
        shutil.rmtree(drafts, ignore_errors=True)
        drafts.mkdir()
        try:
            yield drafts
        finally:
            shutil.rmtree(drafts, ignore_errors=True)
