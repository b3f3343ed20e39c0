"""The word rule and word features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.training.tagger.mentions import spans_to_tags, tag_names, tags_to_mentions
from orbat.training.tagger.words import find_features, find_words
from tests.conftest import ARTICLES
from tests.corpus.test_document import HARD_TEXT, documents


def test_gold_spans_consist_of_whole_words() -> None:
    with_part_of_a_word = set()
    for split in ("train", "dev", "test"):
        for document in read_documents(ARTICLES / f"{split}.jsonl"):
            words = find_words(document.text)
            spans = [(s.start, s.end, s.label) for s in document.spans]
            labels = tuple(dict.fromkeys(s.label for s in document.spans))
            path = spans_to_tags(words, spans, tag_names(labels))
            mentions = tags_to_mentions(words, path, np.zeros(len(words), np.float32), labels)
            if [mention[:3] for mention in mentions] != spans:
                with_part_of_a_word.add(document.id)
    # A footnote mark, mojibake or another word is stuck to the name, which no model can separate.
    assert with_part_of_a_word == {"am-115", "ls-074", "ob-021", "ob-023", "ob-031", "pl-022"}


@given(documents())
def test_words_cover_everything_but_white_space(document: Document) -> None:
    covered = {i for start, end in find_words(document.text).tolist() for i in range(start, end)}
    assert {i for i, c in enumerate(document.text) if not c.isspace()} <= covered


def test_words_of_a_hard_text() -> None:
    words = [HARD_TEXT[start:end] for start, end in find_words(HARD_TEXT).tolist()]
    assert words[:5] == ["😀", "Gen", ".", "An\u0301n".replace("n\u0301n", "nn\u0301"), "Müller"]
    assert "2nd" in words


@pytest.mark.parametrize(
    ("word", "gap", "other", "other_gap"),
    [
        ("general", " ", "General", " "),
        ("GENERAL", " ", "General", " "),
        ("General", " ", "General", "\n"),
        ("2", "", "2nd", ""),
        ("-", "", "-", " "),
        ("A", "", "AB", ""),
    ],
)
def test_features_distinguish_shapes_and_gaps(
    word: str, gap: str, other: str, other_gap: str
) -> None:
    first, second = (
        find_features(text, find_words(text))[-1]
        for text in (f".{gap}{word}", f".{other_gap}{other}")
    )
    assert first != second
