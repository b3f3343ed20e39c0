"""Folders that `orbat package --transformers` may replace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.files import sha256_file, write_json
from orbat.errors import InputError
from orbat.models.checkpoint import check_replaceable


def test_a_folder_of_others_is_refused_before_anything_is_written(
    refused: Callable[..., str], rules_run: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "transformers" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    line = refused("package", rules_run, "--output", tmp_path, "--transformers")
    assert line.startswith(f"{notes.parent}: would be replaced, but is not a checkpoint")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [notes]


def test_only_new_empty_and_unchanged_folders_are_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "transformers"
    check_replaceable(folder)
    folder.mkdir()
    check_replaceable(folder)
    (folder / "config.json").write_text("{}")
    with pytest.raises(InputError, match="move it away, or name another --output"):
        check_replaceable(folder)
    write_json(folder / "sha256.json", {"config.json": sha256_file(folder / "config.json")})
    check_replaceable(folder)
    (folder / "config.json").write_text('{"edited": true}')
    with pytest.raises(InputError, match="move it away"):
        check_replaceable(folder)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="move it away"):
        check_replaceable(file)
