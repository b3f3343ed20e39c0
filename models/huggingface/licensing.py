"""The license of a wheel whose weights orbat did not train."""

from __future__ import annotations

from pathlib import Path

from ...training.transformer.encoder import LICENSE_FILES
from ..package_info import PackageLicense, weights_license


def checkpoint_license(weights: str, folder: Path, text: Path | None = None) -> PackageLicense:
    """Return the license of a wheel with a checkpoint's weights.

    Args:
        weights: the name of the weights' license.
        folder: the checkpoint; its license texts are handed over.
        text: another file with the text of this license.
    """
    found = sorted(path for pattern in LICENSE_FILES for path in folder.glob(pattern))
    texts = [path for path in found if path.is_file()]
    return weights_license(weights, texts if text is None else [*texts, text])
