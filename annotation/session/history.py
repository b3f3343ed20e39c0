"""The history of a session: every version of every document that was ever pulled.

SESSION/history/ANNOTATOR.jsonl   one version per line, appended by each pull; a renamed
                                  label gets its new name in all lines
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from ...corpus.document import Document
from ...corpus.output.atomic import name_full_disk
from ...corpus.reading.json_files import decode_json
from ...errors import InputError
from ...ui import DataTable
from .folder import Session, open_session
from .guidelines import GuidelineLog

Suggestions = Mapping[tuple[str, str], frozenset[tuple[int, int, str]]]
"""Start, end and label of each suggestion, by document and annotator."""


@dataclass(frozen=True)
class VersionSpan:
    """A span as it was in doccano.

    Attributes:
        start: offset of its first character, in code points.
        end: offset after its last character.
        label: its label.
        user: the account that created it; for suggestions the administrator.
        created_at: creation time, as ISO 8601.
        updated_at: time of the last change of label or offsets.
    """

    start: int
    end: int
    label: str
    user: str
    created_at: str
    updated_at: str

    @property
    def key(self) -> tuple[int, int, str]:
        """Offsets and label, by which spans of two versions are matched."""
        return self.start, self.end, self.label


@dataclass(frozen=True)
class Version:
    """A document of one annotator as it was when it was pulled.

    Attributes:
        document: the document's id.
        annotator: the annotator whose project it is in.
        pulled_at: time of the pull, as ISO 8601.
        confirmed_by: account that confirmed it; None while it is unconfirmed.
        confirmed_at: time of the confirmation, as ISO 8601.
        spans: in order of position.
    """

    document: str
    annotator: str
    pulled_at: str
    confirmed_by: str | None
    confirmed_at: str | None
    spans: tuple[VersionSpan, ...]

    def has_same_content(self, other: Version | None) -> bool:
        """Return whether the versions are equal except for the time of the pull."""
        return other is not None and asdict(self) == asdict(other) | {"pulled_at": self.pulled_at}


@dataclass(frozen=True)
class ChangeCounts:
    """The changes in an annotator's documents between two pulls.

    Attributes:
        documents: number of new versions.
        added: number of new spans; the suggestions of a first version are not new.
        removed: number of deleted spans.
        relabeled: number of spans with a new label.
        confirmed: number of documents that were confirmed.
        reopened: number of documents whose confirmation was withdrawn.
    """

    documents: int = 0
    added: int = 0
    removed: int = 0
    relabeled: int = 0
    confirmed: int = 0
    reopened: int = 0

    def __add__(self, other: ChangeCounts) -> ChangeCounts:
        sums = (a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        return ChangeCounts(*sums)


def read_versions(
    folder: Path, annotator: str | None = None, document: str | None = None
) -> list[Version]:
    """Read the versions that were pulled in a session, oldest first for each annotator.

    Args:
        folder: the session folder.
        annotator: only the versions of this annotator.
        document: only the versions of the document with this id.

    Raises:
        InputError: if the folder is not a session, the annotator is unknown, or a line of the
            history is invalid.
    """
    session = open_session(folder)
    if annotator is not None:
        session.check_annotator(annotator)
    return [
        version
        for name in session.projects
        if annotator in (None, name)
        for version in read_history(session.folder, name)
        if document in (None, version.document)
    ]


_VERSION = TypeAdapter(Version)


def read_history(folder: Path, annotator: str) -> Iterator[Version]:
    """Yield the versions of one annotator's documents, oldest first.

    An incomplete last line, left by an interrupted pull, is skipped; the next
    :func:`add_versions` removes it.

    Raises:
        InputError: if a line is not a version.
    """
    path = _history_path(folder, annotator)
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield _VERSION.validate_python(decode_json(line, str(path)))
            except (InputError, ValidationError) as error:
                raise InputError(
                    f"{path}:{number}: not a version of a document; restore the file from a copy"
                ) from error


def first_confirmations(folder: Path, annotator: str) -> dict[str, datetime]:
    """Return the time of the first recorded confirmation of an annotator's documents, by id.

    Raises:
        InputError: if a line of the history is invalid.
    """
    first: dict[str, datetime] = {}
    for version in read_history(folder, annotator):
        if version.confirmed_at:
            first.setdefault(version.document, datetime.fromisoformat(version.confirmed_at))
    return first


def suggestions_of(annotator: str, documents: Iterable[Document]) -> Suggestions:
    """Return the spans that an annotator's documents were pushed with."""
    return {
        (document.id, annotator): frozenset((s.start, s.end, s.label) for s in document.spans)
        for document in documents
    }


