"""The rules of the repository that a program can check, each tried on a planted breach."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT, Orbat

LAYERS = ("corpus", "evaluation", "annotation", "training", "models")
"""A module imports modules of its own layer and of those to the left."""
COMPOSE = {"commands", "benchmarks"}
"""Modules with such a part in their name may import any layer."""
SHARED = {"", "errors", "telemetry", "terminal", "ui"}
"""The root's modules that every layer may import."""
WHEEL = {
    "training.tagger",
    "training.values",
    "models.component",
    "models.entities",
    "models.runtime",
    "models.wheel_main",
}
"""The modules that the installed model consists of."""
WHEEL_LIBRARIES = {"numpy", "onnxruntime", "spacy", "srsly", "tokenizers"}
"""srsly comes with spaCy."""
MAX_MODULES = 14
"""A folder has at most this number of modules."""


def module_files(root: Path) -> dict[str, Path]:
    """Return every module of the package, by its name without `orbat`."""
    files = [*root.glob("*.py"), *(path for name in LAYERS for path in (root / name).rglob("*.py"))]
    modules = {}
    for path in files:
        parts = path.relative_to(root).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imports_of(name: str, path: Path, modules: dict[str, Path]) -> set[tuple[str, str]]:
    """Return the imports of a module as pairs of a module and a name in it, or "".

    Imports in functions and those for type checkers count too. Absolute imports with `from` are
    given as `absolute.` and the module.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    package = [part for part in package if part]
    imports = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ["absolute"]
            source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                inner = f"{source}.{alias.name}".strip(".")
                imports.add((inner, "") if inner in modules else (source, alias.name))
    return imports


def layer_breaches(root: Path) -> list[str]:
    """Return the imports of higher layers, of commands, and of other layers' private names."""
    modules, breaches = module_files(root), []
    for name, path in modules.items():
        layer = name.split(".")[0]
        if layer not in LAYERS or COMPOSE & set(name.split(".")):
            continue
        for source, item in imports_of(name, path, modules):
            other = source.split(".")[0]
            if other not in LAYERS:
                if source in modules and source not in SHARED:
                    breaches.append(f"{name} imports {source}")
                if source.removeprefix("absolute.").split(".")[0] == "orbat":
                    breaches.append(f"{name} imports {source} by its absolute name")
                continue
            if COMPOSE & set(source.split(".")):
                breaches.append(f"{name} imports {source}, which composes layers")
            if LAYERS.index(other) > LAYERS.index(layer):
                breaches.append(f"{name} imports {source}, of a higher layer")
            private = [part for part in (*source.split("."), item) if part.startswith("_")]
            if private and other != layer:
                breaches.append(f"{name} imports {source}'s private {private[0]}")
    return breaches


