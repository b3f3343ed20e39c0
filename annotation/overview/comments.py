"""The comments of annotators that no pull has written yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...corpus.files import read_documents
from ...errors import InputError
from .work import ProjectWork


@dataclass(frozen=True, order=True)
class NewComment:
    """A comment on a document.

    Attributes:
        at: when it was written.
        by: the account that wrote it.
        annotator: in whose project.
        document: the document's id.
        text: what it says.
    """

    at: datetime
    by: str
    annotator: str
    document: str
    text: str


def find_new_comments(work: Sequence[ProjectWork], pulled: Sequence[Path]) -> list[NewComment]:
    """Return the comments that are not in the pulled annotation sets, oldest first.

    Args:
        work: the annotators' documents with their comments.
        pulled: folders with the annotation sets of the last pull.
    """
    comments = [
        NewComment(comment.created_at, comment.username, project.annotator, d.document.id, c)
        for project in work
        for d in project.documents
        for comment in d.comments
        for c in (comment.text,)
    ]
    known = {key for folder in pulled for project in work for key in _read_known(folder, project)}
    new = [c for c in comments if (c.annotator, c.document, c.by, c.at.isoformat()) not in known]
    return sorted(new)


def _read_known(folder: Path, project: ProjectWork) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield annotator, document, author and time of the comments in an annotation set."""
    try:
        for document in read_documents(folder / f"{project.annotator}.jsonl"):
            annotation = document.meta.get("annotation") or {}
            for comment in annotation.get("comments", ()):
                yield project.annotator, document.id, comment["by"], comment["at"]
    except (InputError, KeyError, TypeError, AttributeError):
        # Not pulled yet, or damaged: the next pull writes it again.
        return
