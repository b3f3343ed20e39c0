"""The file of a backup: nothing damaged or foreign in it is ever used."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.transfer.archive import MANIFEST, RECORDS, open_backup, write_backup
from orbat.errors import InputError

LINES = [b'["examples.Example", {"text": "2 Wing"}]\n', b'["end", {}]\n']


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder")
    (folder / "history").mkdir()
    (folder / "secret" / "inside").mkdir(parents=True)
    (folder / "secret").chmod(0o700)
    (folder / "secret" / "inside" / "gold.jsonl").write_text("x")
    folder.chmod(0o755)
    (folder / "session.json").write_text("{}")
    (folder / "history" / "zoë.jsonl").write_bytes(b"\0\xff")
    (folder / "secret" / "seen.json").write_text("{}")
    (folder / "secret" / "seen.json").chmod(0o600)
    (folder / "accounts.json").write_text('{"ann": "a password"}')
    (folder / "history" / "new-account.json").write_text('{"name": "eve", "password": "another"}')
    (folder / ".lock").touch()
    (folder / ".session.json.x.orbat-draft").touch()
    return folder


@pytest.fixture(scope="module")
def backup(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("backup") / "b.zip"
    with write_backup(path) as writer:
        writer.add(RECORDS, LINES)
        writer.add_folder(folder)
        writer.finish("http://127.0.0.1:8000", {"examples.Example": 1}, "2026-01-01T09:00:00+00:00")
    return path.read_bytes()


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_backup_holds_the_folder_without_locks_drafts_and_passwords(
    folder: Path, backup: bytes, tmp_path: Path
) -> None:
    path, target = tmp_path / "b.zip", tmp_path / "target"
    path.write_bytes(backup)
    with open_backup(path) as opened:
        assert list(opened.records()) == LINES
        target.mkdir(mode=0o700)
        opened.extract_folder(target)
        assert opened.manifest.counts == {"examples.Example": 1}
    names = {"session.json", "history/zoë.jsonl", "secret/inside/gold.jsonl", "secret/seen.json"}
    assert set(files_in(target)) == names
    assert files_in(target).items() <= files_in(folder).items()
    assert (target / "secret" / "seen.json").stat().st_mode & 0o777 == 0o600
    assert (target / "secret").stat().st_mode & 0o777 == 0o700
    for shared in (target, target / "secret" / "inside", target / "session.json"):
        assert shared.stat().st_mode & 0o044


@given(st.data())
def test_a_damaged_backup_is_refused(
    backup: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "b.zip"
    position = data.draw(st.integers(0, len(backup) - 1))
    if data.draw(st.booleans()):
        damaged = backup[:position]
    else:
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != backup[position]))
        damaged = backup[:position] + bytes([other]) + backup[position + 1 :]
    path.write_bytes(damaged)
    try:
        with open_backup(path) as opened:
            # Times, modes and the like of the archive itself mean nothing.
            assert list(opened.records()) == LINES
            assert len(opened.manifest.sha256) == 5
    except InputError as error:
        assert str(error).startswith(f"{path}")


def rewrite(backup: bytes, path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Write a backup whose files were changed, with whole checksums of the archive."""
    path.write_bytes(backup)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_changed_missing_and_further_files_are_refused(backup: bytes, tmp_path: Path) -> None:
    changes: tuple[Callable[[dict[str, bytes]], object], ...] = (
        lambda files: files.update({RECORDS: b"[]"}),
        lambda files: files.pop("session/session.json"),
        lambda files: files.update({"session/more.json": b"{}"}),
    )
    for number, change in enumerate(changes):
        path = rewrite(backup, tmp_path / f"{number}.zip", change)
        with pytest.raises(InputError, match="damaged"), open_backup(path):
            pass


@pytest.mark.parametrize(
    "name", ["session/../../x", "/x", "other/x", "session", "../session/x", "session//../x"]
)
def test_a_file_outside_the_folder_is_refused(backup: bytes, tmp_path: Path, name: str) -> None:
    def rename(files: dict[str, bytes]) -> None:
        files[name] = files.pop("session/session.json")
        manifest = json.loads(files[MANIFEST])
        manifest["sha256"][name] = manifest["sha256"].pop("session/session.json")
        files[MANIFEST] = json.dumps(manifest).encode()

    path = rewrite(backup, tmp_path / "b.zip", rename)
    with pytest.raises(InputError, match="damaged"), open_backup(path):
        pass


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"{}", "not a backup of orbat"),
        (b"[]", "not a backup of orbat"),
        (b'{"format": 1}', "not a backup of orbat"),
        (b"[" * 9000, "manifest.json"),
        (b'{"format": 9, "orbat": "7.0"}', "backup format 9.*reads format 1.*version 7.0"),
    ],
)
def test_another_format_is_named(
    backup: bytes, tmp_path: Path, manifest: bytes, message: str
) -> None:
    path = rewrite(backup, tmp_path / "b.zip", lambda files: files.update({MANIFEST: manifest}))
    with pytest.raises(InputError, match=message), open_backup(path):
        pass


@pytest.mark.parametrize("target", ["nothing", "session.json", "."])
def test_a_symbolic_link_is_refused(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "june"
    folder.mkdir()
    (folder / "session.json").write_text("{}")
    (folder / "link").symlink_to(target)
    with (
        pytest.raises(InputError, match="link: is a symbolic link"),
        write_backup(tmp_path / "b.zip") as writer,
    ):
        writer.add_folder(folder)
    assert not (tmp_path / "b.zip").exists()


def test_what_is_no_archive_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"), open_backup(tmp_path / "none.zip"):
        pass
    with pytest.raises(InputError, match="cannot be read"), open_backup(tmp_path):
        pass
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(InputError, match="damaged"), open_backup(tmp_path / "text.zip"):
        pass
