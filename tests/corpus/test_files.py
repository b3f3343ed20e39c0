"""Atomic writing, and errors that name file and line."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents, write_json
from orbat.corpus.json_values import encode_json
from orbat.corpus.output.atomic import open_atomic, open_folder_atomic, open_scratch_folder
from orbat.errors import InputError

LINE = b'{"id": "a", "text": "x"}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (LINE + b'{"id": "b", "text": \n', ":2: invalid JSON at column"),
        (LINE + LINE, ":2: duplicate id 'a' (first seen at"),
        (LINE + b"\xff\xfe\n", ":2: not UTF-8"),
        (b"\x89PNG\x00\x00", ":1: binary data"),
        (b"[" * 100_000, ":1: invalid JSON"),
    ],
)
def test_invalid_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_documents(path))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_documents(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    "words",
    [
        ("corpus", "add", "{}", "--output", "out.jsonl"),
        ("corpus", "stats", "{}"),
        ("corpus", "check", "{}", "{}"),
        ("corpus", "split", "{}", "--output", "splits"),
        ("annotate", "agree", "{}", "{}"),
        ("annotate", "convert", "{}", "brat", "--from", "conll", "--to", "brat"),
        ("train", "baseline-rules", "--train", "{}", "--dev", "{}", "--output", "run"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_pipe_is_refused(
    refused: Callable[..., str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    line = refused(*(word.format(pipe) for word in words))
    assert line == f"{pipe}: is a pipe, which can be read only once; save it as a file"
    assert list(tmp_path.iterdir()) == [pipe]


def test_only_line_feeds_end_a_line_and_byte_order_marks_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes('\ufeff{"id": "a", "text": "one\u2028two\u0085three"}\n'.encode())
    (document,) = read_documents(path)
    assert document.text == "one\u2028two\u0085three"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    write_documents(path, [Document("a", "old")])

    def failing() -> object:
        yield Document("a", "new")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_documents(path, failing())  # type: ignore[arg-type]
    assert [d.text for d in read_documents(path)] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_cannot_be_written_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is a folder"), open_atomic(tmp_path / "folder") as file:
        file.write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(RuntimeError), open_folder_atomic(folder) as draft:
        (draft / "file").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with open_folder_atomic(folder) as draft:
        (draft / "file").write_text("old")
        assert not folder.exists()
    with pytest.raises(InputError, match="folder: exists already"), open_folder_atomic(folder):
        pass
    with open_folder_atomic(folder, replace=True) as draft:
        (draft / "file").write_text("new")
    assert (folder / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_private_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    write_json(path, {"ann": "old"})
    assert path.stat().st_mode & 0o077
    write_json(path, {"ann": "secret"}, private=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == '{\n  "ann": "secret"\n}\n'


def killed_in(block: str, path: Path) -> None:
    """Write a path in a fork that is killed in the middle."""
    child = os.fork()
    if child == 0:
        if block == "file":
            with open_atomic(path) as file:
                file.write(b"half")
                signal.raise_signal(signal.SIGKILL)
        with open_folder_atomic(path) as draft:
            (draft / "file").write_text("half")
            signal.raise_signal(signal.SIGKILL)
    os.waitpid(child, 0)


def test_the_next_write_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    file, folder, like_a_draft = tmp_path / "f", tmp_path / "d", tmp_path / ".f.original"
    like_a_draft.touch()
    killed_in("file", file)
    killed_in("folder", folder)
    assert len(list(tmp_path.iterdir())) == 3
    # Drafts of living processes, as another thread's, are kept.
    with open_atomic(file) as first, open_folder_atomic(folder) as draft:
        first.write(b"first")
        (draft / "file").write_text("first")
        with open_atomic(file) as second:
            second.write(b"second")
        with pytest.raises(RuntimeError), open_folder_atomic(folder):
            raise RuntimeError
    assert file.read_bytes() == b"first"
    assert (folder / "file").read_text() == "first"
    assert {path.name for path in tmp_path.iterdir()} == {"f", "d", ".f.original"}


def test_scratch_of_killed_processes_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = os.fork()
    if child == 0:
        with open_scratch_folder() as folder:
            (folder / "a").write_text("a")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left,) = tmp_path.iterdir()
    with open_scratch_folder() as folder, open_scratch_folder() as inner:
        assert {*tmp_path.iterdir()} == {folder, inner}
        assert left not in (folder, inner)
    assert not list(tmp_path.iterdir())


def test_a_file_for_which_there_is_no_room_is_named(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        code = 1
        try:
            with pytest.raises(InputError, match=r"long\.jsonl: cannot be written \(File too"):
                write_documents(tmp_path / "long.jsonl", [Document("a", "long" * 10_000)])
            with (
                pytest.raises(InputError, match=r"folder: cannot be written \(File too large"),
                open_folder_atomic(tmp_path / "folder") as draft,
            ):
                (draft / "file").write_text("long" * 10_000)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_very_long_name_can_be_written(tmp_path: Path) -> None:
    write_json(tmp_path / ("é" * 127), 1)
    assert [len(path.name) for path in tmp_path.iterdir()] == [127]


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_files_and_folders_have_the_mode_that_the_user_wants(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_json(tmp_path / "file.json", {})
        with open_folder_atomic(tmp_path / "folder") as draft:
            (draft / "inner").mkdir()
            (draft / "inner" / "file").touch(mode=0o600)  # as some libraries do
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o777 if path.is_dir() else 0o666) & ~mask


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=8,
)


@given(VALUES)
def test_written_json_has_no_nan_and_all_else_stays(value: Any) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    def expected(value: Any) -> Any:
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, dict):
            return {key: expected(child) for key, child in value.items()}
        return [expected(child) for child in value] if isinstance(value, list) else value

    assert json.loads(encode_json(value), parse_constant=refuse) == expected(value)
