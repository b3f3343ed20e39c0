"""The comments on annotators' documents, and which of them no pull has written yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_documents
from ...errors import InputError


@dataclass(frozen=True, order=True)
class DocumentComment:
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


def comments_of(documents: Iterable[Document]) -> Iterator[DocumentComment]:
    """Yield the comments in `meta.annotation` of pulled documents."""
    for document in documents:
        annotation = document.meta.get("annotation") or {}
        for comment in annotation.get("comments", ()):
            yield DocumentComment(
                datetime.fromisoformat(comment["at"]),
                *(comment["by"], annotation["annotator"], document.id, comment["text"]),
            )


def find_new_comments(
    comments: Iterable[DocumentComment], pulled: Sequence[Path], reader: str
) -> list[DocumentComment]:
    """Return the comments that are not in the pulled annotation sets, oldest first.

    Args:
        comments: the comments on the server.
        pulled: folders with the annotation sets of the last pull.
        reader: the account that reads them: its own comments, such as those of
            `orbat annotate reopen`, are not new to it.
    """
    others = [comment for comment in comments if comment.by != reader]
    files = [
        folder / f"{name}.jsonl" for folder in pulled for name in {c.annotator for c in others}
    ]
    known = {comment for file in files for comment in _read_known(file)}
    return sorted(comment for comment in others if comment not in known)


def _read_known(file: Path) -> list[DocumentComment]:
    """Return the comments in an annotation set of an earlier pull."""
    try:
        return list(comments_of(read_documents(file)))
    except (OSError, InputError, KeyError, TypeError, AttributeError, ValueError):
        # Not pulled yet, or damaged: the next pull writes it again.
        return []
