"""The code in a model wheel: complete, and independent of orbat."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from orbat.errors import InputError
from orbat.models.package_info import CODE_LICENSE, PackageInfo, run_package_info, weights_license
from orbat.models.packaging import package as package_run
from orbat.models.wheels.building import write_package
from orbat.training.run_folder import RUN_FORMAT, finish_run
from tests.conftest import ROOT
from tests.test_architecture import WHEEL_LIBRARIES


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The source folder of a package without weights."""
    write_package(
        tmp_path / "source",
        PackageInfo(),
        files={},
        card="",
        description="Test",
        meta={},
        colors={},
        license=CODE_LICENSE,
    )
    return tmp_path / "source" / "en_orbat_news"


def foreign_imports(package: Path) -> Iterator[str]:
    """Yield the imports that leave the package, Python's own modules and the wheel's libraries."""
    for path in package.rglob("*.py"):
        depth = len(path.relative_to(package).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                if node.level > depth:
                    yield f"{path.name}: {ast.unparse(node)}"
                continue
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                if name.split(".")[0] not in {*sys.stdlib_module_names, *WHEEL_LIBRARIES}:
                    yield f"{path.name}: {ast.unparse(node)}"


def test_the_code_imports_nothing_of_orbat(package: Path) -> None:
    assert list(foreign_imports(package)) == []


@pytest.mark.parametrize(
    "line",
    [
        "import orbat",
        "from orbat.corpus.document import Span",
        "from ..corpus.document import Span",
        "from ..training.tagger.tagger import Tagger",
        "import torch",
    ],
)
def test_a_planted_import_is_found(package: Path, line: str) -> None:
    path = package / "component.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    assert list(foreign_imports(package)) == [f"component.py: {line}"]


def test_every_module_of_the_tagger_is_included(package: Path) -> None:
    names = {path.name for path in (ROOT / "training" / "tagger").glob("*.py")}
    assert {path.name for path in (package / "tagger").glob("*.py")} == names


def test_every_module_can_be_imported_without_orbat(package: Path, tmp_path: Path) -> None:
    script = (
        "import importlib, pkgutil, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "sys.modules['orbat'] = None\n"
        "package = importlib.import_module('en_orbat_news.component')\n"
        "import en_orbat_news\n"
        "for module in pkgutil.walk_packages(en_orbat_news.__path__, 'en_orbat_news.'):\n"
        "    importlib.import_module(module.name)\n"
        "    print(module.name)\n"
    )
    # The package reads its version from meta.json, which exists without weights too.
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(package.parent)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "en_orbat_news.tagger.tagger" in done.stdout.split()


@pytest.mark.parametrize(
    ("info", "option"),
    [
        ({"lang": "English"}, "--lang"),
        ({"name": "Orbat-news"}, "--name"),
        ({"version": "new"}, "--version"),
        ({"url": "https://ann:secret@example.org/a"}, "--url https://example.org/a: must not have"),
    ],
)
def test_a_malformed_name_is_refused(info: dict[str, str], option: str) -> None:
    with pytest.raises(InputError, match=option):
        PackageInfo(**info)


def write_run(folder: Path, labels: dict[str, object]) -> None:
    """Write the files of a finished run that say what it is."""
    folder.mkdir(exist_ok=True)
    facts = {"format": RUN_FORMAT, "status": "finished", "recipe": {}, "documents": {}}
    finish_run(folder, {**facts, "labels": labels})


def test_a_run_is_described_by_its_label_set(tmp_path: Path) -> None:
    labels = {"name": "Gesetze & Urteile", "label": [{"name": "GS"}]}
    run = tmp_path / "run"
    write_run(run, labels)
    info = run_package_info(run, license="mit")
    assert info.package_name == "xx_gesetze_urteile"
    assert info.describe(["GS"]) == "Named entities: GS"
    write_run(run, {**labels, "language": "de", "description": "Normen", "example": "§ 1 BGB"})
    info = run_package_info(run, name="recht")
    assert (info.package_name, info.example) == ("de_recht", "§ 1 BGB")
    assert info.describe(["GS", "RS"]) == "Normen: GS, RS"
    assert run_package_info(run, lang="en", description="Laws").describe(["GS"]) == "Laws: GS"


def test_a_description_with_quotes_is_written_as_it_is(tmp_path: Path) -> None:
    description = 'Names of "laws", \'acts\' and """codes""" \\ rules'
    write_package(
        tmp_path / "source",
        PackageInfo(),
        files={},
        card="",
        description=description,
        meta={},
        colors={},
        license=weights_license("mit"),
    )
    project = tomllib.loads((tmp_path / "source" / "pyproject.toml").read_text())["project"]
    assert (project["description"], project["license"]) == (description, "Apache-2.0 AND MIT")
    code = (tmp_path / "source" / "en_orbat_news" / "__init__.py").read_text()
    assert ast.get_docstring(ast.parse(code), clean=False) == description


@pytest.mark.parametrize(
    ("lang", "reason"),
    [("zz", "spaCy cannot load it"), ("deu", "this language is de; write de")],
)
def test_a_language_that_spacy_lacks_is_refused_before_anything_is_done(
    lang: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"^--lang {lang}: .*{reason}") as error:
        package_run(tmp_path / "run", tmp_path / "dist", PackageInfo(lang=lang))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "dist").exists()
