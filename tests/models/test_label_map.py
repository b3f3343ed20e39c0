"""Models whose labels have other names behave as models that were trained with these names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orbat.annotation.word_probabilities import WordProbabilities
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.corpus.labels import assign_labels, load_labels
from orbat.errors import InputError
from orbat.evaluation.system_evaluation import evaluate_systems
from orbat.models.loading import load_model
from orbat.models.model import Model
from orbat.training.base import TextTagger
from orbat.training.data import TrainingData
from orbat.training.external.label_map import LabelMap, make_label_map
from orbat.training.recipe import load_recipe
from orbat.training.tagger.mentions import Mention
from orbat.training.train import train

NEWS = "U.S. Navy Capt. Ann Doe met troops of the 82nd Airborne Division."
TOWNS = ("Köln", "Bremen", "Dresden", "Lübeck", "Rostock", "Weimar", "Fulda")
RIVERS = ("Elbe", "Weser", "Saale", "Havel", "Spree", "Oder", "Mosel")


def towns_and_rivers() -> list[Document]:
    """Return 49 sentences with a town and a river, as gold of two labels."""
    documents = []
    for number in range(len(TOWNS) * len(RIVERS)):
        town, river = TOWNS[number % 7], RIVERS[(number + number // 7) % 7]
        text = f"Bei {town} trat gestern die {river} über die Ufer."
        spans = (("ORT", town), ("FLUSS", river))
        found = (Span(text.index(w), text.index(w) + len(w), label) for label, w in spans)
        documents.append(Document(f"t{number}", text, tuple(found)))
    return documents


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A linear classifier of towns and rivers."""
    documents, run = towns_and_rivers(), tmp_path_factory.mktemp("linear") / "run"
    data = TrainingData(documents[:20], documents[20:45])
    train(load_recipe("baseline-linear", ["epochs=2"]), data, assign_labels(("ORT", "FLUSS")), run)
    return load_model(run)


def test_values_stay_those_of_the_trained_labels(
    train_articles: list[Document], tmp_path: Path
) -> None:
    data = TrainingData(train_articles[:4], train_articles[4:8])
    train(load_recipe("baseline-rules"), data, load_labels(), tmp_path / "run")
    plain = load_model(tmp_path / "run")
    mapped = plain.with_label_map({"RANK": "GRADE", "ROLE": ""}, "--map")
    (before,), (after,) = (list(m.tag([Document("a", NEWS)])) for m in (plain, mapped))
    assert [span.norm is not None for span in before.spans] == [True, True]
    names = {"RANK": "GRADE"}
    assert [replace(s, label=names.get(s.label, s.label)) for s in before.spans] == list(
        after.spans
    )


def test_operating_points_of_a_run_are_those_of_the_new_labels(model: Model) -> None:
    mapped = model.with_label_map({"ORT": "PLACE"}, "--map")
    points, renamed = model.operating_points(), mapped.operating_points()
    assert points is not None and renamed is not None
    assert points["labels"]["ORT"]["gold"] == 25
    assert renamed["labels"]["PLACE"] == points["labels"]["ORT"]
    assert renamed["all"] == points["all"]
    joined = model.with_label_map({"ORT": "PLACE", "FLUSS": "PLACE"}, "--map").operating_points()
    assert joined is not None
    assert joined["labels"]["PLACE"]["gold"] == joined["all"]["gold"] == 50
    dropped = model.with_label_map({"FLUSS": ""}, "--map").operating_points()
    assert dropped is not None
    assert dropped["all"]["gold"] == 25


class _Unsure:
    """Halves the confidences of a tagger, all of which are 1 on these sentences."""

    def __init__(self, tagger: TextTagger) -> None:
        self._tagger = tagger
        self.labels = tagger.labels

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        for mentions in self._tagger.pipe(texts):
            yield [m._replace(score=(m.score or 0.0) / 2) for m in mentions]


def test_thresholds_have_the_new_labels(model: Model) -> None:
    mapped = model.with_label_map({"ORT": "PLACE"}, "--map")
    unsure = replace(mapped, tagger=_Unsure(model.tagger)).with_threshold({"PLACE": 0.6})
    for document in unsure.tag(towns_and_rivers()[45:]):
        assert {span.label for span in document.spans} == {"FLUSS"}
    assert mapped.with_threshold(target_precision={"PLACE": 0.5}).thresholds.keys() == {"PLACE"}
    with pytest.raises(
        InputError, match="unknown label 'ORT'; the model's labels are FLUSS, PLACE"
    ):
        mapped.with_threshold({"ORT": 0.5})
    with pytest.raises(InputError, match="--map: rename labels before a threshold is set"):
        model.with_threshold(0.5).with_label_map({"ORT": "PLACE"}, "--map")


def test_points_of_a_packaged_model_are_renamed_or_refused(model: Model) -> None:
    points = model.operating_points()
    packaged = replace(model, run=None, packaged_operating_points=points)
    renamed = packaged.with_label_map({"ORT": "PLACE"}, "--map").operating_points()
    assert points is not None and renamed is not None
    assert renamed["labels"]["PLACE"] == points["labels"]["ORT"]
    joined = packaged.with_label_map({"ORT": "FLUSS"}, "--map")
    with pytest.raises(InputError, match=r"left out or joined; set threshold instead"):
        joined.with_threshold(target_precision=0.9)


def test_an_evaluation_uses_and_calibrates_on_the_new_labels(model: Model, tmp_path: Path) -> None:
    mapped = model.with_label_map({"ORT": "PLACE", "FLUSS": ""}, "--map")
    names = {"ORT": "PLACE"}
    gold = [
        d.with_spans([replace(s, label=names[s.label]) for s in d.spans if s.label in names])
        for d in towns_and_rivers()[45:]
    ]
    write_documents(tmp_path / "gold.jsonl", gold)
    result = evaluate_systems([mapped], tmp_path / "gold.jsonl", resamples=100)
    assert result.evaluation.strict.micro.f1 == 1.0
    assert result.analysis.calibration is not None
    assert {d.spans[0].label for d in mapped.documents("train") or ()} == {"PLACE"}
    assert model.run is not None
    assert not list((model.run / "evaluations").glob("gold*"))
    plain = evaluate_systems([model], tmp_path / "gold.jsonl", labels=["ORT", "FLUSS", "PLACE"])
    assert plain.evaluation.strict.micro.f1 == 0.0
    assert list((model.run / "evaluations").glob("gold*"))


def test_probabilities_of_words_have_the_new_labels(model: Model) -> None:
    document = towns_and_rivers()[45]
    (before,) = model.probabilities([document])
    mapped = model.with_label_map({"FLUSS": ""}, "--map").with_label_map({"ORT": "A"}, "--map")
    (after,) = mapped.probabilities([document])
    assert after.labels == ("A",)
    assert np.allclose(after.values[:, 1], before.values[:, 1 + before.labels.index("ORT")])
    assert np.allclose(after.values.sum(axis=1), before.values.sum(axis=1))


def test_probabilities_of_joined_labels_are_added() -> None:
    words = WordProbabilities(np.array([[0, 4]]), ("A", "B", "C"), np.array([[0.1, 0.2, 0.3, 0.4]]))
    label_map = make_label_map(words.labels).then({"A": "X", "C": "X", "B": ""}, "--map")
    joined = label_map.join_probabilities(words)
    assert joined.labels == ("X",)
    assert joined.values.tolist() == [[pytest.approx(0.4), pytest.approx(0.6)]]
    assert label_map.then({"X": "Y"}, "--map") == LabelMap({"A": "Y", "B": "", "C": "Y"})
