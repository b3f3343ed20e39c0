"""The license of a wheel whose weights orbat did not train."""

from __future__ import annotations

import re
from pathlib import Path

from ..package_info import CODE_LICENSE, PackageLicense

LICENSE_FILES = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
"""Files of a checkpoint that are handed over with its weights."""


def checkpoint_license(weights: str, folder: Path) -> PackageLicense:
    """Return the license of a wheel with a checkpoint's weights.

    Both licenses apply: that of the code, and that of the weights. The Hub's names of licenses are
    SPDX identifiers in lower case; others, such as `llama3`, `other` and `unknown`, become SPDX's
    form for a license that it does not list, `LicenseRef-NAME`.

    Args:
        weights: the name of the weights' license.
        folder: the checkpoint; its license texts are handed over.
    """
    texts = sorted(path for pattern in LICENSE_FILES for path in folder.glob(pattern))
    files = {f"weights-{path.name}": path for path in texts if path.is_file()}
    identifier = _spdx_identifier(weights)
    code = CODE_LICENSE.expression
    expression = code if identifier == code else f"{code} AND {identifier}"
    return PackageLicense(expression, {**CODE_LICENSE.files, **files})


def _spdx_identifier(name: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    reference = f"LicenseRef-{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}"
    if re.search(r"\s", name):  # an expression, or free text
        return reference
    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return reference
