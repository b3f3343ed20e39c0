"""`corpus add`, interrupted or killed at any statement of its index, loses and doubles nothing."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.ingestion.pipeline import IngestionReport, add_to_corpus
from orbat.errors import InputError

KILLED, INTERRUPTED, DONE = -signal.SIGKILL, 1, 0


def text(number: int, *more: str) -> str:
    return " ".join((*(f"w{number}x{i}" for i in range(60)), *more)) + "\n"


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A corpus, and articles of which some are new, corrected, labeled, known and duplicates."""
    folder = tmp_path / "begun"
    write_documents(
        folder / "first.jsonl",
        [Document("a", text(1)), Document("b", text(2)), Document("c", text(3))],
    )
    add_to_corpus([folder / "first.jsonl"], folder / "out.jsonl")
    write_documents(
        folder / "second.jsonl",
        [
            Document("new", text(4)),
            Document("a", text(1, "corrected")),
            Document("b", text(2), (Span(0, 4, "UNIT"),)),
            Document("c", text(3)),
            Document("reprint", text(4, "agency")),
            Document("new", text(4), (Span(0, 4, "UNIT"),)),
            Document("last", text(5)),
        ],
    )
    return folder


def add(folder: Path) -> IngestionReport:
    return add_to_corpus([folder / "second.jsonl"], folder / "out.jsonl")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("out*.jsonl")}


def in_child(run: Callable[[], Any]) -> int:
    """Run a function in a fork, and return how that ended."""
    child = os.fork()
    if child == 0:
        code = 9
        try:
            run()
            code = DONE
        except KeyboardInterrupt:
            code = INTERRUPTED
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Stopping(sqlite3.Connection):
    """A connection that sends its process a signal before one of its statements, or after it."""

    left = 0
    after = False
    signal = signal.SIGINT

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        Stopping.left -= 1
        if Stopping.left == 0 and not Stopping.after:
            signal.raise_signal(Stopping.signal)
        cursor = super().execute(*arguments)
        if Stopping.left == 0 and Stopping.after:
            signal.raise_signal(Stopping.signal)
        return cursor


def add_until(folder: Path, statement: int, number: signal.Signals, after: bool) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    Stopping.left, Stopping.signal, Stopping.after = statement, number, after
    sqlite3.connect = partial(sqlite3.connect, factory=Stopping)  # type: ignore[assignment]
    add(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_at_any_statement_changes_nothing_of_the_end(
    number: signal.Signals, begun: Path, tmp_path: Path
) -> None:
    whole = Path(shutil.copytree(begun, tmp_path / "whole"))
    add(whole)
    expected = contents(whole)
    before = contents(begun)
    assert set(expected) == {"out.jsonl", "out.duplicates.jsonl"}
    ends: set[int] = set()
    statement, stopped = 1, Path(tmp_path / "stopped")
    while DONE not in ends:
        shutil.rmtree(stopped, ignore_errors=True)
        shutil.copytree(begun, stopped)
        stop = partial(add_until, stopped, statement, number, after=statement % 2 == 0)
        ends.add(in_child(stop))
        # Each file is the old one or the new one, never something else.
        for name, content in contents(stopped).items():
            assert content in (before.get(name), expected[name])
        report = add(stopped)
        assert not report.rejected
        assert contents(stopped) == expected, f"statement {statement}"
        statement += 5  # enough for statements of all kinds, and an odd number for both sides
    assert ends == {DONE, KILLED if number == signal.SIGKILL else INTERRUPTED}
    assert statement > 100


def test_what_was_added_before_an_interruption_is_kept(begun: Path) -> None:
    assert in_child(partial(add_until, begun, 70, signal.SIGINT, after=False)) == INTERRUPTED
    report = add(begun)
    assert report.resumed
    assert report.known > 1
    assert add(begun) == IngestionReport(0, 0, 7, (), (), False)


def test_versions_and_other_articles_of_one_name(begun: Path) -> None:
    report = add(begun)
    assert (report.added, report.updated, report.known) == (2, 2, 1)
    assert [duplicate.of for duplicate in report.duplicates] == ["new", "new"]
    stored = {document.id: document for document in read_documents(begun / "out.jsonl")}
    assert list(stored) == ["a", "b", "c", "new", "last"]
    assert stored["a"].text.endswith("corrected\n")
    assert stored["b"].spans == (Span(0, 4, "UNIT"),)
    # In one run, a second version is not put in the place of the first.
    assert stored["new"].spans == ()
    duplicates = list(read_documents(begun / "out.duplicates.jsonl"))
    assert [d.meta["duplicate"]["of"] for d in duplicates] == ["new", "new"]
    assert duplicates[1].spans == (Span(0, 4, "UNIT"),)


def test_articles_are_known_without_the_index_and_to_another_version_of_the_cleaning(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(begun)
    (begun / "out.index").unlink()
    before = contents(begun)
    assert add(begun) == IngestionReport(0, 0, 7, (), (), False)
    assert contents(begun) == before
    sources, output = [begun / "first.jsonl"], begun / "other.jsonl"
    add_to_corpus(sources, output)
    (begun / "other.index").unlink()
    monkeypatch.setattr("orbat.corpus.ingestion.extract.tidy", lambda text: (f"{text}\n", ()))
    assert add_to_corpus(sources, output) == IngestionReport(0, 0, 3, (), (), False)


def test_a_full_disk_is_told_with_the_file_and_loses_nothing(begun: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(begun, tmp_path / "whole"))
    add(whole)
    told: set[str] = set()
    for limit in (2_000, 40_000, 80_000):

        def add_with_little_room(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            with pytest.raises(InputError, match="cannot be written") as caught:
                add(begun)
            (tmp_path / f"told-{limit}").write_text(str(caught.value))

        assert in_child(add_with_little_room) == DONE
        told.add((tmp_path / f"told-{limit}").read_text().partition(": ")[0])
    assert told <= {str(begun / "out.index"), str(begun / "out.jsonl")}
    add(begun)
    assert contents(begun) == contents(whole)
