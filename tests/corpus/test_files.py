"""Atomic writing, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import (
    open_atomic,
    open_folder_atomic,
    read_documents,
    write_documents,
    write_json,
)
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
