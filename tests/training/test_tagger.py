"""Words, windows and decoding: the part that training and the installed model share."""

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


def config(window: int = 16, overlap: int = 4) -> TaggerConfig:
    return TaggerConfig(LABELS, window, overlap, (101,), (102,), 0, True)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    tokenizer = Tokenizer.from_file(str(Path(encoder_source("minilm")) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_every_gold_span_is_made_of_whole_words() -> None:
    for split in ("train", "dev", "test"):
        for document in read_documents(ARTICLES / f"{split}.jsonl"):
            words = find_words(document.text)
            spans = [(s.start, s.end, s.label) for s in document.spans]
            labels = tuple(dict.fromkeys(s.label for s in document.spans))
            tags = ("O", *(f"{mark}-{label}" for label in labels for mark in "BI"))
            path = spans_to_tags(words, spans, tags)
            found = tags_to_mentions(words, path, np.zeros(len(words), np.float32), labels)
            assert [m[:3] for m in found] == spans


@given(documents())
def test_words_cover_all_but_white_space(document: Document) -> None:
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
def test_features_tell_shapes_and_gaps_apart(
    word: str, gap: str, other: str, other_gap: str
) -> None:
    first, second = (
        find_features(text, find_words(text))[-1]
        for text in (f".{gap}{word}", f".{other_gap}{other}")
    )
    assert first != second


words_and_junk = st.lists(
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


@given(words_and_junk, st.integers(8, 40), st.data())
def test_windows_fit_and_share_out_every_word(
    tokenizer: Any, parts: list[str], size: int, data: st.DataObject
) -> None:
    setup = config(size, data.draw(st.integers(0, size // 2)))
    (text,) = encode_texts(tokenizer, ["".join(parts)])
    windows = cut_windows(text, setup)
    owned = [word for start, end in scored_words(windows) for word in range(start, end)]
    assert owned == list(range(len(text.words)))
    for window, (start, end) in zip(windows, scored_words(windows), strict=True):
        assert window.piece_end - window.piece_start <= size - 2
        assert window.word_start <= start <= end <= window.word_end
        assert window.word_start < window.word_end


def scores_of(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float32, shape, elements=st.floats(-6, 6, width=32))


def every_path(
    logits: np.ndarray, transitions: np.ndarray, starts: np.ndarray
) -> dict[tuple[int, ...], float]:
    """The score of each lawful tag sequence, one by one."""
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
def test_decoding_finds_the_best_lawful_path_and_its_odds(
    data: st.DataObject, lengths: list[int]
) -> None:
    transitions, starts = data.draw(scores_of(5, 5)), data.draw(scores_of(5))
    logits = data.draw(scores_of(sum(lengths), 5))
    bounds = [0, *itertools.accumulate(lengths)]
    decoder = TagDecoder(5, transitions.tolist(), starts.tolist())
    path, log_probs = decoder.decode(logits, bounds)
    chances = decoder.marginals(logits, bounds)
    for begin, end in itertools.pairwise(bounds):
        paths = every_path(logits[begin:end], transitions, starts)
        found = tuple(path[begin:end].tolist())
        assert paths[found] == pytest.approx(max(paths.values()), abs=1e-3)
        whole = np.logaddexp.reduce(list(paths.values()))
        for place in range(end - begin):
            with_tag = [score for tags, score in paths.items() if tags[place] == found[place]]
            odds = np.logaddexp.reduce(with_tag) - whole
            word = begin + place
            assert np.log(chances[word, found[place]]) == pytest.approx(odds, abs=1e-3)
            assert log_probs[word] == pytest.approx(odds if found[place] else 0, abs=1e-3)
        # No sequence changes what stands beside it.
        alone, _ = decoder.decode(logits[begin:end], [0, end - begin])
        assert alone.tolist() == list(found)


@given(st.data(), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_tags_taken_one_by_one_keep_their_labels_and_are_lawful(
    data: st.DataObject, lengths: list[int]
) -> None:
    logits = data.draw(scores_of(sum(lengths), 5))
    bounds = [0, *itertools.accumulate(lengths)]
    path, log_probs = argmax_tags(logits, bounds)
    best = logits.argmax(axis=1)
    assert ((path + 1) // 2).tolist() == ((best + 1) // 2).tolist()
    nothing = np.zeros((5, 5)), np.zeros(5)
    for begin, end in itertools.pairwise(bounds):
        assert tuple(path[begin:end].tolist()) in every_path(logits[begin:end], *nothing)
    assert np.allclose(log_probs, logits.max(axis=1) - np.logaddexp.reduce(logits, axis=1))
    # Only what would be unlawful is changed, to a beginning.
    assert all(
        new == old or (new, old % 2) == (old - 1, 0) for new, old in zip(path, best, strict=True)
    )


@given(st.data(), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_the_loss_is_the_odds_of_the_gold_tags(data: st.DataObject, lengths: list[int]) -> None:
    import torch

    transitions, starts = data.draw(scores_of(5, 5)), data.draw(scores_of(5))
    crf = CRF(5, by_line=True)
    with torch.no_grad():
        crf.transitions.copy_(torch.from_numpy(transitions))
        crf.start_transitions.copy_(torch.from_numpy(starts))
    # One row, in which each sequence begins a line; pieces without a word stand between.
    rows, labels, breaks, odds = [], [], [], []
    for length in lengths:
        logits = data.draw(scores_of(length, 5))
        paths = every_path(logits, transitions, starts)
        gold = data.draw(st.sampled_from(sorted(paths)))
        odds.append(paths[gold] - np.logaddexp.reduce(list(paths.values())))
        for place in range(length):
            rows += [logits[place], np.full(5, 9.0)]
            labels += [gold[place], -100]
            breaks += [place == 0] * 2
    # In training a cut span may begin a sequence, so the unlawful beginnings count there too.
    free = [n for n in range(5) if n % 2 == 1 or n == 0]
    with torch.no_grad():
        crf.start_transitions[[n for n in range(5) if n not in free]] = -1e4
    loss = crf(
        torch.from_numpy(np.array([rows], np.float32)),
        torch.tensor([labels]),
        torch.tensor([breaks]),
    )
    assert loss.item() == pytest.approx(-sum(odds) / sum(lengths), abs=1e-3)


def rank_network(tokenizer: Any) -> Any:
    """A network that says RANK for every piece of "gen" and of the dot behind it."""
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
@given(words_and_junk, st.integers(8, 30))
def test_mentions_do_not_depend_on_windows(tokenizer: Any, parts: list[str], size: int) -> None:
    text = " Gen. ".join(parts)
    expected = [(m.start(), m.end(), "RANK") for m in re.finditer(r"(?<= )Gen\.(?= )", text)]
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, config(size, size // 2), batch_size=3)
    (found,) = tagger.tag([text])
    got = [m[:3] for m in found]
    assert [m for m in expected if m not in got] == []
    assert all(0 < mention.score <= 1 for mention in found)


def test_a_stream_of_odd_texts_is_tagged_in_order(tokenizer: Any) -> None:
    texts = ["", " \n", "Gen. A", "\u200b", "x" * 100_000, "😀", "a\0b Gen. B", HARD_TEXT]
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, config())
    found = list(tagger.pipe(texts, chunk_size=2))
    assert len(found) == len(texts)
    marked = [[t[m.start : m.end] for m in ms] for t, ms in zip(texts, found, strict=True)]
    assert marked == [[], [], ["Gen."], [], [], [], ["Gen."], ["Gen."]]


@given(words_and_junk, st.integers(8, 40), st.integers(0, 4))
def test_windows_of_pieces_are_those_that_tokenizers_cut(
    tokenizer: Any, parts: list[str], size: int, overlap: int
) -> None:
    text = "".join(parts)
    (encoded,) = encode_texts(tokenizer, [text])
    windows = cut_piece_windows(encoded, config(size, overlap))
    cutting = Tokenizer.from_str(tokenizer.to_str())
    cutting.enable_truncation(size - 2, stride=overlap)
    first = cutting.encode(text, add_special_tokens=False)
    wanted = [part.ids for part in (first, *first.overflowing) if part.ids]
    assert [encoded.piece_ids[w.piece_start : w.piece_end].tolist() for w in windows] == wanted
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
def test_overlapping_mentions_are_joined_as_transformers_joins_them(found: list[Mention]) -> None:
    from transformers import TokenClassificationPipeline

    theirs: Any = TokenClassificationPipeline.aggregate_overlapping_entities
    wanted = theirs(None, [{"start": m.start, "end": m.end, "score": m.score} for m in found])
    assert [(m.start, m.end, m.score) for m in keep_longest_mentions(found)] == [
        (each["start"], each["end"], each["score"]) for each in wanted
    ]
