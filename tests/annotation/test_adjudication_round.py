"""An adjudication round in a real doccano."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orbat.annotation.adjudication.questions import ANOTHER, NOTHING
from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.replay import replay
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import Orbat, Running

pytestmark = [pytest.mark.doccano, pytest.mark.slow]


def test_an_adjudicator_resolves_conflicts_in_doccano(
    orbat: Orbat, doccano: Running, tmp_path: Path
) -> None:
    text = "Gen. Smith leads 2nd Bde of the army"
    same = Document("same", text, (Span(0, 4, "RANK"),))
    write_documents(
        tmp_path / "a.jsonl",
        [
            same,
            *(
                Document(name, text, (Span(0, 4, "RANK"), Span(17, 24, "UNIT")))
                for name in ("split", "hand")
            ),
        ],
    )
    write_documents(
        tmp_path / "b.jsonl",
        [
            same,
            *(
                Document(name, text, (Span(0, 4, "RANK"), Span(21, 24, "UNIT")))
                for name in ("split", "hand")
            ),
        ],
    )
    arguments = (
        *("annotate", "adjudicate", tmp_path / "a.jsonl", tmp_path / "b.jsonl"),
        *("--output", tmp_path / "gold.jsonl"),
        *("--policy", "manual", "--session", tmp_path / "round"),
    )
    begun = orbat(*arguments, env=doccano.env)
    assert begun.code == 0, begun.err
    assert "2 of 2 conflicts are open, 2 of them new" in begun.out
    waiting = orbat(*arguments, env=doccano.env)
    assert waiting.code == 1
    assert "2 of 2 conflicts are open, 0 of them new" in waiting.out
    assert not (tmp_path / "gold.jsonl").exists()
    folder = tmp_path / "round"
    push = ("annotate", "push", tmp_path / "a.jsonl", "--annotators", "ben", "--session", folder)
    pushed = orbat(*push, env=doccano.env)
    assert (pushed.code, pushed.err) == (
        2,
        f"error: {folder}: is an adjudication round; name another folder\n",
    )
    password = read_password(doccano.url, folder, "adjudicator")
    assert password

    def answer(choices: dict[str, str]) -> None:
        project = json.loads((folder / "question-project.json").read_text())["project"]
        with DoccanoClient(doccano.url, "adjudicator", password) as client:
            types = {category.text: category.id for category in client.category_types(project)}
            assert set(types) == {"1", "2", NOTHING, ANOTHER}
            for example in client.examples(project):
                choice = choices.get(example.upload_name.partition("#")[0])
                if choice and not example.is_confirmed:
                    client.create_category(project, example.id, types[choice])
                    client.confirm(project, example.id)

    answer({"split": "1"})
    assert "1 of 2 conflicts are open" in orbat(*arguments, env=doccano.env).out

    def progress() -> list[tuple[str, int, int]]:
        status = ("annotate", "status", "--session", folder, "--json")
        shown = orbat(*status, env=doccano.env).json()["annotators"]
        return [(row["annotator"], row["confirmed"], row["documents"]) for row in shown]

    assert progress() == [("adjudicator (questions)", 1, 2)]
    answer({"hand": ANOTHER})
    by_hand = orbat(*arguments, env=doccano.env)
    assert progress() == [("adjudicator (questions)", 2, 2), ("adjudicator", 0, 1)]
    assert "1 of 2 conflicts are open, 1 of them new" in by_hand.out
    assert "/orbat/annotate/" in by_hand.out
    session = open_session(folder)
    marked = Document("hand", text, (Span(0, 4, "RANK"), Span(17, 36, "UNIT")))
    replay(session, "adjudicator", [marked])
    done = orbat(*arguments, env=doccano.env)
    assert done.code == 0, done.err
    gold = {d.id: d for d in read_documents(tmp_path / "gold.jsonl")}
    assert gold["same"].spans == same.spans
    assert gold["split"].spans == (Span(0, 4, "RANK"), Span(17, 24, "UNIT"))
    assert gold["hand"].spans == marked.spans
    record = gold["split"].meta["adjudication"]
    assert record["decided_by"] == "adjudicator"
    assert record["decisions"][0]["gold"] == [[17, 24, "UNIT"]]
    assert gold["hand"].meta["adjudication"]["decisions"][0]["gold"] == [[17, 36, "UNIT"]]
    # After an annotation set changes, its conflicts are asked again.
    read = list(read_documents(tmp_path / "b.jsonl"))
    changed = [
        d.with_spans([*d.spans[:1], Span(17, 36, "UNIT")]) if d.id == "split" else d for d in read
    ]
    write_documents(tmp_path / "b.jsonl", changed)
    again = orbat(*arguments, env=doccano.env)
    assert "1 of 2 conflicts are open, 1 of them new" in again.out
