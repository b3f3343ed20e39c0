"""Thresholds in the installed pipeline, in `orbat tag` and on Ray."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from orbat.models.bulk.tagging import tag_files
from orbat.models.loading import load_model
from orbat.models.model import Model
from orbat.training.run_folder import run_documents
from orbat.training.tagger.thresholds import read_points
from tests.conftest import Orbat, Trained

pytestmark = pytest.mark.slow

Scored = tuple[int, int, str, float]


@pytest.fixture(scope="module")
def model(wheel: Path) -> Model:
    return load_model(wheel, workers=1)


@pytest.fixture(scope="module")
def texts(test_articles: list[Document]) -> list[str]:
    return [document.text for document in test_articles[:8]]


def load(**options: Any) -> Any:
    """Load the installed pipeline with options of its component."""
    import spacy

    return spacy.load("en_orbat_news", config={"components": {"orbat_ner": options}})


def scored(doc: Any) -> list[Scored]:
    """Return the entities of a spaCy document with their confidences."""
    return [(e.start_char, e.end_char, e.label_, e._.confidence) for e in doc.ents]


def test_entities_below_the_threshold_are_dropped_and_no_others(nlp: Any, texts: list[str]) -> None:
    every = [scored(doc) for doc in nlp.pipe(texts)]
    middle = sorted(entity[3] for entities in every for entity in entities)[
        sum(map(len, every)) // 2
    ]
    kept = [scored(doc) for doc in load(threshold=round(middle, 4)).pipe(texts)]
    assert kept == [
        [entity for entity in entities if round(entity[3], 4) >= round(middle, 4)]
        for entities in every
    ]
    assert 0 < sum(map(len, kept)) < sum(map(len, every))
    by_label = [scored(doc) for doc in load(threshold={"UNIT": 1}).pipe(texts)]
    assert by_label == [[e for e in entities if e[2] != "UNIT"] for entities in every]


def test_a_target_precision_uses_the_table_of_the_wheel(
    nlp: Any, model: Model, texts: list[str]
) -> None:
    points = model.operating_points()
    assert points is not None
    point = read_points(points)[-1]
    pipeline = load(target_precision=point.precision)
    assert set(pipeline.get_pipe("orbat_ner").thresholds.values()) == {point.threshold}
    expected = [scored(doc) for doc in load(threshold=point.threshold).pipe(texts)]
    assert [scored(doc) for doc in pipeline.pipe(texts)] == expected


def test_thresholds_survive_serialization(nlp: Any, texts: list[str], tmp_path: Path) -> None:
    import spacy

    pipeline = load(threshold={"UNIT": 0.9, "RANK": 1})
    expected = [scored(doc) for doc in pipeline.pipe(texts)]
    pipeline.to_disk(tmp_path / "copy")
    assert [scored(doc) for doc in spacy.load(tmp_path / "copy").pipe(texts)] == expected
    copy = pickle.loads(pickle.dumps(pipeline))
    assert [scored(doc) for doc in copy.pipe(texts)] == expected
    with_processes = pipeline.pipe(texts, n_process=2, batch_size=2)
    assert [scored(doc) for doc in with_processes] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.2}, "threshold: 1.2 is not a number from 0 to 1"),
        ({"threshold": "high"}, "threshold: high is not a number from 0 to 1"),
        ({"threshold": {"SHIP": 0.5}}, "unknown label 'SHIP'; the model's labels are UNIT"),
        ({"target_precision": {"SHIP": 0.5}}, "unknown label 'SHIP'"),
        ({"threshold": 0.5, "target_precision": {"UNIT": 0.5}}, "exclude each other"),
    ],
)
def test_the_pipeline_refuses_thresholds_that_make_no_sense(
    nlp: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load(**options)
    assert "\n" not in str(caught.value)


def test_orbat_tag_leaves_out_spans_below_the_threshold(
    orbat: Orbat, wheel: Path, model: Model, test_articles: list[Document], tmp_path: Path
) -> None:
    write_documents(tmp_path / "in.jsonl", test_articles[:8])
    points = model.operating_points()
    assert points is not None
    point = read_points(points)[-1]
    arguments = ("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    outcome = orbat(*arguments, "--target-precision", point.precision)
    assert outcome.code == 0, outcome.err
    assert f"UNIT {point.threshold:g}" in outcome.out
    every = list(model.tag(test_articles[:8]))
    kept = list(read_documents(tmp_path / "out.jsonl"))
    assert [document.spans for document in kept] == [
        tuple(span for span in document.spans if (span.score or 0) >= point.threshold)
        for document in every
    ]
    assert 0 < sum(len(d.spans) for d in kept) < sum(len(d.spans) for d in every)
    scores = [span.score for document in kept for span in document.spans]
    assert min(score for score in scores if score is not None) >= point.threshold


def test_a_run_folder_reaches_the_target_on_its_dev_documents(trained: Trained) -> None:
    model = load_model(trained.run)
    points = model.operating_points()
    assert points is not None
    point = read_points(points)[len(read_points(points)) // 2]
    dev = run_documents(trained.run, "dev")
    tagged = list(model.with_threshold(target_precision=point.precision).tag(dev))
    kept = [(gold, span) for gold, found in zip(dev, tagged, strict=True) for span in found.spans]
    assert len(kept) == point.kept
    assert sum(span in gold.spans for gold, span in kept) / len(kept) == point.precision


def test_ray_workers_use_the_threshold(
    orbat: Orbat, wheel: Path, model: Model, test_articles: list[Document], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    write_documents(tmp_path / "in.jsonl", test_articles[:4])
    arguments = ("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    outcome = orbat(*arguments, "--engine", "ray", "--threshold", "UNIT=0.9")
    assert outcome.code == 0, outcome.err
    tagged = list(read_documents(tmp_path / "out.jsonl"))
    expected = model.with_threshold({"UNIT": 0.9}).tag(test_articles[:4])
    assert [d.spans for d in tagged] == [d.spans for d in expected]


def test_an_interrupted_run_is_not_resumed_with_another_threshold(
    model: Model, test_articles: list[Document], tmp_path: Path
) -> None:
    write_documents(tmp_path / "in.jsonl", test_articles[:2])

    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    def tag(threshold: float, **options: Any) -> Any:
        sure = model.with_threshold(threshold)
        return tag_files(sure, [tmp_path / "in.jsonl"], tmp_path / "out.jsonl", **options)

    with pytest.raises(KeyboardInterrupt):
        tag(0.5, on_progress=stop)
    with pytest.raises(InputError, match="another model, threshold or other sources"):
        tag(0.6)
    assert tag(0.5).documents == 2


def test_a_model_without_confidences_refuses_a_threshold(
    orbat: Orbat, refused: Any, trained: Trained, tmp_path: Path
) -> None:
    run = tmp_path / "rules"
    files = ("--train", trained.train, "--dev", trained.dev, "--output", run)
    assert orbat("train", "baseline-rules", *files).code == 0
    (tmp_path / "note.txt").write_text("Lt. Gen. Ann Doe commands the 3rd Infantry Division.")
    tag = ("tag", run, tmp_path / "note.txt", "--output", tmp_path / "out.jsonl")
    assert "gives no confidences" in refused(*tag, "--threshold", "0.5")
    assert "gives no confidences" in refused(*tag, "--target-precision", "0.5")


def test_the_command_names_what_is_wrong(refused: Any, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("The 3rd Infantry Division.")
    tag = ("tag", wheel, tmp_path / "note.txt", "--output", tmp_path / "out.jsonl")
    assert "1.2 is not a number from 0 to 1" in refused(*tag, "--threshold", "1.2")
    assert "unknown label 'SHIP'" in refused(*tag, "--threshold", "SHIP=0.5")
    both = refused(*tag, "--threshold", "0.5", "--target-precision", "0.5")
    assert "exclude each other" in both
    assert not (tmp_path / "out.jsonl").exists()
