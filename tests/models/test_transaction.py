"""The unfinished output of a bulk tagging run: commits, resuming, refusals."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.corpus.rejected import Rejected
from orbat.errors import InputError
from orbat.models.bulk.transaction import OutputTransaction
from orbat.models.bulk.writers import write_output

ANN, BEN = Document("ann", "Gen. Ann Doe", (), {}), Document("ben", "Maj. Ben Roe", (), {})


def test_a_run_resumes_after_the_last_commit(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with OutputTransaction(output, "model") as transaction:
        transaction.append([ANN], [Rejected("bad.jsonl:1", "broken")])
    # An interrupted write.
    with transaction.part.open("ab") as file:
        file.write(b'{"id": "half a')
    with OutputTransaction(output, "model") as transaction:
        assert transaction.first_rejected() == Rejected("bad.jsonl:1", "broken")
        assert (transaction.articles, transaction.documents, transaction.rejected) == (2, 1, 1)
        assert transaction.has_id("ann")
        assert not transaction.has_id("ben")
        transaction.reserve_id("ben")
        assert transaction.has_id("ben")
        transaction.append([BEN], [])
        assert write_output(transaction.part, output) == (output,)
        rejected = transaction.finish()
    assert rejected == tmp_path / "out.rejected.jsonl"
    assert json.loads(rejected.read_text()) == {"location": "bad.jsonl:1", "reason": "broken"}
    assert [document.id for document in read_documents(output)] == ["ann", "ben"]
    assert not list(tmp_path.glob(".out.jsonl*"))


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with (
        OutputTransaction(tmp_path / "out.jsonl", "model"),
        pytest.raises(InputError, match="is another run writing it"),
    ):
        OutputTransaction(tmp_path / "out.jsonl", "model")


def test_another_model_is_refused(tmp_path: Path) -> None:
    with OutputTransaction(tmp_path / "out.jsonl", "model"):
        pass
    with pytest.raises(InputError, match="another model, threshold or other sources"):
        OutputTransaction(tmp_path / "out.jsonl", "other")


def test_the_state_of_another_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / ".out.jsonl.state") as state:
        state.execute("CREATE TABLE ids (hash INTEGER PRIMARY KEY)")
    with pytest.raises(InputError, match=r"\.out\.jsonl\.state: written by another version"):
        OutputTransaction(tmp_path / "out.jsonl", "model")


def test_a_full_disk_is_told_with_the_file_and_the_run_resumes(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with (
                pytest.raises(InputError, match=r"\.out\.jsonl\.part: cannot be written"),
                OutputTransaction(output, "model") as transaction,
            ):
                transaction.append([ANN], [])
                _, limit = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit))
                transaction.append([Document("long", "x" * 30_000)], [])
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with OutputTransaction(output, "model") as transaction:
        assert transaction.documents == 1
        assert transaction.has_id("ann")
        assert not transaction.has_id("long")
