"""Commands never write to what they read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import check_output, write_documents
from orbat.errors import InputError


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    path = tmp_path / "documents.jsonl"
    write_documents(path, [Document("a", "Gen. Osei spoke.", (Span(0, 4, "RANK"),))])
    return path


@pytest.mark.parametrize("kind", ["same", "symbolic link", "hard link", "other spelling"])
def test_an_output_that_is_an_input_is_refused(kind: str, documents: Path) -> None:
    output = documents.with_name("other.jsonl")
    if kind == "same":
        output = documents
    elif kind == "symbolic link":
        output.symlink_to(documents)
    elif kind == "hard link":
        os.link(documents, output)
    else:
        output = documents.parent / ".." / documents.parent.name / documents.name
    with pytest.raises(InputError, match="is the file to read; name another one to write"):
        check_output(output, None, documents)


def test_an_output_inside_a_folder_to_read_is_refused(documents: Path) -> None:
    with pytest.raises(InputError, match=r"new\.jsonl: lies in .*, the folder to read"):
        check_output(documents.parent / "deeper" / "new.jsonl", documents.parent)
    check_output(documents.parent / "new.jsonl", documents, documents.parent / "missing")
    check_output(None, documents)


def test_commands_refuse_their_input_as_output(
    refused: Callable[..., str], documents: Path, tmp_path: Path
) -> None:
    content = documents.read_bytes()
    other = Path(shutil.copy(documents, tmp_path / "other.jsonl"))
    train = Path(shutil.copy(documents, tmp_path / "train.jsonl"))
    for command in (
        ("corpus", "add", documents, "--output", documents),
        ("corpus", "split", train, "--output", tmp_path),
        ("corpus", "stats", documents, "--report", documents),
        ("annotate", "convert", documents, documents, "--from", "jsonl"),
        ("annotate", "agree", documents, other, "--html", other),
        ("annotate", "adjudicate", documents, other, "--output", documents),
        ("annotate", "select", documents, "--output", documents, "--strategy", "random"),
        ("evaluate", documents, "--predictions", other, "--report", other),
    ):
        assert "is the file to read" in refused(*command)
    assert {path.read_bytes() for path in (documents, other, train)} == {content}


def test_commands_refuse_a_folder_as_output_before_they_read(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    folder, broken = tmp_path / "folder", tmp_path / "broken.jsonl"
    folder.mkdir()
    broken.write_text("{")
    for command in (
        ("corpus", "add", broken, "--output", folder),
        ("corpus", "stats", broken, "--report", folder),
        ("corpus", "drift", broken, broken, "--report", folder),
        ("annotate", "agree", broken, broken, "--html", folder),
        ("annotate", "adjudicate", broken, broken, "--output", folder),
        ("annotate", "select", broken, "--output", folder, "--strategy", "random"),
        ("annotate", "audit", broken, "--work", tmp_path / "work", "--html", folder),
        ("evaluate", broken, "--predictions", broken, "--report", folder),
    ):
        assert f"{folder}: is a folder; name a " in refused(*command)


def test_a_conversion_does_not_replace_another_kind_of_path(
    refused: Callable[..., str], documents: Path, tmp_path: Path
) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file.txt"
    folder.mkdir()
    (folder / "note.txt").write_text("kept")
    file.write_text("kept")
    convert = ("annotate", "convert", documents)
    assert "is a folder; name a file" in refused(
        *convert, folder, "--from", "jsonl", "--to", "jsonl"
    )
    brat = ("--from", "jsonl", "--to", "brat")
    assert "exists already" in refused(*convert, file, *brat)
    assert "exists already" in refused(*convert, folder, *brat)
    assert "cannot be written" in refused(*convert, file / "new.jsonl", "--from", "jsonl")
    assert (folder / "note.txt").read_text() == file.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "documents.jsonl",
        "file.txt",
        "folder",
    ]
