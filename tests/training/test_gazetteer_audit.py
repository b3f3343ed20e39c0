"""The audit of a gazetteer: matches and correct matches of each entry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from tests.conftest import Orbat

LABELS = 'name = "test"\n[[label]]\nname = "RANK"\n[[label]]\nname = "UNIT"\n'
GAZETTEER = """\
[[phrases]]
file = "ranks.jsonl"
label = "RANK"
fields = ["rank"]
excluded = "excluded_forms"

[[patterns]]
file = "patterns.jsonl"
"""
PATTERNS = [
    {"label": "UNIT", "pattern": [{"TEXT": "1"}, {"TEXT": "Division"}], "span": "1 Division"},
    {"label": "O", "pattern": [{"TEXT": "Attorney"}, {"TEXT": "General"}]},
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "labels.toml").write_text(LABELS)
    (tmp_path / "g.toml").write_text(GAZETTEER)
    (tmp_path / "ranks.jsonl").write_text(
        '{"rank": ["General", "Major General", "Naik", "Chief"], "excluded_forms": ["Chief"]}\n'
    )
    (tmp_path / "patterns.jsonl").write_text("".join(f"{json.dumps(p)}\n" for p in PATTERNS))
    text = "Major General Doe of 1 Division, General Electric, Attorney General Roe, Chief Poe"
    gold = Document("a", text, (Span(0, 13, "RANK"), Span(21, 36, "UNIT")))
    write_documents(tmp_path / "gold.jsonl", [gold])
    write_documents(tmp_path / "other.jsonl", [Document("b", "General Tyre, General Idea")])
    return tmp_path


def test_matches_are_counted_by_entry(orbat: Orbat, files: Path) -> None:
    arguments = (
        *("corpus", "gazetteer", files / "gold.jsonl", "--unlabeled", files / "other.jsonl"),
        *("--gazetteer", files / "g.toml", "--labels", files / "labels.toml"),
    )
    audit = orbat(*arguments, "--json").json()
    rows = {e["entry"]: e for e in audit["entries"]}
    counts = {
        name: (e["matches"], e["correct"], e["partial"], e["precision"], e["unlabeled_matches"])
        for name, e in rows.items()
    }
    # Of overlapping matches the longest counts; exceptions and excluded forms do not match.
    assert counts == {
        "General": (1, 0, 0, 0.0, 2),
        "patterns.jsonl:1 1 Division": (1, 0, 1, 0.0, 0),
        "Major General": (1, 1, 0, 1.0, 0),
    }
    assert list(rows)[-1] == "Major General"
    assert audit["unmatched_entries"] == 1
    assert (audit["gold_documents"], audit["unlabeled_documents"]) == (1, 1)
    printed = orbat(*arguments).out
    assert "1 more entries have correct matches only" in printed.replace("\n", " ")
    assert "Major General" not in printed


def test_a_missing_file_is_refused(orbat: Orbat, files: Path) -> None:
    outcome = orbat("corpus", "gazetteer", files / "none.jsonl")
    assert outcome.code == 2
    assert "none.jsonl: cannot be read" in outcome.err
