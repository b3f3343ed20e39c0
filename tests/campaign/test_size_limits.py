"""Sources as large as the limits allow: they are read in bounded memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orbat.corpus.reading.bounded import MAX_MARKUP_BYTES, MAX_SPANS, MAX_TEXT_CHARACTERS
from tests.campaign.conftest import Campaign
from tests.campaign.stops import find_faults
from tests.forked_commands import Done, ForkServer

pytestmark = [pytest.mark.campaign, pytest.mark.slow]

_WORD = "Gens "
TEXT = _WORD * (MAX_TEXT_CHARACTERS // len(_WORD))


def write_text(path: Path) -> None:
    path.write_text(TEXT)


def write_page(path: Path) -> None:
    paragraph = f"<p>{_WORD * 150}</p>"
    count = MAX_MARKUP_BYTES // len(paragraph) - 1
    path.write_text(f"<html><body><article>{paragraph * count}</article></body></html>")


def write_mail(path: Path) -> None:
    path.write_text(f"From: a@b.example\nSubject: x\n\n{TEXT}")


def write_record(path: Path) -> None:
    record = {"id": "a", "text": TEXT, "meta": {"note": "x" * 50_000_000}}
    path.write_text(json.dumps(record) + "\n")


def write_rows(path: Path) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *([number, TEXT] for number in range(15))])


def write_spans(path: Path) -> None:
    starts = range(0, len(TEXT), len(TEXT) // MAX_SPANS // len(_WORD) * len(_WORD))[:MAX_SPANS]
    spans = [{"start": start, "end": start + 4, "label": "RANK"} for start in starts]
    path.write_text(json.dumps({"id": "a", "text": TEXT, "spans": spans}) + "\n")


def write_words(path: Path) -> None:
    path.write_text("Gens\tO\n" * (MAX_TEXT_CHARACTERS // len(_WORD)))


ARTICLES: dict[str, Callable[[Path], None]] = {
    "article.txt": write_text,
    "page.html": write_page,
    "mail.eml": write_mail,
    "record.jsonl": write_record,
    "rows.csv": write_rows,
}


@pytest.fixture(scope="module")
def bare() -> Iterator[ForkServer]:
    """Runs commands without the memory of libraries that they do not need."""
    server = ForkServer(())
    yield server
    server.stop()


def convert(source: str, target: str) -> list[str]:
    words = ["annotate", "convert", f"spans.{source}", "converted", "--from", source]
    return [*words, "--to", target, "--skip-bad"]


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_at_the_limit_is_added(
    campaign: Campaign, bare: ForkServer, tmp_path: Path, name: str
) -> None:
    ARTICLES[name](tmp_path / name)
    done = bare.run(["corpus", "add", name, "--output", "corpus.jsonl"], {}, tmp_path)
    check(campaign, done)


@pytest.mark.parametrize("target", ["brat", "labelstudio", "docbin", "conll", "xmi"])
def test_the_most_spans_are_converted(
    campaign: Campaign, bare: ForkServer, tmp_path: Path, target: str
) -> None:
    write_spans(tmp_path / "spans.jsonl")
    check(campaign, bare.run(convert("jsonl", target), {}, tmp_path))


def test_the_longest_document_of_words_is_converted(
    campaign: Campaign, bare: ForkServer, tmp_path: Path
) -> None:
    write_words(tmp_path / "spans.conll")
    check(campaign, bare.run(convert("conll", "brat"), {}, tmp_path))


def check(campaign: Campaign, done: Done) -> None:
    """Count a command that must succeed."""
    row = campaign.figures.row("input at the limits")
    faults = row.oversized, row.hangs
    row.count(done.seconds, done.memory)
    assert (row.oversized, row.hangs) == faults, done
    campaign.check(row, find_faults(done, (0,)))
