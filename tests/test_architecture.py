"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Orbat

MAY_IMPORT = {
    "corpus": set(),
    "annotation": {"corpus"},
    "training": {"corpus", "annotation"},
    "evaluation": {"corpus", "annotation"},
    "models": {"corpus", "annotation", "training", "evaluation"},
}


def imported(path: Path) -> set[tuple[str, str]]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {(node.module.split(".")[0], alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name.split(".")[0], "") for alias in node.names}
    return found


@pytest.mark.parametrize("stage", MAY_IMPORT)
def test_data_flows_one_way(stage: str) -> None:
    for path in sorted((ROOT / stage).rglob("*.py")):
        for module, name in imported(path):
            if module in MAY_IMPORT and module != stage:
                assert module in MAY_IMPORT[stage], f"{path.name} imports {module}"
                assert not name.startswith("_"), f"{path.name} takes {module}'s private {name}"


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in done.stdout.split()}


HEAVY = {"torch", "transformers", "datasets", "spacy", "onnxruntime", "sklearn", "trafilatura"}


def test_help_loads_nothing_heavy(orbat: Orbat) -> None:
    outcome = orbat("--help")
    assert outcome.code == 0
    for name in ("corpus", "annotate", "train", "evaluate", "package", "tag", "demo"):
        assert name in outcome.out
    assert not loaded_by("import orbat") & (HEAVY | {"numpy", "httpx", "pydantic"})


def test_annotation_and_evaluation_load_no_torch() -> None:
    names = (
        *("annotation.session", "annotation.server", "annotation.readings"),
        *("annotation.third_pass", "evaluation.candidates", "evaluation.report"),
    )
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert not loaded & {"torch", "transformers", "datasets"}


def test_no_label_name_stands_in_code() -> None:
    from annotation.labels import load_labels

    for stage in MAY_IMPORT:
        for path in (ROOT / stage).rglob("*.py"):
            strings = {
                node.value
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            assert not strings & set(load_labels().names), path
