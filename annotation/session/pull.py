"""Pull: read the annotators' documents from doccano, and record them in the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...corpus.document import Document
from ...errors import InputError
from ...ui import DataTable, OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..overview.comments import comments_of, find_new_comments
from ..quality.control_records import control_folder, read_control_gold
from .changes.suggestion_project import locked_session
from .folder import Session, write_set
from .history import ChangeCounts, Version, add_versions, suggestions_of
from .reading import SUGGESTED, read_session


@dataclass(frozen=True)
class PulledSummary:
    """One annotator's annotation set in numbers.

    Attributes:
        annotator: account name.
        documents: number of documents.
        confirmed: number of confirmed documents.
        spans: number of spans.
        as_suggested: number of spans that are equal to a suggestion.
        file: where the annotation set was written.
    """

    annotator: str
    documents: int
    confirmed: int
    spans: int
    as_suggested: int
    file: str


@dataclass(frozen=True)
class Pulled:
    """The result of a pull.

    Attributes:
        annotation_sets: the documents of each annotator, in the order of pushing.
        files: where each annotation set was written.
        changes: changes since the last pull, by annotator.
        warnings: spans that need a review, one line each.
        new_comments: comments of others that were not in the files before, one line each.
    """

    annotation_sets: dict[str, list[Document]]
    files: dict[str, Path]
    changes: dict[str, ChangeCounts]
    warnings: tuple[str, ...]
    new_comments: tuple[str, ...]

    @property
    def summaries(self) -> tuple[PulledSummary, ...]:
        """Each annotator's annotation set in numbers."""
        return tuple(
            PulledSummary(
                annotator,
                documents=len(documents),
                confirmed=sum(d.meta["annotation"]["confirmed"] for d in documents),
                spans=sum(len(d.spans) for d in documents),
                as_suggested=sum(s.note == SUGGESTED for d in documents for s in d.spans),
                file=str(self.files[annotator]),
            )
            for annotator, documents in self.annotation_sets.items()
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Return the summary and the changes of each annotator as JSON objects."""
        return [
            {**vars(summary), "changes": vars(self.changes[summary.annotator])}
            for summary in self.summaries
        ]


def pull(
    client: DoccanoClient,
    folder: Path,
    *,
    output: Path | None = None,
    control: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Pulled:
    """Read every annotator's documents with their spans, and write them as annotation sets.

    Control documents are left out of the annotation sets, and are written to the session's folder
    of control documents.

    Each span names its annotator, and has the note :data:`SUGGESTED` if it is equal to a
    suggestion. `meta.annotation` records the annotator, whether and when the document was
    confirmed, under which version of the guidelines, and users' comments. White space at the ends
    of spans, which is easily selected with the mouse, is removed. Annotation sets and history are
    written after all projects were read without an error; see :mod:`.history`. Annotators without
    documents have no file.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        output: folder for ANNOTATOR.jsonl; `pulled` in the session folder if None.
        control: write control documents, too; `output` must be another folder then.
        on_progress: called for each document that was read.

    Raises:
        InputError: if the folder is not a session on the connected server, or control documents
            would be among the annotation sets of the session.
        ServerError: if a document or label was changed, duplicated or deleted in doccano, or an
            offset does not exist in the text. Nothing is written then.
    """
    own = Path(folder) / "pulled"
    if control and Path(output or own).resolve() == own.resolve():
        raise InputError(
            f"{own}: control documents do not belong to the session's annotation sets; "
            "name another folder with --output"
        )
    with locked_session(client, folder, on_progress) as session:
        hidden = set() if control else set(read_control_gold(folder))
        return _pull(client, session, output, hidden, on_progress)


def _pull(
    client: DoccanoClient,
    session: Session,
    output: Path | None,
    hidden: Collection[str],
    on_progress: OnProgress,
) -> Pulled:
    annotation_sets: dict[str, list[Document]] = {}
    versions: dict[str, list[Version]] = {}
    suggestions: dict[tuple[str, str], frozenset[tuple[int, int, str]]] = {}
    for annotator, readings in read_session(client, session, on_progress).items():
        suggestions |= suggestions_of(annotator, [reading.pushed for reading in readings])
        annotation_sets[annotator] = [reading.document for reading in readings]
        versions[annotator] = [reading.version for reading in readings]
    changes = {
        name: add_versions(session.folder, name, new, suggestions) for name, new in versions.items()
    }
    output = Path(output or session.folder / "pulled")
    files = {name: output / f"{name}.jsonl" for name in annotation_sets}
    folders = (output, control_folder(session.folder) / "pulled")
    written = [c for documents in annotation_sets.values() for c in comments_of(documents)]
    new_comments = tuple(
        f"{comment.by} on '{comment.document}' of '{comment.annotator}': {comment.text}"
        for comment in find_new_comments(written, folders, client.user.username)
    )
    warnings = _find_line_breaks(annotation_sets)
    for name, documents in annotation_sets.items():
        if hidden:
            control = [document for document in documents if document.id in hidden]
            write_set(folders[1] / f"{name}.jsonl", control)
            annotation_sets[name] = [d for d in documents if d.id not in hidden]
        write_set(files[name], annotation_sets[name])
    return Pulled(annotation_sets, files, changes, warnings, new_comments)


def _find_line_breaks(annotation_sets: Mapping[str, Sequence[Document]]) -> tuple[str, ...]:
    """Return a warning for each span that contains a line break."""
    return tuple(
        f"'{document.id}' of '{annotator}': span {span.start}-{span.end} {span.label} runs across "
        "a line break; check it in doccano"
        for annotator, documents in annotation_sets.items()
        for document in documents
        for span in document.spans
        if len(document.text[span.start : span.end].splitlines()) > 1
    )


def pull_tables(pulled: Pulled) -> list[DataTable]:
    """Return a table of the annotation sets, and one of the changes since the last pull."""
    columns = ("annotator", "documents", "confirmed", "spans", "as suggested", "file")
    rows = tuple(tuple(vars(summary).values()) for summary in pulled.summaries)
    change_rows = tuple(
        (annotator, *vars(changes).values()) for annotator, changes in pulled.changes.items()
    )
    return [
        DataTable("Annotation sets", columns, rows),
        DataTable(
            "Changes since the last pull",
            ("annotator", *vars(ChangeCounts())),
            change_rows,
            note="documents: new versions",
        ),
    ]