def read_suggestions(session: Session) -> Suggestions:
    """Return the spans that the documents of a session were pushed with."""
    return {
        key: spans
        for annotator in session.projects
        for key, spans in suggestions_of(annotator, session.pushed(annotator)).items()
    }


def add_versions(
    folder: Path,
    annotator: str,
    versions: Sequence[Version],
    suggestions: Suggestions = MappingProxyType({}),
) -> ChangeCounts:
    """Append the versions that differ from the last known ones, and count the changes.

    Args:
        folder: the session folder.
        annotator: whose documents.
        versions: at most one for each document.
        suggestions: what the first version of a document is compared with.
    """
    latest = {version.document: version for version in read_history(folder, annotator)}
    changed = [
        version
        for version in versions
        if not version.has_same_content(latest.get(version.document))
    ]
    if changed:
        path = _history_path(folder, annotator)
        path.parent.mkdir(parents=True, exist_ok=True)
        with name_full_disk(path), path.open("ab+") as file:
            _remove_incomplete_line(file)
            lines = (json.dumps(asdict(version), ensure_ascii=False) for version in changed)
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
    counts = (
        count_changes(latest.get(version.document), version, suggestions) for version in changed
    )
    return sum(counts, ChangeCounts())


def _history_path(folder: Path, annotator: str) -> Path:
    return Path(folder) / "history" / f"{annotator}.jsonl"


def _remove_incomplete_line(file: BinaryIO) -> None:
    file.seek(0)
    complete = sum(len(line) for line in file if line.endswith(b"\n"))
    file.truncate(complete)


def count_changes(
    before: Version | None, after: Version, suggestions: Suggestions = MappingProxyType({})
) -> ChangeCounts:
    """Count the changes from one version to a later one.

    Args:
        before: the earlier version; None for the first, which is compared with the suggestions.
        after: the later version.
        suggestions: those of the session.
    """
    suggested = suggestions.get((after.document, after.annotator), frozenset())
    old = {span.key for span in before.spans} if before else set(suggested)
    new = {span.key for span in after.spans}
    removed, added = old - new, new - old
    relabeled = {(start, end) for start, end, _ in removed} & {
        (start, end) for start, end, _ in added
    }
    was_confirmed = bool(before and before.confirmed_at)
    is_confirmed = bool(after.confirmed_at)
    return ChangeCounts(
        documents=1,
        added=len(added) - len(relabeled),
        removed=len(removed) - len(relabeled),
        relabeled=len(relabeled),
        confirmed=int(is_confirmed and not was_confirmed),
        reopened=int(was_confirmed and not is_confirmed),
    )


def latest_versions(versions: Iterable[Version]) -> list[Version]:
    """Return the last version of each annotator's documents."""
    return list({(v.annotator, v.document): v for v in versions}.values())


def history_table(
    versions: Iterable[Version],
    suggestions: Suggestions = MappingProxyType({}),
    guidelines: GuidelineLog | None = None,
) -> DataTable:
    """Return a table with a row for each version and the changes since the one before it.

    Args:
        versions: the versions.
        suggestions: what the first version of a document is compared with.
        guidelines: the guidelines' versions, to name those of confirmations.
    """
    rows: list[tuple[Any, ...]] = []
    latest: dict[tuple[str, str], Version] = {}
    for version in sorted(versions, key=attrgetter("pulled_at")):
        key = (version.document, version.annotator)
        changes = count_changes(latest.get(key), version, suggestions)
        latest[key] = version
        state = f"confirmed by {version.confirmed_by}" if version.confirmed_at else "unconfirmed"
        number = guidelines and guidelines.at(version.annotator, version.confirmed_at)
        if number:
            state += f" under guidelines {number}"
        rows.append(
            (
                *(version.pulled_at[:19], version.annotator, version.document, state),
                *(len(version.spans), changes.added, changes.removed, changes.relabeled),
            )
        )
    columns = (
        *("pulled at (UTC)", "annotator", "document", "state"),
        *("spans", "added", "removed", "relabeled"),
    )
    return DataTable("Versions", columns, tuple(rows))
