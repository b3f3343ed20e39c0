"""The model cards: scores, warnings, sections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from huggingface_hub import ModelCard

from orbat.corpus.document import Document, Span
from orbat.evaluation.false_alarms.rates import FalseAlarmTable, false_alarms_to_json
from orbat.models.cards.checkpoint_card import PipelineAgreement, checkpoint_card
from orbat.models.cards.dev_scores import DevScores, measure_dev_scores
from orbat.models.cards.evaluation_section import evaluation_section
from orbat.models.cards.hub_metadata import hub_metadata
from orbat.models.cards.sections import CardData
from orbat.models.cards.wheel_card import wheel_card
from orbat.models.package_info import PackageInfo
from orbat.models.variants import Variant, VariantReport

SCORES = {"precision": 0.9, "recall": 0.8, "f1": 0.847, "gold": 40, "low": 0.8, "high": 0.9}
STRICT = {"micro": SCORES, "labels": {"UNIT": {**SCORES, "f1": None, "low": None, "high": None}}}
POINTS = {
    "documents": 9,
    "all": {
        "gold": 44,
        "predicted": 40,
        "points": [
            {
                "threshold": 0.3,
                "precision": 0.92,
                "low": 0.81,
                "high": 0.97,
                "recall": 0.8,
                "kept": 38,
            }
        ],
    },
    "labels": {"UNIT": {"gold": 4, "predicted": 4, "points": []}},
}
SECTIONS = [
    "## Model Details",
    "## How to Get Started with the Model",
    "## Bias, Risks, and Limitations",
    "## Training Details",
    "## Evaluation",
    "## Technical Specifications",
]


@pytest.fixture
def data() -> CardData:
    manifest: dict[str, Any] = {
        "recipe": {"encoder": "small-encoder", "seed": 3, "epochs": 2},
        "labels": {"label": [{"name": "UNIT", "description": "A military unit."}]},
        "documents": {"train": [{}, {}], "dev": [{}]},
        "inputs": {"train": [{"file": "train.jsonl", "sha256": "ab"}]},
        "versions": {"python": "3.11"},
    }
    evaluation = {
        "gold": "test.jsonl",
        "documents": 7,
        "seen_in_training": 2,
        "strict": STRICT,
        "slices": [
            {**SCORES, "dimension": "genre", "group": "news"},
            {**SCORES, "dimension": "genre", "group": "blog", "gold": 3},
        ],
    }
    return CardData(PackageInfo(version="2.0"), manifest, [evaluation], dev_scores())


def dev_scores(dense: int = 10, sparse: int = 4) -> DevScores:
    """Scores of a tagger that takes each "Gen." for a mention, and nothing in another case."""
    texts = ["Gen. X, Gen. Y and Gen. Z met."] * dense + ["A Gen. Doe", "No mention"] * sparse
    marked = list(tag(Document(f"d{number}", text) for number, text in enumerate(texts)))
    # One gold span is missing, so that one prediction is a false alarm.
    gold = [marked[0].with_spans(marked[0].spans[1:]), *marked[1:]]
    return measure_dev_scores(gold, tag, ["UNIT"])


def tag(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        found = re.finditer(r"Gen\.", document.text)
        yield document.with_spans(Span(*match.span(), "UNIT") for match in found)


def test_a_card_has_tidy_ordinary_and_untidy_scores(data: CardData) -> None:
    card = wheel_card(data, VariantReport("float32", ()), POINTS)
    assert "They are\nno signature" in card
    dev = card.split("### Dev: 18 documents")[1].split("\n## ")[0]
    tidy, ordinary, untidy, missing = dev.split("\n### ")
    assert "| UNIT | 0.971 | 1.000 | 0.985 | 0.9" in tidy
    assert "- Documents with all right and none wrong: 17 of 18\n" in tidy
    assert "- Documents without entities: 4, of which 4 have no prediction" in tidy
    assert "The 9 dev documents with at most 2 gold spans" in ordinary, "with the one changed"
    assert "| UNIT | 0.857 | 1.000 | 0.923 | – | 6 |" in ordinary, "fewer than ten documents"
    assert re.search(r"\| lower case \| 18 \| – \| 0\.000 \| 0\.000 \| -0\.985 \|", untidy)
    assert "| typographic quotes | 0 | 0.971 | 1.000 | 0.985 | +0.000 |" in untidy
    assert "- Other languages, sources, topics and years" in missing


def test_a_card_says_what_was_not_measured(data: CardData) -> None:
    held_out = {"gold": "g.jsonl", "documents": 7, "seen_in_training": 0, "strict": STRICT}
    alarms = FalseAlarmTable(["UNIT"])
    alarms.add(Document("d", "no mention"), Document("d", "no mention", (Span(0, 2, "UNIT"),)))
    unannotated = {
        "unannotated": "sport.jsonl",
        "false_alarms": false_alarms_to_json(alarms.false_alarms()),
    }
    robustness = {"robustness": data.dev.robustness}
    complete = evaluation_section([{**held_out, **robustness}, unannotated], data.dev)
    assert "### False alarms: sport.jsonl (1 documents)" in complete
    assert "| UNIT | 1 | 500.0 | – |" in complete
    nothing = evaluation_section([], dev_scores(sparse=0, dense=1))
    for line in (
        "- Documents that neither training nor selection has seen.",
        "- Held-out documents in lower case, in capitals or with hard line breaks.",
        "- False alarms on news of other topics",
    ):
        assert line not in complete
        assert line in nothing
    assert "Not measured: no dev document has at most 2 gold spans" in evaluation_section(
        [], measure_dev_scores(list(tag([Document("d", "Gen. A, Gen. B, Gen. C")])), tag, ["UNIT"])
    )


def test_a_wheel_card_has_scores_formats_and_sections(data: CardData) -> None:
    variants = VariantReport("int8", (Variant("float32", 0.85, 40.0), Variant("int8", None, 11.25)))
    card = wheel_card(data, variants, POINTS)
    assert card.startswith("# en_orbat_news 2.0\n")
    assert [line for line in card.splitlines() if line.startswith("## ")] == SECTIONS
    assert "| **all** | 0.900 | 0.800 | 0.847 | 0.800–0.900 | 40 |" in card
    assert "| UNIT | 0.900 | 0.800 | – | – | 40 |" in card
    assert "| genre: news |" in card
    assert "genre: blog" not in card
    assert "2 of these documents were used for training" in card
    assert "| float32 | 0.850 | 40.0 |\n| int8 | – | 11.2 |" in card
    assert "Confidences are not calibrated" in card
    assert "looked up on 9 dev documents with 44 gold\nand 40 predicted mentions" in card
    assert "| **all** | 0.90 | 0.3000 | 0.920 | 0.810–0.970 | 0.800 | 38 |" in card
    assert "| **all** | 0.95 | not reached |" in card
    assert (
        "Warning: precision 0.95 was not reached for all labels together. The highest was 0.920 "
        "(0.810–0.970, 38 mentions), at threshold 0.3000." in card
    )
    assert "Warning: too few mentions to reach precision 0.90 for UNIT." in card


def test_a_checkpoint_card_has_the_hubs_metadata(data: CardData) -> None:
    card = checkpoint_card(data, PipelineAgreement(512, 128, 99, 100, 0.8, 0.81))
    metadata = ModelCard(card).data
    assert (metadata.library_name, metadata.pipeline_tag) == (
        "transformers",
        "token-classification",
    )
    assert (metadata.language, metadata.tags, metadata.license) == ("en", ["UNIT"], "unknown")
    assert metadata.base_model is None, "a folder is not on the Hub"
    assert [(r.dataset_split, r.metric_type) for r in metadata.eval_results or []] == [
        ("validation", metric) for metric in ("precision", "recall", "f1")
    ], "documents that were seen in training give no held-out scores"
    assert "---\n\n# en_orbat_news 2.0\n\nNamed entities: UNIT.\n" in card
    assert [line for line in card.splitlines() if line.startswith("## ")] == SECTIONS
    assert 'aggregation_strategy="first", stride=128' in card
    assert "agree on 99 of the\n100 spans" in card


def test_a_card_says_what_the_label_set_and_the_options_say(data: CardData) -> None:
    info = PackageInfo(
        "de", "recht", "1.0", description="Normen", example='Der "BGH"', datasets=("org/normen",)
    )
    manifest = {**data.manifest, "recipe": {**data.manifest["recipe"], "encoder": "org/encoder"}}
    (evaluation,) = data.evaluations
    unseen = {**evaluation, "seen_in_training": 0}
    own = CardData(replace(info, license="Our own terms"), manifest, [unseen], data.dev)
    assert "license: other\n" in hub_metadata(own, "spacy")
    facts = CardData(replace(info, license="MIT"), manifest, [unseen], data.dev)
    card = checkpoint_card(facts, PipelineAgreement(512, 128, 99, 100, 0.8, 0.81))
    metadata = ModelCard(card).data
    assert (metadata.language, metadata.license, metadata.base_model) == (
        "de",
        "mit",
        "org/encoder",
    )
    assert metadata.datasets == ["org/normen"]
    held_out = [r for r in metadata.eval_results or [] if r.dataset_split == "test"]
    assert [(r.dataset_name, r.metric_value) for r in held_out] == [
        ("test.jsonl", 0.9),
        ("test.jsonl", 0.8),
        ("test.jsonl", 0.847),
    ]
    assert 'ner("Der \\"BGH\\"")' in card
    wheel = wheel_card(facts, VariantReport("float32", ()), POINTS)
    for text in (card, wheel):
        assert "\n\nNormen: UNIT.\n" in text
        assert "weights: MIT\n" in text
        assert "defence" not in text and "English" not in text


def test_a_card_says_when_held_out_scores_are_missing(data: CardData) -> None:
    card = wheel_card(
        CardData(data.info, data.manifest, [], data.dev),
        VariantReport("float32", ()),
        POINTS,
    )
    assert "No held-out scores" in card
