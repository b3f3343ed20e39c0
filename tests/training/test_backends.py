"""Loading of runs, of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from orbat.errors import ModelError
from orbat.training import backends
from orbat.training.backends import Backend, load_run
from orbat.training.recipe import RulesRecipe


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (MemoryError(), MemoryError),
        (torch.OutOfMemoryError("CUDA out of memory"), torch.OutOfMemoryError),
        (RuntimeError("shapes differ"), ModelError),
    ],
)
def test_a_lack_of_memory_is_no_fault_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, shown: type[Exception]
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    manifest = {"labels": {"label": []}, "recipe": {"kind": "rules"}}
    monkeypatch.setattr(backends, "read_manifest", lambda run: manifest)
    monkeypatch.setitem(backends.BACKENDS, "rules", Backend(RulesRecipe, fail, fail))
    with pytest.raises(shown):
        load_run(tmp_path)
