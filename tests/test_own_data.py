"""Every command on data of somebody else: German, one label, empty metadata, a bare label set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.files import read_documents, write_documents
from orbat.training.recipe import load_recipe
from tests.conftest import ROOT, Orbat, succeeding
from tests.german_news import german_news, write_german_news
from tests.test_documentation import commands_in, console_input, fenced_blocks

pytestmark = pytest.mark.slow

TINY = ("--set", "layers=1", "--set", "epochs=1")
LINEAR = ("train", "baseline-linear", "--train", "train.jsonl", "--dev", "dev.jsonl")


@pytest.fixture(scope="module")
def folder(orbat: Orbat, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data, and what the six lines of the page about own data make of them."""
    folder = tmp_path_factory.mktemp("own")
    write_german_news(folder)
    write_format(folder / "orte.conll", "conll", german_news(), ConversionReport())
    page = (ROOT / "OWN-DATA.md").read_text(encoding="utf-8")
    (block,) = [body for info, body in fenced_blocks(page) if info == "console"]
    assert len(console_input(block).splitlines()) == 6
    for arguments in commands_in(console_input(block)):
        # A tiny model shows as well as another one that the commands fit together.
        tiny = TINY if arguments[0] == "train" else ()
        outcome = orbat(*arguments, *tiny, cwd=folder)
        assert outcome.code == 0, (arguments, outcome.err)
    return folder


@pytest.fixture
def run(orbat: Orbat, folder: Path) -> Orbat:
    """Run a command that must succeed, in the folder of the data."""
    return succeeding(orbat, folder)


def test_six_lines_lead_from_a_conll_file_to_a_wheel(folder: Path, run: Orbat) -> None:
    assert "ORT" in (folder / "report.html").read_text(encoding="utf-8")
    wheel = folder / "dist" / "de_orte-0.1.0-py3-none-any.whl"
    run("tag", wheel, "test.jsonl", "--output", "tagged.jsonl", "--table", "entities.csv")
    tagged = list(read_documents(folder / "tagged.jsonl", ["ORT"]))
    gold = list(read_documents(folder / "test.jsonl"))
    assert [(d.id, d.text) for d in tagged] == [(d.id, d.text) for d in gold]
    manifest = json.loads((folder / "runs" / "orte" / "manifest.json").read_text())
    (label,) = manifest["labels"]["label"]
    assert (label["name"], label["key"]) == ("ORT", "o")


@pytest.mark.parametrize(
    "arguments",
    [
        ("stats", "all.jsonl", "--report", "stats.html"),
        ("check", "train.jsonl", "test.jsonl"),
        ("drift", "train.jsonl", "test.jsonl", "--report", "drift.html"),
        ("gazetteer", "all.jsonl", "--labels", "labels.toml"),
        ("show", "n3"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_corpus_is_measured_and_traced(arguments: tuple[str, ...], run: Orbat) -> None:
    run("corpus", *arguments)


def test_annotations_are_compared_and_merged(folder: Path, run: Orbat) -> None:
    labels = ("--labels", "labels.toml")
    files = ("all.jsonl", "ben.jsonl")
    write_documents(folder / "ben.jsonl", [german_news()[0].with_spans([]), *german_news()[1:]])
    outcome = run("annotate", "agree", *files, *labels, "--html", "agree.html")
    assert "61 documents, 1 differ" in outcome.out
    run("annotate", "adjudicate", *files, *labels, "--policy", "union", "--output", "merged.jsonl")
    assert len(list(read_documents(folder / "merged.jsonl", ["ORT"]))) == 61
    run("annotate", "guide", "guide.html", *labels)
    run(
        "annotate",
        "select",
        "test.jsonl",
        "--model",
        "runs/orte",
        "--output",
        "n.jsonl",
        "--count",
        "2",
    )


def test_label_errors_are_sought(folder: Path, run: Orbat) -> None:
    write_documents(folder / "with-spans.jsonl", [d for d in german_news() if d.spans])
    run(
        *("annotate", "audit", "with-spans.jsonl", "--labels", "labels.toml", "--work", "audit"),
        *("--recipe", "baseline-linear", "--folds", "2", "--html", "audit.html"),
    )
    assert (folder / "audit.html").is_file()


def test_models_are_trained_compared_and_reported(folder: Path, run: Orbat) -> None:
    run(*LINEAR, "--labels", "labels.toml", "--output", "linear", "--set", "epochs=2")
    run(
        *("evaluate", "runs/orte", "linear", "test.jsonl", "--report", "compared.html"),
        *("--robustness", "--annotators", "all.jsonl"),
    )
    report = (folder / "compared.html").read_text(encoding="utf-8")
    assert "#999999" not in report
    run("tag", "runs/orte", "test.jsonl", "--output", "predicted.jsonl")
    run("evaluate", "--predictions", "predicted.jsonl", "test.jsonl", "--report", "p.html")


def test_a_curve_is_drawn(folder: Path, run: Orbat) -> None:
    curve = ("--curve", "--points", "3", "--output", "curve", "--set", "epochs=1")
    run(*LINEAR, "--labels", "auto", *curve)
    assert (folder / "curve" / "curve.png").is_file()


def test_a_transformer_is_swept(folder: Path, run: Orbat) -> None:
    outcome = run(
        *("sweep", "quick", "--train", "orte.conll", "--dev", "dev.jsonl", "--labels", "auto"),
        *(*TINY, "--search", "dropout=0.0,0.2", "--trials", "1", "--output", "sweep", "--json"),
    )
    (trial,) = outcome.json()["trials"]
    best = load_recipe(str(folder / "sweep" / "best.toml"))
    expected = load_recipe(
        "quick", ["layers=1", "epochs=1", f"dropout={trial['values']['dropout']}"]
    )
    assert best == expected
    assert "null" not in (folder / "sweep" / "best.toml").read_text()


def test_mistakes_are_answered_before_the_work_begins(
    folder: Path, refused: Callable[..., str]
) -> None:
    gold = ("--train", folder / "orte.conll", "--dev", folder / "dev.jsonl")
    train = ("train", "quick", *gold, "--output", folder / "nothing")
    assert "unknown label 'ORT'" in refused(*train)
    assert "--labels auto" in refused(*train)
    assert "unknown key 'epoch' (did you mean 'epochs'?)" in refused(
        *train, "--labels", "auto", "--set", "epoch=3"
    )
    line = refused("train", "quik", *gold, "--labels", "auto", "--output", folder / "nothing")
    assert "no such recipe (did you mean 'quick'?)" in line
    assert "--labels auto needs documents" in refused("train", "quick", "--labels", "auto")
    assert not (folder / "nothing").exists()
    line = refused("evaluate", folder / "linear-not-there", folder / "orte.conll", "--from", "con")
    assert "--from con: no such format" in line
    # The gold would be refused too, but is not read before.
    gate = ("--gate", "OTR.f1=0.5")
    line = refused("evaluate", folder / "runs" / "orte", folder / "nowhere.jsonl", *gate)
    assert line == "--gate OTR.f1=0.5: no label 'OTR' (did you mean 'ORT'?); the labels are ORT"
