"""Models of the Hugging Face Hub where it does not answer: the cache, and one line of error."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import Orbat
from tests.models import token_classifiers


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables for a Hub at a port where nobody answers, and an empty cache."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        yield {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}


def test_a_cached_model_is_used(
    orbat: Orbat, environment: dict[str, str], tmp_path: Path, test_articles: list[Document]
) -> None:
    write_documents(tmp_path / "in.jsonl", test_articles[:2])
    command = ("tag", "org/tiny", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    outcome = orbat(*command, env=environment)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(
        "error: org/tiny: no folder of this name, and cannot be fetched from the Hugging Face Hub ("
    )
    assert outcome.err.endswith(
        "download it where there is a connection (hf download org/tiny), then name its folder, or "
        "copy the cache and set HF_HUB_OFFLINE=1\n"
    )
    repository = tmp_path / "home" / "hub" / "models--org--tiny"
    checkpoint = token_classifiers.save(
        tmp_path / "tiny", "Bert", token_classifiers.word_piece(lowercase=True)
    )
    shutil.copytree(checkpoint, repository / "snapshots" / ("a" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    outcome = orbat(*command, env=environment)
    assert outcome.code == 0, outcome.err
    assert any(document.spans for document in read_documents(tmp_path / "out.jsonl"))


def test_an_encoder_that_cannot_be_fetched_is_one_line(
    orbat: Orbat, environment: dict[str, str], tmp_path: Path, test_articles: list[Document]
) -> None:
    write_documents(tmp_path / "train.jsonl", test_articles[:2])
    write_documents(tmp_path / "dev.jsonl", test_articles[2:4])
    outcome = orbat(
        *("train", "quick", "--train", tmp_path / "train.jsonl", "--dev", tmp_path / "dev.jsonl"),
        *("--set", "encoder=org/large", "--output", tmp_path / "run"),
        env=environment,
    )
    assert outcome.code == 2
    lines = [line for line in outcome.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, outcome.err
    assert "then name its folder, or copy the cache and set HF_HUB_OFFLINE=1" in outcome.err
    assert not (tmp_path / "run").exists()
