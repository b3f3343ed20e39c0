"""Qualification: rounds of known documents, interrupted uploads, and the result that stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.annotation.quality.qualification import QualificationPlan, qualify
from orbat.annotation.quality.qualification_records import Verdict, read_results, read_rounds
from orbat.annotation.session.folder import is_session
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from tests.annotation.memory_doccano import MemoryDoccano

GOLD = tuple(Document(f"gold-{n}", f"Gen. Known {n}", (Span(0, 4, "RANK"),)) for n in range(4))
PLAN = QualificationPlan(GOLD, load_labels(), documents=2)


def test_an_upload_that_was_interrupted_is_completed(tmp_path: Path) -> None:
    interrupted = number = 0
    while interrupted == number:
        number += 1
        server, folder = MemoryDoccano(), tmp_path / str(number)
        server.interrupt_at, server.after = number, number % 2 == 0
        try:
            qualify(server.client, folder, ["cid"], PLAN)
        except KeyboardInterrupt:
            interrupted += 1
        server.interrupt_at = 0
        qualify(server.client, folder, ["cid"], PLAN)
        [found] = read_rounds(folder, "cid")
        [project] = [project for project, rows in server.rows.items() if rows]
        assert {example.upload_name for example in server.examples(project)} == found.gold.keys()
        [state] = qualify(server.client, folder, ["cid"], PLAN)
        assert (state.verdict, state.documents) == (Verdict.OPEN, 2)
    assert interrupted > 8


def test_the_result_of_a_round_stands(tmp_path: Path) -> None:
    server = MemoryDoccano()
    [begun] = qualify(server.client, tmp_path, ["cid"], PLAN)
    assert (begun.verdict, begun.bar) == (Verdict.BEGUN, 0.9)
    server.confirmed = {(1, 0), (1, 1)}
    [state] = qualify(server.client, tmp_path, ["cid"], PLAN)
    assert (state.verdict, state.bar) == (Verdict.AGAIN, 0.9)
    files = (state.round.result_file, state.round.feedback_file)
    written = [file.stat().st_mtime_ns for file in files]
    other = load_labels().model_copy(update={"labels": load_labels().labels[:2]})
    later = QualificationPlan((), other, bar=0.001, guidelines="Other ones.")
    [again] = qualify(server.client, tmp_path, ["cid"], later)
    assert again.to_json() == state.to_json()
    assert [file.stat().st_mtime_ns for file in files] == written
    assert [(r.verdict, r.bar, r.f1) for r in read_results(tmp_path)] == [("another round", 0.9, 0)]
    state.round.result_file.write_text('{"verdict": "perhaps", "bar": 1, "scores": {}}')
    with pytest.raises(InputError, match=r"result\.json: not the result of a round; remove it"):
        qualify(server.client, tmp_path, ["cid"], PLAN)


@pytest.mark.parametrize("name", ["..", ".", "a/b", " "])
def test_names_that_are_no_names_of_files_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "june"
    with pytest.raises(InputError, match="cannot be the name of an annotator"):
        qualify(MemoryDoccano().client, folder, ["cid", name], PLAN)
    assert not is_session(folder)
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".jsonl"] == []
