"""Training data: reading it from files and runs, and warnings about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ModelError
from orbat.training.data import TrainingData
from orbat.training.inputs import load_inputs
from orbat.training.recipe import load_recipe
from orbat.training.train import train

LABELS = load_labels()
TEXT = "Gen. Smith leads the 4th Brigade and all who serve in it, far away from home and family."


def gold(doc_id: str, text: str = TEXT, *, label: str = "RANK") -> Document:
    return Document(doc_id, text, (Span(0, 4, label),))


def test_files_are_read_and_remembered(tmp_path: Path) -> None:
    one, two, dev = (tmp_path / f"{name}.jsonl" for name in ("one", "two", "dev"))
    for path, doc_id in ((one, "a"), (two, "b"), (dev, "c")):
        write_documents(path, [gold(doc_id)])
    data = TrainingData.from_files([one, two], [dev], LABELS)
    assert [document.id for document in data.train] == ["a", "b"]
    assert [document.id for document in data.dev] == ["c"]
    assert data.train_files == [one, two]
    with pytest.raises(InputError, match=r"one\.jsonl: duplicate id 'a' \(also in another --dev"):
        TrainingData.from_files([one], [one, one], LABELS)


def test_unusable_data_are_refused() -> None:
    with pytest.raises(InputError, match="no training documents"):
        TrainingData([], [gold("a")]).check()
    with pytest.raises(InputError, match="no dev documents"):
        TrainingData([gold("a")], []).check()
    with pytest.raises(InputError, match="have no spans"):
        TrainingData([Document("a", TEXT)], [gold("b")]).check()


def test_absent_labels_and_leakage_are_warned_of() -> None:
    other = "Quite another text about the weather over the northern sea, with rain until Sunday."
    data = TrainingData([gold("a")], [gold("b"), gold("c", other)])
    assert data.absent_labels(LABELS) == ["UNIT", "ROLE", "OPERATION"]
    assert data.find_leakage() == [("b", "a")]
    absent, leakage = data.warnings(LABELS)
    assert absent.startswith("no training document has a span of UNIT, ROLE, OPERATION")
    assert leakage.startswith("1 dev documents repeat training documents (first 'b' and 'a')")
    every = [
        gold(name, f"{text} {name}", label=name)
        for name, text in zip(LABELS.names, ("one", "two", "three", "four"), strict=True)
    ]
    assert TrainingData(every, [gold("c", other)]).warnings(LABELS) == []


def test_inputs_come_from_a_recipe_and_files_or_from_a_run(tmp_path: Path) -> None:
    for name in ("train", "dev", "other"):
        write_documents(tmp_path / f"{name}.jsonl", [gold(name)])
    train_file, dev_file = tmp_path / "train.jsonl", tmp_path / "dev.jsonl"
    assert load_inputs("baseline-rules").data is None
    inputs = load_inputs("baseline-rules", [train_file], [dev_file], settings=["seed=3"])
    assert inputs.recipe == load_recipe("baseline-rules", ["seed=3"])
    assert inputs.labels == LABELS
    assert inputs.data == TrainingData.from_files([train_file], [dev_file], LABELS)

    run = tmp_path / "run"
    train(inputs.recipe, inputs.data, inputs.labels, run)
    again = load_inputs(str(run))
    assert again.recipe == inputs.recipe
    assert again.labels == inputs.labels
    assert again.data is not None
    assert (again.data.train, again.data.dev) == (inputs.data.train, inputs.data.dev)
    changed = load_inputs(str(run), dev=[tmp_path / "other.jsonl"], settings=["seed=4"])
    assert changed.recipe.seed == 4
    assert changed.data is not None
    assert [document.id for document in changed.data.dev] == ["other"]
    with pytest.raises(ModelError, match="not a run folder"):
        load_inputs(str(tmp_path))


def test_documents_that_are_nearly_all_without_spans_are_counted() -> None:
    raw = [Document(f"raw {n}", f"{TEXT} {n}") for n in range(9)]
    dev = [gold("dev", "Quite another text about rain over the northern sea until Sunday.")]
    line = "10 of the 11 training documents have no span; leave out those that are not annotated"
    enough = TrainingData([gold("a"), *raw], dev).warnings(LABELS)
    assert not any("have no span" in warning for warning in enough)
    more = TrainingData([gold("a"), *raw, Document("raw", TEXT)], dev).warnings(LABELS)
    assert more[0] == line
