"""Packaging a run: the wheel, its checks and its model card."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.models.onnx.export import export_onnx, optimize
from orbat.models.runtime import OnnxNetwork
from orbat.training.recipe import load_recipe
from orbat.training.tagger.tagger import NeuralTagger
from orbat.training.transformer.model_folder import load_network, load_tagger
from tests.conftest import ROOT, Orbat, Trained

pytestmark = pytest.mark.slow


def test_the_wheel_has_one_package_and_four_requirements(wheel: Path) -> None:
    assert wheel.name == "en_orbat_news-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read("en_orbat_news-0.1.0.dist-info/METADATA").decode()
    assert {name.split("/")[0] for name in names} == {
        *("en_orbat_news", "en_orbat_news-0.1.0.dist-info")
    }
    requirements = {
        line.split()[1].split(">")[0] for line in metadata.splitlines() if "Requires-Dist" in line
    }
    assert requirements == {"spacy", "onnxruntime", "tokenizers", "numpy"}


def test_packaging_again_gives_the_same_bytes(orbat: Orbat, wheel: Path, tmp_path: Path) -> None:
    assert orbat("package", wheel.parent / "run", "--output", tmp_path, fresh=True).code == 0
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_float_network_finds_the_same_on_onnxruntime_and_torch(
    trained: Trained, test_articles: list[Document], tmp_path: Path
) -> None:
    network, config = load_network(trained.run)
    export_onnx(network, tmp_path / "plain.onnx")
    optimize(tmp_path / "plain.onnx", tmp_path / "float32.onnx")
    trained_tagger = load_tagger(trained.run)
    exported = NeuralTagger(
        OnnxNetwork((tmp_path / "float32.onnx").read_bytes()),
        trained_tagger.tokenizer,
        config,
        trained_tagger.find_phrases,
    )
    mentions_by_tagger = [
        [
            [(mention.start, mention.end, mention.label) for mention in mentions]
            for mentions in tagger.tag([document.text for document in test_articles])
        ]
        for tagger in (trained_tagger, exported)
    ]
    assert sum(map(len, mentions_by_tagger[0])) > 100
    assert mentions_by_tagger[1] == mentions_by_tagger[0]


def test_the_model_loads_without_torch_and_orbat(installed: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "for name in ('torch', 'transformers', 'orbat'):\n"
        "    sys.modules[name] = None\n"
        "import spacy; nlp = spacy.load('en_orbat_news'); doc = nlp('Gen. Ann Doe')\n"
        "performance = nlp.meta['performance']\n"
        "assert performance['dev']['untidy']['lower case']['f1'] is not None\n"
        "print(nlp.pipe_names, performance['ents_f'] is not None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(installed)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['orbat_ner'] True"


def test_the_readmes_example_works_in_a_new_environment(wheel: Path, tmp_path: Path) -> None:
    """In a new environment, into which pip installs the wheel and its requirements."""
    readme = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    section = readme[readme.index("## Use an installed model") :]
    script = section.split("```python\n")[1].split("```")[0]
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = (str(environment / "bin" / "python"), "-I")
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([*python, "-m", "pip", "install", *quiet, str(wheel)], check=True)
    done = subprocess.run(
        [*python, "-c", script], capture_output=True, text=True, cwd=tmp_path, env={}
    )
    assert done.returncode == 0, done.stderr
    rows = [line.rsplit(maxsplit=2) for line in done.stdout.splitlines()]
    assert rows
    assert all(label.isupper() and 0 < float(confidence) <= 1 for _, label, confidence in rows)
    listed = [*python, "-m", "pip", "list", *quiet[1:]]
    installed = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    assert "onnxruntime" in installed
    assert not {"torch", "transformers", "orbat"} & set(installed.split())


def test_two_models_and_orbat_work_in_one_environment(
    orbat: Orbat, trained: Trained, wheel: Path, tmp_path: Path
) -> None:
    outcome = orbat("package", trained.run, "--output", tmp_path, "--name", "second")
    assert outcome.code == 0, outcome.err
    site = tmp_path / "site"
    for path in (wheel, tmp_path / "en_second-0.1.0-py3-none-any.whl"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(site)
    script = (
        "import spacy; spacy.blank('en')\n"
        "import orbat.models.component\n"
        "text = 'Lt. Gen. Ann Doe commands the 3rd Infantry Division.'\n"
        "for name in ('en_orbat_news', 'en_second'):\n"
        "    print([ent.text for ent in spacy.load(name)(text).ents])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == second != "[]"
    (tmp_path / "article.txt").write_text("Lt. Gen. Ann Doe commands the 3rd Infantry Division.")
    outcome = orbat(
        *("tag", "en_second", tmp_path / "article.txt", "--output", tmp_path / "tagged.spacy"),
        env={"PYTHONPATH": environment["PYTHONPATH"]},
    )
    assert outcome.code == 0, outcome.err


def test_the_card_shows_the_scores(
    orbat: Orbat, trained: Trained, test_articles: list[Document], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    write_documents(tmp_path / "held-out.jsonl", test_articles[:6])
    value = orbat("evaluate", run, tmp_path / "held-out.jsonl", "--json").json()
    assert (
        orbat("package", run, "--output", tmp_path, "--name", "mine", "--version", "2.0").code == 0
    )
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "### Held out: held-out.jsonl (documents: 6)" in card
    assert "| hard-wrapped | " in card
    assert f"{value['strict']['micro']['f1']:.3f}" in card
    (tmp_path / "recipe.toml").write_text(card.split("```toml\n")[1].split("```")[0])
    manifest = json.loads((run / "manifest.json").read_text())
    recipe = load_recipe(str(tmp_path / "recipe.toml"))
    assert recipe.model_dump(mode="json") == manifest["recipe"]
    with zipfile.ZipFile(tmp_path / "en_mine-2.0-py3-none-any.whl") as archive:
        assert archive.read("en_mine/README.md").decode() == card
        packaged = json.loads(archive.read("en_mine/en_mine-2.0/orbat_ner/manifest.json"))
    assert [entry["id"] for entry in packaged["documents"]["train"]]
