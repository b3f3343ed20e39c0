"""Locks on folders whose file is removed with the lock."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from orbat.corpus.output.locks import lock_folder

ROUNDS = 40


def count(folder: Path) -> None:
    counter = folder / "counter"
    for _ in range(ROUNDS):
        with lock_folder(folder, wait=300, keep=False):
            counter.write_text(str(int(counter.read_text()) + 1))


def test_a_removed_lock_still_keeps_processes_apart(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count, args=(tmp_path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "counter").read_text() == str(3 * ROUNDS)
    assert [path.name for path in tmp_path.iterdir()] == ["counter"]


def test_an_inner_lock_leaves_the_file_to_the_outer_one(tmp_path: Path) -> None:
    with lock_folder(tmp_path, keep=False):
        with lock_folder(tmp_path, keep=False):
            pass
        assert (tmp_path / ".lock").exists()
    assert not (tmp_path / ".lock").exists()
