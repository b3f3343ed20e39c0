"""`orbat evaluate --conll`: other programs read the tags, and compute the same scores."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.training.tagger.words import find_words
from tests.conftest import Orbat


def perturbed(document: Document, rng: random.Random) -> Document:
    """Return predictions at word borders: most spans are right, others are moved or missed."""
    words = find_words(document.text).tolist()
    labels = sorted({span.label for span in document.spans}) or ["UNIT"]
    spans: list[Span] = []
    for span in document.spans:
        inside = [
            i for i, (start, end) in enumerate(words) if span.start < end and start < span.end
        ]
        first, last, label = inside[0], inside[-1], span.label
        match rng.randrange(6):
            case 0:
                continue
            case 1:
                label = rng.choice(labels)
            case 2:
                last = min(last + 1, len(words) - 1)
            case 3:
                first = max(first - 1, 0)
        if not spans or spans[-1].end <= words[first][0]:
            spans.append(Span(words[first][0], words[last][1], label))
    return document.with_spans(spans)


def read_columns(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Return the gold and the predicted tags of each sentence, as scorers read them."""
    blocks = path.read_text().strip("\n").split("\n\n")
    rows = [[line.split(" ") for line in block.split("\n")] for block in blocks]
    return [[r[1] for r in b] for b in rows], [[r[2] for r in b] for b in rows]


def test_seqeval_and_orbat_agree(
    orbat: Orbat, tmp_path: Path, test_articles: list[Document]
) -> None:
    from seqeval.metrics import classification_report
    from seqeval.scheme import IOB2

    rng = random.Random(7)
    gold = test_articles[:40]
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", [perturbed(document, rng) for document in gold])
    outcome = orbat(
        *("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"),
        *("--conll", tmp_path / "tags.txt", "--resamples", 100, "--json"),
    )
    assert (outcome.code, outcome.err) == (0, "")
    strict = outcome.json()["strict"]
    assert 0.3 < strict["micro"]["f1"] < 0.9
    tags, predicted = read_columns(tmp_path / "tags.txt")
    assert len(tags) > 2 * len(gold)
    for options in ({}, {"mode": "strict", "scheme": IOB2}):
        theirs = classification_report(tags, predicted, output_dict=True, **options)
        for name in ("precision", "recall", "f1"):
            expected = strict["micro"][name]
            assert theirs["micro avg"][name.replace("f1", "f1-score")] == pytest.approx(expected)
        assert {label: strict["labels"][label]["f1"] for label in strict["labels"]} == {
            label: pytest.approx(theirs[label]["f1-score"]) for label in strict["labels"]
        }


def test_tokens_of_the_gold_stay_whole(orbat: Orbat, tmp_path: Path) -> None:
    tokens = {"tokens": {"count": 4, "cuts": []}}
    text = "U.S.-led forces left.\nGood."
    gold = Document("a", text, (Span(0, 8, "A"), Span(9, 15, "B")), tokens)
    write_documents(tmp_path / "gold.jsonl", [gold])
    write_documents(tmp_path / "pred.jsonl", [Document("a", text, (Span(0, 4, "A"),))])
    outcome = orbat(
        *("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"),
        *("--conll", tmp_path / "tags.txt", "--resamples", 100),
    )
    assert outcome.code == 0
    assert (tmp_path / "tags.txt").read_text() == (
        "U.S.-led B-A B-A\nforces B-B O\nleft. O O\n\nGood. O O\n\n"
    )
    assert outcome.err.splitlines()[-1] == (
        f"{tmp_path / 'tags.txt'}: 1 borders of spans inside of source tokens, which are tagged "
        "as a whole, in the predictions"
    )


def test_the_file_is_none_of_those_read(refused: Callable[..., str], tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    write_documents(gold, [Document("a", "Gen. Osei", (Span(0, 4, "A"),))])
    command = ("evaluate", "--predictions", gold, gold)
    assert "is the file to read" in refused(*command, "--conll", gold)
    assert "needs gold" in refused(*command, "--conll", tmp_path / "t", "--false-alarms", "A")