def find_cycle(root: Path) -> list[str]:
    """Return the modules of an import cycle, counting imports in functions too; [] for none."""
    modules = module_files(root)
    graph = {
        name: {source for source, _ in imports_of(name, path, modules)} & set(modules) - {"", name}
        for name, path in modules.items()
        if name
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def wheel_breaches(root: Path) -> list[str]:
    """Return what the model wheel's modules import beyond themselves and their libraries."""
    modules, breaches = module_files(root), []
    for name, path in modules.items():
        if not any(name == part or name.startswith(f"{part}.") for part in WHEEL):
            continue
        for source, _ in imports_of(name, path, modules):
            shipped = any(source == part or source.startswith(f"{part}.") for part in WHEEL)
            first = source.removeprefix("absolute.").split(".")[0]
            if not shipped and first not in {*sys.stdlib_module_names, *WHEEL_LIBRARIES}:
                breaches.append(f"{name} imports {source}")
    return breaches


def crowded_folders(root: Path) -> list[str]:
    """Return the folders that have too many modules, with their number."""
    folders = {path.parent for path in module_files(root).values()} - {root}
    counts = {folder: len([*folder.glob("*.py")]) for folder in folders}
    benchmarks = root / "evaluation" / "benchmarks"
    return [
        f"{folder.relative_to(root)}: {count}"
        for folder, count in counts.items()
        if count > MAX_MODULES and folder != benchmarks
    ]


def test_layers() -> None:
    assert layer_breaches(ROOT) == []


def test_no_import_cycle() -> None:
    assert find_cycle(ROOT) == []


def test_the_wheel_imports_only_what_it_ships() -> None:
    assert wheel_breaches(ROOT) == []


def test_no_folder_is_crowded() -> None:
    assert crowded_folders(ROOT) == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package's modules, to plant a breach in."""
    for path in module_files(ROOT).values():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def plant(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("corpus/document.py", "from ..evaluation.metrics import evaluate"),
        ("evaluation/metrics.py", "def f():\n    from ..annotation import agreement"),
        ("annotation/agreement/measures.py", "from ...training.recipe import load_recipe"),
        ("training/train.py", "from ..models import loading"),
        ("training/train.py", "from ..corpus.document import _parse_span"),
        ("corpus/document.py", "from ..cli import main"),
        ("corpus/document.py", "from .commands import app"),
        ("evaluation/metrics.py", "from orbat.corpus.document import Span"),
    ],
)
def test_a_planted_layer_breach_is_found(copy: Path, module: str, line: str) -> None:
    plant(copy / module, line)
    breaches = layer_breaches(copy)
    assert len(breaches) == 1
    assert breaches[0].startswith(module.removesuffix(".py").replace("/", "."))


@pytest.mark.parametrize("indent", ["", "def f():\n    "])
def test_a_planted_cycle_is_found(copy: Path, indent: str) -> None:
    plant(copy / "corpus/document.py", f"{indent}from .splitting import split_corpus")
    assert {"corpus.document", "corpus.splitting"} <= set(find_cycle(copy))


def test_a_crowded_folder_is_found(copy: Path) -> None:
    for number in range(MAX_MODULES):
        (copy / "corpus" / f"module{number}.py").touch()
    assert len(crowded_folders(copy)) == 1


@pytest.mark.parametrize(
    "line", ["import torch", "from ...corpus.document import Span", "from ..recipe import Recipe"]
)
def test_a_planted_import_in_the_wheel_is_found(copy: Path, line: str) -> None:
    plant(copy / "training/tagger/tagger.py", line)
    assert len(wheel_breaches(copy)) == 1


def test_a_bare_import_of_a_layer_is_refused() -> None:
    for name in LAYERS:
        done = subprocess.run(
            [sys.executable, "-c", f"import {name}"], capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 1
        assert "ImportError" in done.stderr


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that are loaded after running code in a new process."""
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in done.stdout.split()}


HEAVY = {"torch", "transformers", "datasets", "spacy", "onnxruntime", "sklearn", "trafilatura"}
HEAVY |= {"cassis", "fastapi", "prometheus_client", "uvicorn"}


DOCCANO_MODULES = {"leftovers", "login_limit", "media_access", "settings", "urls", "work"}
"""The modules of the page's server that import doccano's."""


def test_help_loads_nothing_heavy(orbat: Orbat) -> None:
    outcome = orbat("--help")
    assert outcome.code == 0
    for name in ("corpus", "annotate", "train", "evaluate", "package", "tag", "serve", "demo"):
        assert name in outcome.out
    assert not loaded_by("import orbat.cli") & (HEAVY | {"numpy", "httpx", "pydantic"})


def test_annotation_and_evaluation_load_no_torch() -> None:
    names = [
        f"orbat.{name}"
        for name in module_files(ROOT)
        if name.split(".")[0] in ("corpus", "evaluation", "annotation")
        and not {"commands", "benchmarks"} & set(name.split("."))
        and name.removeprefix("annotation.page.server.") not in DOCCANO_MODULES
        and name != "annotation.transfer.doccano_tables"  # imports Django
    ]
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert not loaded & {"torch", "transformers", "datasets"}


def test_no_label_name_is_in_code() -> None:
    from orbat.corpus.labels import load_labels

    for path in module_files(ROOT).values():
        strings = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not strings & set(load_labels().names), path
