"""Fixtures of the training tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from orbat.training.transformer.encoder import encoder_source


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """The tokenizer of MiniLM."""
    tokenizer = Tokenizer.from_file(str(Path(encoder_source("minilm")) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
