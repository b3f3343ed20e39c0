"""Decoding of tag sequences, and the training loss of the same CRF."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from orbat.training.tagger.decoding import TagDecoder, allowed_transitions, argmax_tags
from orbat.training.transformer.layers.crf import CRF


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


def decode_word_by_word(
    logits: np.ndarray, transitions: np.ndarray, starts: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the score of the best path of one sequence, and the marginals, in log space."""
    best = forward = starts + logits[0]
    states = [forward]
    for row in logits[1:]:
        best = (best[:, None] + transitions).max(axis=0) + row
        forward = np.logaddexp.reduce(forward[:, None] + transitions, axis=0) + row
        states.append(forward)
    backward = np.zeros(len(starts))
    log_probs = np.empty_like(states)
    for index in range(len(logits) - 1, -1, -1):
        log_probs[index] = states[index] + backward
        backward = np.logaddexp.reduce(transitions + logits[index] + backward, axis=1)
    return best.max(), np.exp(log_probs - np.logaddexp.reduce(log_probs, axis=1, keepdims=True))


@given(
    st.lists(st.integers(1, 150), min_size=1, max_size=4),
    st.floats(0.1, 30),
    st.floats(0, 30),
    st.integers(0, 2**32 - 1),
)
def test_long_sequences_are_decoded_as_word_by_word(
    lengths: list[int], spread: float, outside: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    allowed, allowed_starts = allowed_transitions(5)
    transitions = np.where(allowed, rng.normal(scale=2, size=(5, 5)), -np.inf)
    starts = np.where(allowed_starts, rng.normal(scale=2, size=5), -np.inf)
    bounds = [0, *itertools.accumulate(lengths)]
    logits = rng.normal(scale=spread, size=(bounds[-1], 5)).astype(np.float32)
    # Most words are certainly outside, as in real texts.
    logits[:, 0] += outside * (rng.random(bounds[-1]) < 0.9)
    decoder = TagDecoder(5, transitions.tolist(), starts.tolist())
    path, _ = decoder.decode(logits, bounds)
    marginals = decoder.marginals(logits, bounds)
    for begin, end in itertools.pairwise(bounds):
        score, expected = decode_word_by_word(logits[begin:end], transitions, starts)
        tags = path[begin:end]
        found = starts[tags[0]] + logits[begin:end][np.arange(end - begin), tags].sum(dtype=float)
        found += sum(transitions[step] for step in itertools.pairwise(tags.tolist()))
        assert found == pytest.approx(score, rel=1e-5, abs=1e-3)
        assert np.allclose(marginals[begin:end], expected, atol=1e-6)
        alone = decoder.marginals(logits[begin:end], [0, end - begin])
        assert np.array_equal(alone, marginals[begin:end])


@pytest.mark.parametrize("tags", [5, 43])
def test_words_that_look_outside_are_decoded_by_what_transitions_gain(tags: int) -> None:
    """Scores near the margins by which words are outside for certain decide most of these paths."""
    rng = np.random.default_rng(tags)
    allowed, allowed_starts = allowed_transitions(tags)
    changed = 0
    for _ in range(1500 if tags == 5 else 8):
        scale, words = rng.uniform(0, 5), int(rng.integers(1, 50 if tags > 5 else 7))
        transitions = np.where(allowed, rng.normal(scale=scale, size=(tags, tags)), -np.inf)
        starts = np.where(allowed_starts, rng.normal(scale=scale, size=tags), -np.inf)
        logits = rng.normal(scale=rng.uniform(0.1, 4), size=(words, tags)).astype(np.float32)
        logits[:, 0] += rng.uniform(0, 4 * scale + 4, size=words)
        decoder = TagDecoder(tags, transitions.tolist(), starts.tolist())
        path, _ = decoder.decode(logits, [0, words])
        score, expected = decode_word_by_word(logits, transitions, starts)
        found = starts[path[0]] + logits[np.arange(words), path].sum(dtype=float)
        found += sum(transitions[step] for step in itertools.pairwise(path.tolist()))
        assert found == pytest.approx(score, rel=1e-5, abs=1e-3)
        assert np.allclose(decoder.marginals(logits, [0, words]), expected, atol=1e-6)
        changed += bool((path[logits.argmax(axis=1) == 0] > 0).any())
    assert changed > 0, "no transition outweighed a word"


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
