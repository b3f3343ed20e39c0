"""The gazetteer: matching phrases, and its use to the network."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.gazetteer import load_phrases
from orbat.corpus.labels import load_labels
from orbat.training.tagger.gazetteer import Gazetteer
from orbat.training.tagger.words import find_words
from tests.conftest import Orbat
from tests.training.test_training import settings, tiny_encoder

PHRASES = {
    "exact": {"RANK": ["General", "Lt. Gen."], "UNIT": ["General Staff Brigade"]},
    "caseless": {"ROLE": ["Minister of Defence"]},
    "before_name": {"RANK": ["Major"]},
}


def find(text: str, finder: Gazetteer | None = None) -> list[tuple[str, str]]:
    finder = finder or Gazetteer(PHRASES)
    spans = finder.find(text, find_words(text).tolist())
    return [(text[start:end], label) for start, end, label in spans]


def test_the_longest_phrase_wins() -> None:
    assert find("The General Staff Brigade and General Doe") == [
        ("General Staff Brigade", "UNIT"),
        ("General", "RANK"),
    ]


def test_exact_caseless_and_before_name_matching() -> None:
    assert find("the MINISTER of defence") == [("MINISTER of defence", "ROLE")]
    assert find("a general, a Lt.Gen.") == [("Lt.Gen.", "RANK")]
    assert find("Major Doe, a Major problem, a Major") == [("Major", "RANK")]
    assert find("Minister\nof Defence") == []


def test_a_gazetteer_can_be_written_and_read() -> None:
    written = Gazetteer(PHRASES).to_bytes()
    assert Gazetteer.from_bytes(written).to_bytes() == written
    text = "Lt. Gen. Doe of the General Staff Brigade"
    assert find(text, Gazetteer.from_bytes(written)) == find(text)
    assert not Gazetteer({})
    with pytest.raises(ValueError, match="not a gazetteer"):
        Gazetteer.from_bytes(b"[]")


words = st.sampled_from(
    ["General", "Staff", "Brigade", "Lt", ".", "Gen", "Major", "minister", "\n"]
)


@given(st.lists(words, max_size=14))
def test_matches_are_whole_words_and_never_overlap(parts: list[str]) -> None:
    text = " ".join(parts)
    bounds = find_words(text).tolist()
    spans = Gazetteer(PHRASES).find(text, bounds)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    starts, ends = {a for a, _ in bounds}, {b for _, b in bounds}
    assert all(start in starts and end in ends for start, end, _ in spans)
    assert all("\n" not in text[start:end] for start, end, _ in spans)


def test_the_shipped_phrases_are_those_of_the_label_set() -> None:
    phrases = load_phrases(None, load_labels().names)
    assert set(phrases.exact) | set(phrases.caseless) <= set(load_labels().names)
    assert "Lieutenant General" in phrases.exact["RANK"]
    assert not Gazetteer(vars(load_phrases(None, ["Other"])))


@pytest.mark.slow
def test_the_network_uses_phrases_that_training_did_not_contain(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    """The ranks in the dev documents are unknown words that only the gazetteer distinguishes."""
    ranks = ("Zugfuhrer", "Havildar", "Rissaldar", "Subedar", "Naik", "Lascar", "Jemadar", "Sowar")
    documents = [
        Document(f"d{n}", f"{rank} leads the Brigade .", (Span(0, len(rank), "RANK"),))
        if n % 2 == 0
        else Document(f"d{n}", f"{rank}son leads the Brigade .")
        for n, rank in enumerate(rank for rank in ranks for _ in range(2))
    ]
    train, dev = tmp_path / "train.jsonl", tmp_path / "dev.jsonl"
    write_documents(train, documents[:10])
    write_documents(dev, documents[10:])
    (tmp_path / "ranks.jsonl").write_text(json.dumps({"rank": list(ranks)}))
    gazetteer = '[[phrases]]\nfile = "ranks.jsonl"\nlabel = "RANK"\nfields = ["rank"]\n'
    (tmp_path / "gazetteer.toml").write_text(gazetteer)
    encoder = tiny_encoder(tmp_path / "encoder")
    arguments = (
        *("train", "quick", "--train", train, "--dev", dev),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=30", "dtype=fp32"),
        *settings("learning_rate=3e-3", "head_learning_rate=3e-3", "batch_size=2"),
    )
    f1 = {}
    for name in (str(tmp_path / "gazetteer.toml"), "none"):
        run = tmp_path / f"run-{Path(name).stem}"
        outcome = orbat(*arguments, *settings(f"gazetteer={name}"), "--output", run, "--json")
        assert outcome.code == 0, outcome.err
        f1[name] = outcome.json()["dev"]["f1"] or 0.0
        tagged = orbat("tag", run, dev, "--output", tmp_path / "tagged.jsonl")
        assert tagged.code == 0, tagged.err
    assert f1[str(tmp_path / "gazetteer.toml")] == 1.0
    assert f1["none"] < 1.0
    assert len(list(read_documents(tmp_path / "tagged.jsonl"))) == 6
    assert "nowhere.toml: cannot be read" in refused(
        *arguments, *settings(f"gazetteer={tmp_path / 'nowhere.toml'}"), "--output", tmp_path / "x"
    )
