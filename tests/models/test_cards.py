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
from orbat.models.package_info import CODE_LICENSE, PackageInfo
from orbat.models.variants import Variant, VariantReport, compare_tagged

SCORES = {"precision": 0.9, "recall": 0.8, "f1": 0.847, "gold": 40, "low": 0.8, "high": 0.9}
STRICT = {"micro": SCORES, "labels": {"UNIT": {**SCORES, "f1": None, "low": None, "high": None}}}
POINTS: dict[str, Any] = {
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
    card = wheel_card(data, VariantReport("float32", ()), POINTS, CODE_LICENSE)
    assert "They are\nno signature" in card
    dev = card.split("### Dev: the documents that selected the best epoch (18; ")[1].split("\n## ")[
        0
    ]
    tidy, ordinary, untidy, missing = dev.split("\n### ")
    assert "| UNIT | 0.971 | 1.000 | 0.985 | 0.9" in tidy
    assert "- Documents with all right and none wrong: 17 of 18\n" in tidy
    assert "- Documents without entities: 4; of these without a prediction: 4;" in tidy
    assert "Dev documents with at most 2 gold spans: 9.\n" in ordinary, "with the one changed"
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
    assert "### False alarms: sport.jsonl (documents: 1)" in complete
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
    card = wheel_card(data, variants, POINTS, CODE_LICENSE)
    assert card.startswith("# en_orbat_news 2.0\n")
    assert [line for line in card.splitlines() if line.startswith("## ")] == SECTIONS
    assert "| **all** | 0.900 | 0.800 | 0.847 | 0.800–0.900 | 40 |" in card
    assert "| UNIT | 0.900 | 0.800 | – | – | 40 |" in card
    assert "| genre: news |" in card
    assert "genre: blog" not in card
    assert "Of the documents, 2 served for training or model selection." in card
    assert "| float32 | 0.850 | 40.0 |\n| int8 | – | 11.2 |" in card
    assert "Confidences are not calibrated" in card
    assert "Dev documents: 9; mentions in gold:\n44; predicted: 40." in card


def test_thresholds_that_were_not_reached_are_named_once(data: CardData) -> None:
    several = {**POINTS, "labels": {**POINTS["labels"], "RANK": POINTS["all"]}}
    card = wheel_card(data, VariantReport("float32", ()), several, CODE_LICENSE)
    assert "| **all** | 0.90 | 0.3000 | 0.920 | 0.810–0.970 | 0.800 | 38 |" in card
    assert "| **all** | 0.95 | not reached | – | – | – | – |" in card
    best = "0.95, 0.98. The highest was 0.920 (0.810–0.970, mentions: 38), at threshold 0.3000."
    assert [line for line in card.splitlines() if line.startswith("Warning: ")][:3] == [
        f"Warning: precision not reached for all labels together: {best}",
        f"Warning: precision not reached for RANK: {best}",
        "Warning: too few mentions for a threshold: UNIT.",
    ]
    only = wheel_card(data, VariantReport("float32", ()), POINTS, CODE_LICENSE)
    assert "| UNIT | 0.90 | not reached |" in only
    assert "| **all** | 0.90 | not reached |" not in only, "the same as those of the only label"


def test_a_card_says_of_confidences_one_thing(data: CardData) -> None:
    calibrated = wheel_card(data, VariantReport("float32", (), "isotonic"), POINTS, CODE_LICENSE)
    assert "which also selected the epoch and calibrated the confidences." in calibrated
    assert "Confidences are calibrated on the dev documents (isotonic)." in calibrated
    assert "not calibrated" not in calibrated
    card = wheel_card(data, VariantReport("float32", ()), POINTS, CODE_LICENSE)
    assert "which also selected the epoch.\n" in card
    assert card.count("Confidences are not calibrated") == 2
    assert "calibrated the" not in card and "were calibrated" not in card


def test_a_card_names_the_threshold_of_the_model(data: CardData) -> None:
    report = VariantReport("float32", ())
    assert "before calibration, is below" not in wheel_card(data, report, POINTS, CODE_LICENSE)
    fixed = wheel_card(data, report, POINTS, CODE_LICENSE, threshold=0.3)
    assert "before calibration, is below 0.3." in fixed
    assert "which also selected the epoch.\n" in fixed
    recipe = {**data.manifest["recipe"], "threshold": "auto"}
    chosen = replace(data, manifest={**data.manifest, "recipe": recipe})
    card = wheel_card(chosen, report, POINTS, CODE_LICENSE, threshold=0.3)
    assert "which also selected the epoch and the lowest confidence.\n" in card


def test_a_difference_without_an_interval_is_shown(data: CardData) -> None:
    gold = [Document(f"d{number}", "Gen. X", (Span(0, 4, "UNIT"),)) for number in range(2)]
    change = compare_tagged(gold, gold, [gold[0], gold[1].with_spans([])], ["UNIT"])
    variants = (Variant("float32", 0.667, 40.0), Variant("int8", 1.0, 11.0, change))
    card = wheel_card(data, VariantReport("int8", variants), POINTS, CODE_LICENSE)
    assert "| int8: UNIT | +0.333 | – |" in card


def test_the_weakest_label_is_named_only_if_labels_differ(data: CardData) -> None:
    gold = [
        Document("d", "Gen. X", (Span(0, 4, "RANK"),)),
        Document("e", "Navy", (Span(0, 4, "UNIT"),)),
    ]

    def card(*found: Document) -> str:
        tagged = {document.text: document for document in found}
        dev = measure_dev_scores(
            gold,
            lambda documents: (tagged.get(d.text, d.with_spans([])) for d in documents),
            ["RANK", "UNIT"],
        )
        return wheel_card(
            replace(data, dev=dev), VariantReport("float32", ()), POINTS, CODE_LICENSE
        )

    assert "weakest label" not in card(*gold)
    assert "- The weakest label on the dev documents is RANK, with F1 0.000." in card(gold[1])


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
    wheel = wheel_card(facts, VariantReport("float32", ()), POINTS, CODE_LICENSE)
    for text in (card, wheel):
        assert "\n\nNormen: UNIT.\n" in text
        assert "weights: MIT\n" in text
        assert "defence" not in text and "English" not in text


def test_a_card_says_when_held_out_scores_are_missing(data: CardData) -> None:
    card = wheel_card(
        CardData(data.info, data.manifest, [], data.dev),
        VariantReport("float32", ()),
        POINTS,
        CODE_LICENSE,
    )
    assert "No held-out scores" in card
