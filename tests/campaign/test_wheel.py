"""A packaged model under stress: threads, processes, many and huge documents, and damaged files."""

from __future__ import annotations

import resource
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.errors import OrbatError
from orbat.models.wheels.reading import read_wheel
from tests.campaign.conftest import Campaign
from tests.models.conftest import entities, installed, nlp

__all__ = ["installed", "nlp"]
pytestmark = [pytest.mark.campaign, pytest.mark.slow]


def test_threads_share_one_model(
    campaign: Campaign, nlp: Any, test_articles: list[Document]
) -> None:
    texts = [article.text[:1500] for article in test_articles[: 60 if campaign.is_long else 12]]
    expected = [entities(nlp(text)) for text in texts]
    row = campaign.figures.row("wheel: threads")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: entities(nlp(text)), texts * 3))
    for index, result in enumerate(found):
        row.count()
        row.lost += result != expected[index % len(texts)]
    assert row.is_clean, row


def test_processes_give_the_same_documents(
    campaign: Campaign, nlp: Any, test_articles: list[Document]
) -> None:
    texts = [article.text[:500] for article in test_articles[:10]]
    row = campaign.figures.row("wheel: nlp.pipe with processes")
    alone = [entities(doc) for doc in nlp.pipe(texts)]
    together = [entities(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=3)]
    for first, second in zip(alone, together, strict=True):
        row.count()
        row.lost += first != second
    assert row.is_clean, row


def test_many_tiny_documents_and_a_huge_one(
    campaign: Campaign, nlp: Any, test_articles: list[Document]
) -> None:
    row = campaign.figures.row("wheel: tiny and huge documents")
    tiny = ["", " ", "Gen.", "\n", "a" * 50] * (2000 if campaign.is_long else 200)
    began = time.process_time()
    assert sum(1 for _ in nlp.pipe(tiny)) == len(tiny)
    for _ in tiny:
        row.count((time.process_time() - began) / len(tiny))
    text = "\n\n".join(article.text for article in test_articles)
    text = text[: 900_000 if campaign.is_long else 50_000]
    began = time.process_time()
    doc = nlp(text)
    seconds = (time.process_time() - began) * 50_000 / len(text)
    row.count(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    assert doc.text == text
    assert doc.ents
    assert not row.tracebacks + row.lost + row.hangs, row


def test_every_flipped_bit_of_a_wheel_is_found(
    campaign: Campaign, wheel: Path, tmp_path: Path
) -> None:
    content, copy = bytearray(wheel.read_bytes()), tmp_path / wheel.name
    whole = read_wheel(wheel)
    random, row = campaign.random("wheel"), campaign.figures.row("wheel: flipped bits")
    unnoticed = []
    shutil.copy(wheel, copy)
    with copy.open("r+b") as file:
        for _ in range(400 if campaign.is_long else 40):
            at, bit = random.randrange(len(content)), random.randrange(8)
            file.seek(at)
            file.write(bytes([content[at] ^ 1 << bit]))
            file.flush()
            row.count()
            try:
                # Bits of the archive itself, such as times of files, may change without effect.
                if read_wheel(copy) != whole:
                    unnoticed.append(at)
            except OrbatError:
                pass
            file.seek(at)
            file.write(bytes([content[at]]))
    row.lost += len(unnoticed)
    assert not unnoticed
