"""`orbat doctor`: what is installed, what is missing, and what is broken."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

from tests.conftest import ROOT, Orbat
from tests.test_architecture import HEAVY, loaded_by


def test_everything_that_is_needed_is_there(orbat: Orbat, tmp_path: Path) -> None:
    outcome = orbat("doctor", "--json", "--home", tmp_path / "new")
    assert outcome.code == 0, outcome.out
    result = outcome.json()
    assert result["ok"] is True
    checks = {check["name"]: check for check in result["checks"]}
    assert f"torch {version('torch')}" in checks["packages of [train]"]["found"]
    assert checks["packages"]["state"] == "ok"
    assert checks["processors"]["found"].startswith(f"{len(os.sched_getaffinity(0))}")
    assert str(tmp_path / "new") in checks["doccano's home"]["found"]
    assert not (tmp_path / "new").exists()
    assert {"GPU", "memory", "disk", "threads", "browser", "nginx", "PostgreSQL"} <= set(checks)
    for check in result["checks"]:
        assert check["state"] == "ok" or check["mend"] or check["name"] == "GPU", check


def test_missing_programs_are_no_failure(orbat: Orbat, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    outcome = orbat("doctor", "--home", tmp_path / "new", env=environment)
    assert outcome.code == 0, outcome.out
    lines = outcome.out.splitlines()
    at = lines.index("missing  browser: none on this machine")
    assert lines[at + 1] == "         none where nobody annotates; else install Chromium or Firefox"
    assert any("HF_HUB_OFFLINE is set: only the cache is used" in line for line in lines)


def test_what_is_broken_is_named_with_the_mend(orbat: Orbat, tmp_path: Path) -> None:
    old = tmp_path / "packages" / "pydantic-1.0.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: pydantic\nVersion: 1.0\n")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.json").write_text("{")
    path = os.pathsep.join([str(old.parent), os.environ.get("PYTHONPATH", "")])
    outcome = orbat("doctor", "--home", home, env={"PYTHONPATH": path})
    assert outcome.code == 1, outcome.err
    lines = outcome.out.splitlines()
    (at,) = (i for i, line in enumerate(lines) if line.startswith("broken   packages: "))
    assert lines[at].startswith("broken   packages: pydantic 1.0 is not <3,>=2.9")
    assert lines[at + 1] == "         pip install orbat"
    assert any(line.startswith("broken   doccano's home: ") for line in lines)


def test_no_large_package_is_loaded() -> None:
    loaded = loaded_by("from orbat.doctor import check_installation\ncheck_installation()")
    assert not loaded & (HEAVY | {"numpy"}), sys.path
    assert (ROOT / "doctor.py").is_file()
