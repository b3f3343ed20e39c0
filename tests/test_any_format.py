"""Commands that read labeled documents read them in any format, and name a conversion else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orbat.annotation.formats.conversion import write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from orbat.models.hub.contents import gold_contents
from orbat.training.data import TrainingData
from tests.conftest import Orbat, succeeding
from tests.german_news import LABELS, german_news


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Gold, predictions of it without some spans, and other documents, as words and tags."""
    documents = german_news()
    predicted = [d.with_spans([]) if n % 5 == 0 else d for n, d in enumerate(documents[:20])]
    for name, part in (("gold", documents[:20]), ("pred", predicted), ("rest", documents[20:])):
        write_format(tmp_path / f"{name}.conll", "conll", part, ConversionReport())
        path = tmp_path / f"{name}.conll"
        # Their ids are numbers after the name of the file then, as of most files of others.
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(line for line in lines if not line.startswith("#")) + "\n")
    (tmp_path / "labels.toml").write_text(LABELS)
    return tmp_path


@pytest.fixture
def run(orbat: Orbat, folder: Path) -> Orbat:
    """Run a command that must succeed, in the folder."""
    return succeeding(orbat, folder)


def test_predictions_and_other_files_of_evaluate_are_converted(run: Orbat) -> None:
    others = ("--train", "rest.conll", "--annotators", "pred.conll")
    result = run("evaluate", "--predictions", "pred.conll", "gold.conll", *others, "--json")
    micro = result.json()["strict"]["micro"]
    assert (micro["precision"], micro["recall"]) == (1.0, 0.8)
    assert "pred.conll: 20 documents matched by their text, since their ids differ" in result.err
    alarms = ("--false-alarms", "LEUTE", "--json")
    counted = run("evaluate", "--predictions", "pred.conll", "gold.conll", *alarms).json()
    assert counted["false_alarms"]["documents"] == 20


def test_a_model_is_calibrated_on_dev_documents_of_another_format(run: Orbat, folder: Path) -> None:
    train = ("train", "baseline-linear", "--set", "epochs=1", "--labels", "auto")
    run(*train, "--train", "rest.conll", "--dev", "gold.conll", "--output", "run")
    options = ("--dev", "pred.conll", "--slice", "desk", "--json")
    result = run("evaluate", "run", "gold.conll", *options)
    assert result.json()["calibration"] is not None
    assert "--slice desk: no document has this field in meta" in result.err


def test_annotators_are_compared_and_merged(run: Orbat, folder: Path) -> None:
    labels = ("--labels", "labels.toml")
    assert (
        "20 documents, 4 differ"
        in run("annotate", "agree", "gold.conll", "pred.conll", *labels).out
    )
    run(
        *("annotate", "adjudicate", "gold.conll", "pred.conll", *labels),
        *("--policy", "prefer:gold", "--output", "merged.jsonl"),
    )
    merged = list(read_documents(folder / "merged.jsonl", ["ORT"]))
    assert [len(d.spans) for d in merged] == [1] * 20


def test_a_corpus_is_measured_split_and_compared(run: Orbat, folder: Path) -> None:
    assert run("corpus", "stats", "gold.conll").out.startswith("20 documents, ")
    assert "no leakage" in run("corpus", "check", "gold.conll", "rest.conll").out
    run("corpus", "drift", "gold.conll", "rest.conll")
    run("corpus", "gazetteer", "gold.conll", "--labels", "labels.toml")
    assert run("corpus", "split", "rest.conll", "--output", "parts").out.startswith("train ")
    parts = [
        read_documents(folder / "parts" / f"{name}.jsonl") for name in ("train", "dev", "test")
    ]
    assert sum(len(list(part)) for part in parts) == 41


def test_documents_are_selected(run: Orbat, folder: Path) -> None:
    options = ("--strategy", "random", "--labeled", "gold.conll", "--output", "next.jsonl")
    run("annotate", "select", "rest.conll", *options, "--count", "3")
    assert len(list(read_documents(folder / "next.jsonl"))) == 3


def test_what_is_not_certain_is_answered_with_the_conversion(
    folder: Path, refused: Callable[..., str]
) -> None:
    columns = folder / "my columns.conll"
    columns.write_text("1 x Bonn B-ORT B-ORG\n2 y tagt O O\n")
    line = refused("corpus", "stats", columns)
    assert f"(options of orbat annotate convert '{columns}' gold.jsonl --from conll)" in line
    (folder / "a.json").write_text('{"x": 1}')
    line = refused("annotate", "select", folder / "a.json", "--output", folder / "o.jsonl")
    assert line.endswith(f"(an option of orbat annotate convert {folder / 'a.json'} gold.jsonl)")
    nested = [{"start": 4, "end": 20, "label": "ORG"}, {"start": 16, "end": 20, "label": "ORT"}]
    task = {"text": "Die Universität Bonn tagt.", "_input_hash": 1, "spans": nested}
    (folder / "b.jsonl").write_text(json.dumps(task))
    line = refused("corpus", "stats", folder / "b.jsonl")
    assert line.endswith(f"(orbat annotate convert {folder / 'b.jsonl'} gold.jsonl does so)")


def test_gold_is_published_as_records_only(folder: Path) -> None:
    with pytest.raises(InputError, match=r"orbat annotate convert .*gold\.conll gold\.jsonl$"):
        gold_contents(folder / "gold.conll", None)


def test_unlabeled_articles_that_repeat_held_out_gold_are_left_out(folder: Path) -> None:
    documents = german_news()
    write_documents(folder / "raw.jsonl", [d.with_spans([]) for d in documents])
    train, dev = documents[:2], documents[2:4]
    write_documents(folder / "train.jsonl", train)
    write_documents(folder / "dev.jsonl", dev)
    data = TrainingData.from_files(
        [folder / "train.jsonl"],
        [folder / "dev.jsonl"],
        None,
        [folder / "raw.jsonl"],
        [folder / "rest.conll"],
    )
    assert data.pool is not None
    assert data.pool.left_out["repeats of held-out documents"] > 30


def test_held_out_articles_may_be_parquet(folder: Path) -> None:
    texts = [document.text for document in german_news()[4:6]]
    pq.write_table(pa.table({"id": ["a", "b"], "text": texts}), folder / "test.parquet")
    write_documents(folder / "train.jsonl", german_news()[:2])
    write_documents(folder / "dev.jsonl", german_news()[2:4])
    gold = ([folder / "train.jsonl"], [folder / "dev.jsonl"])
    data = TrainingData.from_files(*gold, None, held_out=[folder / "test.parquet"])
    assert [document.text for document in data.held_out] == texts


def test_swapped_arguments_of_evaluate_are_named(folder: Path, refused: Callable[..., str]) -> None:
    model = refused("evaluate", folder / "gold.conll", folder / "run")
    assert model.endswith(
        "gold.conll: is no model, but a file; name a run folder, a wheel or an installed model"
    )
    predictions = ("evaluate", "--predictions", folder / "pred.conll", folder / "gold.conll")
    assert "is a folder; name a file to write" in refused(*predictions, "--report", folder)
