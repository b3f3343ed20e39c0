"""A packaged model under stress: threads, many tiny documents, a huge one, and flipped bits."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import OrbatError
from orbat.models.wheels.reading import read_wheel
from tests.campaign.conftest import Campaign
from tests.campaign.stops import count_trial
from tests.forked_commands import ForkServer
from tests.models.conftest import entities, installed, nlp

__all__ = ["installed", "nlp"]
pytestmark = [pytest.mark.campaign, pytest.mark.slow]


def test_threads_share_one_model(
    campaign: Campaign, nlp: Any, test_articles: list[Document]
) -> None:
    texts = [article.text[:1500] for article in test_articles[: 60 if campaign.is_long else 6]]
    row, faults = campaign.figures.row("wheel: threads"), []
    began = time.process_time()
    expected = [entities(nlp(text)) for text in texts]
    seconds = (time.process_time() - began) / len(texts)
    began = time.process_time()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: entities(nlp(text)), texts * 3))
    for number, result in enumerate(found):
        row.count((time.process_time() - began) / len(found), 0, seconds)
        if result != expected[number % len(texts)]:
            row.lost += 1
            faults.append(f"trial {number}: {result}")
    campaign.check(row, faults)


def test_many_tiny_documents(campaign: Campaign, nlp: Any) -> None:
    row = campaign.figures.row("wheel: tiny documents")
    texts = ["", " ", "Gen.", "\n", "a" * 50] * (2000 if campaign.is_long else 100)
    began = time.process_time()
    docs = [doc.text for doc in nlp.pipe(texts)]
    seconds = (time.process_time() - began) / len(texts)
    for _ in docs:
        row.count(seconds, 0)
    row.lost += docs != texts
    campaign.check(row, [])


def test_a_huge_document(
    campaign: Campaign,
    heavy: ForkServer,
    wheel: Path,
    test_articles: list[Document],
    tmp_path: Path,
) -> None:
    """It takes the time of its parts, not the square of its length, and has their entities."""
    row = campaign.figures.row("wheel: a huge document")
    articles = test_articles[: 100 if campaign.is_long else 20]
    huge = "\n\n".join(article.text for article in articles)
    write_documents(tmp_path / "parts.jsonl", articles)
    write_documents(tmp_path / "huge.jsonl", [Document("huge", huge)])
    done, found = {}, {}
    for name in ("parts", "huge"):
        words = ["tag", str(wheel), f"{name}.jsonl", "--output", f"{name}-tagged.jsonl"]
        done[name] = heavy.run(words, os.environ, tmp_path)
        assert done[name].code == 0, done[name].err
        tagged = [*read_documents(tmp_path / f"{name}-tagged.jsonl")]
        found[name] = sum(len(document.spans) for document in tagged)
    count_trial(row, done["huge"], expected=done["parts"])
    row.lost += tagged[0].text != huge
    row.lost += not 0.9 * found["parts"] < found["huge"] < 1.1 * found["parts"]
    campaign.check(row, [])


def test_every_flipped_bit_of_a_wheel_is_found(
    campaign: Campaign, wheel: Path, tmp_path: Path
) -> None:
    content, copy = wheel.read_bytes(), tmp_path / wheel.name
    whole = read_wheel(wheel)
    random, row, faults = campaign.random("wheel"), campaign.figures.row("wheel: flipped bits"), []
    copy.write_bytes(content)
    with copy.open("r+b") as file:
        for trial in range(400 if campaign.is_long else 20):
            at, bit = random.randrange(len(content)), random.randrange(8)
            file.seek(at)
            file.write(bytes([content[at] ^ 1 << bit]))
            file.flush()
            began = time.process_time()
            try:
                # Bits of the archive itself, such as times of files, may change without effect.
                if read_wheel(copy) != whole:
                    row.lost += 1
                    faults.append(f"trial {trial}: bit {bit} of byte {at} was not noticed")
            except OrbatError:
                pass
            row.count(time.process_time() - began, 0)
            file.seek(at)
            file.write(bytes([content[at]]))
    campaign.check(row, faults)
