"""The distributions that pip builds, and the installed product, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from orbat.corpus.files import read_documents
from tests.conftest import ARTICLES, ROOT, Outcome, Trained
from tests.test_architecture import LAYERS


def run(*arguments: object, cwd: Path) -> Outcome:
    """Run a program without the variables that would let it see the checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, arguments)),
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment, "COLUMNS": "200"},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def build(kind: str, source: Path, output: Path) -> Path:
    """Build a wheel or an sdist with the setuptools that is installed, without a network."""
    code = f"from setuptools.build_meta import build_{kind} as build; build({str(output)!r})"
    outcome = run(sys.executable, "-c", code, cwd=source)
    assert outcome.code == 0, outcome.err
    (path,) = output.iterdir()
    return path


class Distributions(NamedTuple):
    """The wheel, the sdist, and the wheel that is built from the sdist."""

    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


def checkout_files() -> list[str]:
    """Return the files of the checkout that git does not ignore."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    return [name for name in listed.out.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    folder = tmp_path_factory.mktemp("distributions")
    source = folder / "source"
    for name in checkout_files():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    for name in ("wheel", "sdist", "wheel-of-sdist"):
        (folder / name).mkdir()
    sdist = build("sdist", source, folder / "sdist")
    # By tar: Python 3.11.2 has no filters of names, without which 3.14 refuses to unpack.
    (folder / "unpacked").mkdir()
    subprocess.run(["tar", "-xzf", sdist, "-C", folder / "unpacked"], check=True)
    (unpacked,) = (folder / "unpacked").iterdir()
    return Distributions(
        build("wheel", source, folder / "wheel"),
        sdist,
        build("wheel", unpacked, folder / "wheel-of-sdist"),
    )


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_package_is_listed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}
    folders -= {ROOT / "evaluation" / "benchmarks"}
    names = {".".join(("orbat", *folder.relative_to(ROOT).parts)) for folder in folders}
    assert set(setuptools["packages"]) == {"orbat", *names}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_the_wheel_holds_one_package_with_all_its_files(distributions: Distributions) -> None:
    names = {name for name in contents(distributions.wheel) if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == {"orbat"}
    files = map(Path, checkout_files())
    expected = {
        f"orbat/{path}"
        for path in files
        if (len(path.parts) == 1 and path.suffix in (".py", ".html", ".typed"))
        # Model packages get copies of the licenses.
        or path.parts[0] in ("LICENSE", "LICENSES")
        or (
            (path.parts[0] in LAYERS and path.parts[:2] != ("evaluation", "benchmarks"))
            # Pages about the code, next to it, are for readers of the repository.
            and not (path.name == "README.md" and (ROOT / path.parent / "__init__.py").is_file())
        )
    }
    assert names == expected


def test_the_sdist_builds_the_same_wheel(distributions: Distributions) -> None:
    assert contents(distributions.wheel_of_sdist) == contents(distributions.wheel)
    with tarfile.open(distributions.sdist) as archive:
        parts = {Path(name).parts[1] for name in archive.getnames() if len(Path(name).parts) > 1}
    generated = {"PKG-INFO", "setup.cfg", "orbat.egg-info"}
    assert parts - generated <= {path.name for path in ROOT.iterdir()}
    assert not parts & {"tests", ".venv", "build", "demo-output"}


@pytest.fixture(scope="module")
def installed(
    distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Install the wheel into a new environment; return its `bin` and a folder to work in.

    The dependencies are those of the environment that runs the tests. Its own `.pth` files are not
    read there, so that an editable installation of the checkout has no effect.
    """
    environment = tmp_path_factory.mktemp("installation") / "venv"
    outcome = run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=ROOT)
    assert outcome.code == 0, outcome.err
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    options = ("--no-deps", "--no-index", "--quiet")
    outcome = run(*pip, "install", *options, distributions.wheel, cwd=environment)
    assert outcome.code == 0, outcome.err
    (packages,) = environment.glob("lib/*/site-packages")
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("".join(f"{folder}\n" for folder in folders))
    work = tmp_path_factory.mktemp("elsewhere")
    outcome = run(python, "-c", "import orbat; print(orbat.__file__)", cwd=work)
    assert Path(outcome.out.strip()) == packages / "orbat" / "__init__.py", outcome.err
    return environment / "bin", work


def test_installed_help_and_version(installed: tuple[Path, Path]) -> None:
    programs, work = installed
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("version")
    assert version is None, "the version has one place, orbat.__version__"
    from orbat import __version__

    assert run(programs / "orbat", "--version", cwd=work).out == f"orbat {__version__}\n"
    outcome = run(programs / "python", "-m", "orbat", "--help", cwd=work)
    assert outcome.code == 0, outcome.err
    assert "annotate" in outcome.out


def test_installed_data_files_are_found(installed: tuple[Path, Path]) -> None:
    programs, work = installed
    outcome = run(programs / "orbat", "annotate", "guide", "guide.html", cwd=work)
    assert outcome.code == 0, outcome.err
    assert "<img" in (work / "guide.html").read_text()
    gold = ARTICLES / "dev.jsonl"
    arguments = ("annotate", "convert", gold, "gold.spacy", "--from", "jsonl", "--to", "docbin")
    outcome = run(programs / "orbat", *arguments, cwd=work)
    assert outcome.code == 0, outcome.err
    arguments = ("annotate", "convert", "gold.spacy", "back.jsonl", "--from", "docbin")
    outcome = run(programs / "orbat", *arguments, cwd=work)
    assert outcome.code == 0, outcome.err
    assert [document.text for document in read_documents(work / "back.jsonl")] == [
        document.text for document in read_documents(gold)
    ]


@pytest.mark.slow
def test_installed_training_evaluation_and_packaging(
    installed: tuple[Path, Path], trained: Trained
) -> None:
    programs, work = installed
    files = ("--train", trained.train, "--dev", trained.dev)
    outcome = run(programs / "orbat", "train", "quick", "--explain", *files, cwd=work)
    assert outcome.code == 0, outcome.err
    assert "learning_rate" in outcome.out
    outcome = run(programs / "orbat", "evaluate", trained.run, trained.dev, "--json", cwd=work)
    assert outcome.code == 0, outcome.err
    outcome = run(programs / "orbat", "package", trained.run, "--output", "dist", cwd=work)
    assert outcome.code == 0, outcome.err
    (wheel,) = (work / "dist").glob("*.whl")
    tag = ("tag", wheel, trained.dev, "--output", "tagged.jsonl")
    outcome = run(programs / "orbat", *tag, cwd=work)
    assert outcome.code == 0, outcome.err
    assert len(list(read_documents(work / "tagged.jsonl"))) == len(
        list(read_documents(trained.dev))
    )
