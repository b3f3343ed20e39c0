"""The license of a wheel whose weights orbat did not train."""

from __future__ import annotations

from pathlib import Path

from ...training.transformer.encoder import LICENSE_FILES
from ..package_info import CODE_LICENSE, PackageLicense, license_expression


def checkpoint_license(weights: str, folder: Path) -> PackageLicense:
    """Return the license of a wheel with a checkpoint's weights.

    Args:
        weights: the name of the weights' license.
        folder: the checkpoint; its license texts are handed over.
    """
    texts = sorted(path for pattern in LICENSE_FILES for path in folder.glob(pattern))
    files = {f"weights-{path.name}": path for path in texts if path.is_file()}
    return PackageLicense(license_expression(weights), {**CODE_LICENSE.files, **files})
