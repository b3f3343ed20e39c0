"""The files of a packaged model: their names and hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st

from orbat.errors import ModelError
from orbat.models.component import EntityTagger
from orbat.models.loading import load_model
from orbat.models.runtime import HASHES_FILE, MODEL_FILES, check_names, read_files

OUTSIDE = ["../other.json", "/tmp/other.json", "..", ".", "", "a/b", "a\\b", "C:x", ".ssh", "a\0b"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_bytes_that_name_other_folders_are_refused_and_write_nothing(
    name: str, tmp_path: Path
) -> None:
    component = EntityTagger("orbat_ner")
    with pytest.raises(ValueError, match="is no file name in a model; install the model again"):
        component.from_bytes(srsly.msgpack_dumps({name: b"content"}))
    component.to_disk(tmp_path / "folder" / "model")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("value", [[], "text", {"model.onnx": "text"}, {"model.onnx": 1}])
def test_bytes_that_hold_no_files_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="the bytes hold no model"):
        EntityTagger("orbat_ner").from_bytes(srsly.msgpack_dumps(value))


@given(st.text(st.sampled_from("ab./\\:~ \0\n-_é"), max_size=8))
def test_accepted_names_stay_in_their_folder(name: str) -> None:
    folder = Path("/folder")
    try:
        check_names([name])
    except ValueError:
        return
    assert (folder / name).parent == folder
    assert name not in (".", "..")


@pytest.mark.parametrize("name", OUTSIDE)
def test_hashes_that_name_other_folders_are_refused(name: str, tmp_path: Path) -> None:
    """Before a file is opened: the other one may be a device that never ends."""
    folder = tmp_path / "model"
    folder.mkdir()
    for file in MODEL_FILES:
        (folder / file).write_bytes(b"{}")
    hashes = dict.fromkeys((*MODEL_FILES, name), "0")
    (folder / HASHES_FILE).write_text(json.dumps(hashes))
    message = "is no file name in a model; install the model again"
    with pytest.raises(ValueError, match=message):
        read_files(folder)
    with pytest.raises(ModelError, match=message):
        load_model(folder)
