"""Which runs count as seeds of one system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from orbat import __version__
from orbat.models.loading import load_model
from orbat.models.model import Model
from orbat.training.run_folder import finish_run, read_manifest
from tests.conftest import ROOT


def changed(run: Path, folder: Path, **fields: Any) -> Model:
    """Return a copy of a run whose manifest has other fields, loaded."""
    shutil.copytree(run, folder)
    manifest = read_manifest(run)
    finish_run(folder, {**manifest, **fields})
    return load_model(folder)


def test_seeds_count_as_one_system_and_other_code_as_another(
    rules_run: Path, tmp_path: Path
) -> None:
    manifest, model = read_manifest(rules_run), load_model(rules_run)
    other_seed = changed(
        rules_run, tmp_path / "seed", recipe={**manifest["recipe"], "seed": 7}, machine={}
    )
    assert other_seed.family == model.family
    assert other_seed.fingerprint != model.fingerprint
    code = {**manifest["code"], "commit": "0" * 40}
    assert changed(rules_run, tmp_path / "commit", code=code).family == model.family
    code = {**manifest["code"], "version": "0.0.9"}
    assert changed(rules_run, tmp_path / "version", code=code).family != model.family


def test_a_manifest_names_the_code_and_the_threads(rules_run: Path) -> None:
    manifest = read_manifest(rules_run)
    assert manifest["code"]["version"] == __version__
    assert manifest["machine"]["threads"] == 1
    if (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
        head = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert manifest["code"]["commit"].removesuffix("-dirty") == head
