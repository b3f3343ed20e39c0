"""New comments: those of others that no pull has written yet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from orbat.annotation.overview.comments import DocumentComment, find_new_comments
from orbat.corpus.document import Document
from orbat.corpus.files import write_documents

EARLY, LATE = (datetime(2026, 6, day, 12, tzinfo=UTC) for day in (1, 2))
KNOWN = DocumentComment(EARLY, "ann", "ann", "d1", "A unit?")


def write_pulled(path: Path, *comments: DocumentComment) -> None:
    """Write an annotation set of ann with comments on one document, as a pull does."""
    written = [{"by": c.by, "text": c.text, "at": c.at.isoformat()} for c in comments]
    meta = {"annotation": {"annotator": "ann", "confirmed": True, "comments": written}}
    write_documents(path, [Document("d1", "text", (), meta), Document("d2", "text")])


def test_comments_are_new_until_they_are_pulled_and_changed_ones_again(tmp_path: Path) -> None:
    hidden = DocumentComment(LATE, "ann", "ann", "d1", "Hidden?")
    write_pulled(tmp_path / "pulled" / "ann.jsonl", KNOWN)
    write_pulled(tmp_path / "control" / "ann.jsonl", hidden)
    folders = [tmp_path / "pulled", tmp_path / "control", tmp_path / "none"]
    changed = DocumentComment(EARLY, "ann", "ann", "d1", "A unit, or not?")
    other = DocumentComment(EARLY, "ben", "ben", "d1", "A unit?")
    found = find_new_comments([hidden, other, KNOWN, changed], folders, "admin")
    assert found == [changed, other]


def test_comments_of_the_reader_are_not_new(tmp_path: Path) -> None:
    ruling = DocumentComment(LATE, "admin", "ann", "d1", "Reopened for the ruling on “unit”.")
    assert find_new_comments([KNOWN, ruling], [tmp_path], "admin") == [KNOWN]


def test_damaged_annotation_sets_know_no_comments(tmp_path: Path) -> None:
    pulled = [{"by": "ann", "at": "yesterday", "text": "A unit?"}]
    damaged = Document("d1", "text", (), {"annotation": {"annotator": "ann", "comments": pulled}})
    write_documents(tmp_path / "ann.jsonl", [damaged])
    assert find_new_comments([KNOWN], [tmp_path], "admin") == [KNOWN]
    (tmp_path / "ann.jsonl").write_text('{"id": "d1", "text": "te')
    assert find_new_comments([KNOWN], [tmp_path], "admin") == [KNOWN]
