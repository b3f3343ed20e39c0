"""Text without case: it is recognized, and reads the same in capitals as in lower case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.corpus.labels import load_labels
from orbat.training.gazetteer import load_gazetteer
from orbat.training.tagger.gazetteer import Gazetteer
from orbat.training.tagger.windows import encode_texts
from orbat.training.tagger.words import (
    find_caseless_words,
    find_features,
    find_words,
    lower_case,
    upper_case,
)
from tests.conftest import ARTICLES
from tests.corpus.test_document import documents

LABELS = load_labels().names


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer(None, LABELS)


def caseless(text: str) -> str:
    """Return the words of a text that belong to text without case."""
    words = find_words(text)
    selected = words[find_caseless_words(find_features(text, words))]
    return " ".join(text[start:end] for start, end in selected.tolist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Ordinary text, and acronyms, datelines and surnames in capitals in it.
        ("Gen. Smith leads the 2nd Brigade.", ""),
        ("KABUL, Afghanistan — ISAF and the ANA met.\nHQ 2 DIV\nThey left.", ""),
        ("Major Jean DUPONT of the MINUSMA force left Gao with Capt. Ana REES.", ""),
        ("the soldiers left the town.\nGen. Smith stayed.", ""),
        # A headline in capitals above ordinary text.
        ("BRIGADE LEAVES THE TOWN\nGen. Smith stayed.", "BRIGADE LEAVES THE TOWN"),
        # Texts in capitals, with exceptions, and texts without capitals.
        ("GEN. SMITH LEADS IT.\nHQ\n2ND BDE", "GEN . SMITH LEADS IT . HQ 2ND BDE"),
        ("GEN. McCOY LEADS " + "THE BRIGADE " * 9, "GEN . McCOY LEADS" + " THE BRIGADE" * 9),
        ("the 3rd brigade left gao", "the 3rd brigade left gao"),
        # A post without capitals among others.
        ("Smith wrote:\n" + "saw the brigade " * 7 + "\nJones replied.", "saw the brigade" * 1),
        # Scripts without case say nothing.
        ("the قوات brigade left", "the قوات brigade left"),
        ("", ""),
        ("2 + 2", ""),
    ],
)
def test_text_without_case_is_recognized(text: str, expected: str) -> None:
    assert " ".join(dict.fromkeys(caseless(text).split())) == " ".join(
        dict.fromkeys(expected.split())
    )


def test_almost_no_words_of_articles_in_ordinary_case_lose_it() -> None:
    """Articles that are wholly or largely in capitals or in lower case are left out."""
    articles = [
        article
        for article in read_documents(ARTICLES / "train.jsonl")
        if 0.01 < sum(map(str.isupper, article.text)) / len(article.text) < 0.15
    ]
    assert len(articles) > 1400
    words = sum(len(find_words(article.text)) for article in articles)
    assert sum(len(caseless(article.text).split()) for article in articles) < 0.01 * words


def test_capitals_and_lower_case_give_the_network_the_same_input(
    tokenizer: Any, gazetteer: Gazetteer
) -> None:
    # Some letters share their capital, such as the dotless i with the other.
    texts = [
        article.text
        for article in read_documents(ARTICLES / "dev.jsonl")
        if lower_case(upper_case(article.text)) == lower_case(article.text)
    ][:30]
    lower, upper = (
        encode_texts(
            tokenizer,
            [change(text) for text in texts],
            gazetteer.find,
            ("O", *(f"{mark}-{label}" for label in LABELS for mark in "BI")),
        )
        for change in (lower_case, upper_case)
    )
    for first, second in zip(lower, upper, strict=True):
        assert first.words.tolist() == second.words.tolist()
        assert first.piece_ids.tolist() == second.piece_ids.tolist()
        assert first.features.tolist() == second.features.tolist()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gen. smith met lt col ana rees", ["gen.", "lt col"]),
        ("the general public and a private school", []),
        ("mrs smith met the minister of defence in feb", ["minister of defence"]),
        ("troops of minusma and unifil", ["minusma", "unifil"]),
        ("operation iraqi freedom began", ["operation iraqi freedom"]),
    ],
)
@pytest.mark.parametrize("change", [lower_case, upper_case])
def test_the_gazetteer_finds_phrases_without_case(
    gazetteer: Gazetteer, text: str, found: list[str], change: Any
) -> None:
    bounds = find_words(text).tolist()
    spans = gazetteer.find(change(text), bounds, [True] * len(bounds))
    assert [text[start:end] for start, end, _ in spans] == found


def test_case_counts_in_the_other_lines_of_a_text(gazetteer: Gazetteer) -> None:
    text = "UNIFIL TROOPS LEAVE GAO\nSgt. Smith of unifil left with Gen. Brown of UNIFIL."
    words = find_words(text)
    flags = find_caseless_words(find_features(text, words)).tolist()
    spans = gazetteer.find(text, words.tolist(), flags)
    assert [(start, text[start:end]) for start, end, _ in spans] == [
        *((0, "UNIFIL"), (24, "Sgt."), (text.index("Gen."), "Gen.")),
        (text.rindex("UNIFIL"), "UNIFIL"),
    ]


@given(documents())
def test_changes_of_case_keep_the_length(document: Document) -> None:
    for changed in (lower_case(document.text), upper_case(document.text)):
        assert len(changed) == len(document.text)


def test_characters_that_become_several_stay() -> None:
    assert lower_case("Straße İzmir") == "straße İzmir"
    assert upper_case("Straße İzmir") == "STRAßE İZMIR"
