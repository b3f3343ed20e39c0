"""The tagger: words, windows, decoding and mentions, and the loss of the CRF."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tokenizers import Tokenizer

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.training.tagger.config import TaggerConfig
from orbat.training.tagger.decoding import TagDecoder, argmax_tags
from orbat.training.tagger.mentions import (
    Mention,
    keep_longest_mentions,
    spans_to_tags,
    tags_to_mentions,
)
from orbat.training.tagger.tagger import NeuralTagger
from orbat.training.tagger.windows import cut_piece_windows, cut_windows, encode_texts, scored_words
from orbat.training.tagger.words import find_features, find_words
from orbat.training.transformer.crf import CRF
from orbat.training.transformer.encoder import encoder_source
from tests.conftest import ARTICLES
from tests.corpus.test_document import HARD_TEXT, documents

LABELS = ("UNIT", "RANK")
TAGS = ("O", "B-UNIT", "I-UNIT", "B-RANK", "I-RANK")


def config(window: int = 16, stride: int = 4) -> TaggerConfig:
    return TaggerConfig(LABELS, window, stride, (101,), (102,), 0, True)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    tokenizer = Tokenizer.from_file(str(Path(encoder_source("minilm")) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_every_gold_span_consists_of_whole_words() -> None:
    for split in ("train", "dev", "test"):
        for document in read_documents(ARTICLES / f"{split}.jsonl"):
            words = find_words(document.text)
            spans = [(s.start, s.end, s.label) for s in document.spans]
            labels = tuple(dict.fromkeys(s.label for s in document.spans))
            tags = ("O", *(f"{mark}-{label}" for label in labels for mark in "BI"))
            path = spans_to_tags(words, spans, tags)
            mentions = tags_to_mentions(words, path, np.zeros(len(words), np.float32), labels)
            assert [mention[:3] for mention in mentions] == spans


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


texts_of_parts = st.lists(
    st.sampled_from(
        [
            "Gen",
            "brigade",
            "internationalisation",
            " ",
            "\n",
            "😀",
            "\u200b",
            "\u0301",
            "—",
            "x" * 300,
        ]
    ),
    max_size=60,
)


@given(texts_of_parts, st.integers(8, 40), st.data())
def test_windows_fit_and_every_word_is_scored_in_one(
    tokenizer: Any, parts: list[str], size: int, data: st.DataObject
) -> None:
    tagger_config = config(size, data.draw(st.integers(0, size // 2)))
    (text,) = encode_texts(tokenizer, ["".join(parts)])
    windows = cut_windows(text, tagger_config)
    scored = [word for start, end in scored_words(windows) for word in range(start, end)]
    assert scored == list(range(len(text.words)))
    for window, (start, end) in zip(windows, scored_words(windows), strict=True):
        assert window.piece_end - window.piece_start <= size - 2
        assert window.word_start <= start <= end <= window.word_end
        assert window.word_start < window.word_end


def score_arrays(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float32, shape, elements=st.floats(-6, 6, width=32))


def all_paths(
    logits: np.ndarray, transitions: np.ndarray, starts: np.ndarray
) -> dict[tuple[int, ...], float]:
    """Return the score of each valid tag sequence, by brute force."""
    paths = {}
    for tags in itertools.product(range(5), repeat=len(logits)):
        steps = list(itertools.pairwise(tags))
        if all(
            tag % 2 == 1 or tag == 0 or before in (tag, tag - 1) for before, tag in [(0, tags[0])]
        ) and all(tag % 2 == 1 or tag == 0 or before in (tag, tag - 1) for before, tag in steps):
            paths[tags] = float(
                starts[tags[0]]
                + sum(logits[i, tag] for i, tag in enumerate(tags))
                + sum(transitions[step] for step in steps)
            )
    return paths


@given(st.data(), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_decoding_finds_the_best_valid_path_and_its_probabilities(
    data: st.DataObject, lengths: list[int]
) -> None:
    transitions, starts = data.draw(score_arrays(5, 5)), data.draw(score_arrays(5))
    logits = data.draw(score_arrays(sum(lengths), 5))
    bounds = [0, *itertools.accumulate(lengths)]
    decoder = TagDecoder(5, transitions.tolist(), starts.tolist())
    path, log_probs = decoder.decode(logits, bounds)
    marginals = decoder.marginals(logits, bounds)
    for begin, end in itertools.pairwise(bounds):
        paths = all_paths(logits[begin:end], transitions, starts)
        best = tuple(path[begin:end].tolist())
        assert paths[best] == pytest.approx(max(paths.values()), abs=1e-3)
        whole = np.logaddexp.reduce(list(paths.values()))
        for index in range(end - begin):
            with_tag = [score for tags, score in paths.items() if tags[index] == best[index]]
            log_prob = np.logaddexp.reduce(with_tag) - whole
            word = begin + index
            assert np.log(marginals[word, best[index]]) == pytest.approx(log_prob, abs=1e-3)
            assert log_probs[word] == pytest.approx(log_prob if best[index] else 0, abs=1e-3)
        # The result does not depend on the other sequences.
        alone, _ = decoder.decode(logits[begin:end], [0, end - begin])
        assert alone.tolist() == list(best)


@given(st.data(), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_argmax_tags_keep_their_labels_and_are_valid(
    data: st.DataObject, lengths: list[int]
) -> None:
    logits = data.draw(score_arrays(sum(lengths), 5))
    bounds = [0, *itertools.accumulate(lengths)]
    path, log_probs = argmax_tags(logits, bounds)
    best = logits.argmax(axis=1)
    assert ((path + 1) // 2).tolist() == ((best + 1) // 2).tolist()
    no_transitions = np.zeros((5, 5)), np.zeros(5)
    for begin, end in itertools.pairwise(bounds):
        assert tuple(path[begin:end].tolist()) in all_paths(logits[begin:end], *no_transitions)
    assert np.allclose(log_probs, logits.max(axis=1) - np.logaddexp.reduce(logits, axis=1))
    # Only tags that would be invalid are changed, from I- to B-.
    assert all(
        new == old or (new, old % 2) == (old - 1, 0) for new, old in zip(path, best, strict=True)
    )


@given(st.data(), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_the_loss_is_the_negative_log_likelihood_of_the_gold_tags(
    data: st.DataObject, lengths: list[int]
) -> None:
    import torch

    transitions, starts = data.draw(score_arrays(5, 5)), data.draw(score_arrays(5))
    crf = CRF(5, by_line=True)
    with torch.no_grad():
        crf.transitions.copy_(torch.from_numpy(transitions))
        crf.start_transitions.copy_(torch.from_numpy(starts))
    # One row, in which each sequence starts a line. Every other piece has no word.
    rows, labels, line_starts, gold_log_probs = [], [], [], []
    for length in lengths:
        logits = data.draw(score_arrays(length, 5))
        paths = all_paths(logits, transitions, starts)
        gold = data.draw(st.sampled_from(sorted(paths)))
        gold_log_probs.append(paths[gold] - np.logaddexp.reduce(list(paths.values())))
        for index in range(length):
            rows += [logits[index], np.full(5, 9.0)]
            labels += [gold[index], -100]
            line_starts += [index == 0] * 2
    # In training a sequence may start inside a cut mention, so the loss allows I- tags there.
    allowed = [tag for tag in range(5) if tag % 2 == 1 or tag == 0]
    with torch.no_grad():
        crf.start_transitions[[tag for tag in range(5) if tag not in allowed]] = -1e4
    loss = crf(
        torch.from_numpy(np.array([rows], np.float32)),
        torch.tensor([labels]),
        torch.tensor([line_starts]),
    )
    assert loss.item() == pytest.approx(-sum(gold_log_probs) / sum(lengths), abs=1e-3)


def rank_network(tokenizer: Any) -> Any:
    """A network that predicts RANK for each piece "gen" and for a dot after it."""
    gen, dot = tokenizer.token_to_id("gen"), tokenizer.token_to_id(".")

    def network(ids: Any, mask: Any, features: Any) -> Any:
        logits = np.zeros((*ids.shape, len(TAGS)), np.float32)
        logits[..., 0] = 2
        logits[ids == gen, TAGS.index("B-RANK")] = 8
        after = np.zeros_like(ids, bool)
        after[:, 1:] = (ids[:, 1:] == dot) & (ids[:, :-1] == gen)
        logits[after, TAGS.index("I-RANK")] = 8
        return logits

    return network


@settings(max_examples=30)
@given(texts_of_parts, st.integers(8, 30))
def test_mentions_do_not_depend_on_windows(tokenizer: Any, parts: list[str], size: int) -> None:
    text = " Gen. ".join(parts)
    expected = [(m.start(), m.end(), "RANK") for m in re.finditer(r"(?<= )Gen\.(?= )", text)]
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, config(size, size // 2), batch_size=3)
    (mentions,) = tagger.tag([text])
    spans = [mention[:3] for mention in mentions]
    assert [span for span in expected if span not in spans] == []
    assert all(0 < mention.score <= 1 for mention in mentions)


def test_a_stream_of_unusual_texts_is_tagged_in_order(tokenizer: Any) -> None:
    texts = ["", " \n", "Gen. A", "\u200b", "x" * 100_000, "😀", "a\0b Gen. B", HARD_TEXT]
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, config())
    results = list(tagger.pipe(texts, chunk_size=2))
    assert len(results) == len(texts)
    surfaces = [
        [text[mention.start : mention.end] for mention in mentions]
        for text, mentions in zip(texts, results, strict=True)
    ]
    assert surfaces == [[], [], ["Gen."], [], [], [], ["Gen."], ["Gen."]]


@given(texts_of_parts, st.integers(8, 40), st.integers(0, 4))
def test_piece_windows_are_those_of_tokenizers(
    tokenizer: Any, parts: list[str], size: int, stride: int
) -> None:
    text = "".join(parts)
    (encoded,) = encode_texts(tokenizer, [text])
    windows = cut_piece_windows(encoded, config(size, stride))
    truncating = Tokenizer.from_str(tokenizer.to_str())
    truncating.enable_truncation(size - 2, stride=stride)
    first = truncating.encode(text, add_special_tokens=False)
    expected = [part.ids for part in (first, *first.overflowing) if part.ids]
    assert [encoded.piece_ids[w.piece_start : w.piece_end].tolist() for w in windows] == expected
    for window in windows:
        inside = (encoded.first_pieces >= window.piece_start) & (
            encoded.first_pieces < window.piece_end
        )
        assert np.flatnonzero(inside).tolist() == list(range(window.word_start, window.word_end))


spans_in_windows = st.lists(
    st.builds(
        lambda start, length, score: Mention(start, start + length, "UNIT", score),
        *(st.integers(0, 30), st.integers(1, 8), st.sampled_from([0.25, 0.5, 0.75])),
    ),
    max_size=12,
)


@given(spans_in_windows)
def test_overlapping_mentions_are_resolved_as_in_transformers(mentions: list[Mention]) -> None:
    from transformers import TokenClassificationPipeline

    aggregate: Any = TokenClassificationPipeline.aggregate_overlapping_entities
    entities = [{"start": m.start, "end": m.end, "score": m.score} for m in mentions]
    assert [(m.start, m.end, m.score) for m in keep_longest_mentions(mentions)] == [
        (entity["start"], entity["end"], entity["score"]) for entity in aggregate(None, entities)
    ]
