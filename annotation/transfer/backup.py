"""Back a session up: its folder, and its projects in doccano as they are at one moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ...corpus.files import check_output_file
from ...corpus.output.locks import lock_folder
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.server import DoccanoServer
from .archive import RECORDS, Manifest, write_backup
from .doccano_database import read_tables
from .references import Reference, find_references

_EXAMPLE = b'["examples.Example",'
_STEP = 1000


def back_up(
    server: DoccanoServer,
    folder: Path,
    file: Path,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """Write a session with all that the local doccano has of it into one file.

    The file holds the folder of the session, and of doccano the texts, spans, comments and
    confirmations with their times, guidelines, labels, members, and their accounts with the hashes
    of their passwords. It has no passwords. Annotators may go on working meanwhile: doccano is read
    as it is at one moment, and is not locked. Only the owner can read the file.

    Args:
        server: the local server of the session; it need not run.
        folder: the folder of a session or an adjudication round.
        file: the backup to write, replaced if it exists.
        on_progress: called as records are written.

    Returns:
        What the backup contains.

    Raises:
        InputError: if the folder is no session, changes meanwhile or has symbolic links, its
            projects are on another server, or the file cannot be written.
        ServerError: if doccano's database cannot be read.
    """
    folder, file = Path(folder), Path(file)
    find_references(folder)
    check_output_file(file, folder)
    with lock_folder(folder):
        references = find_references(folder)
        _check_one_server(references)
        known = {
            (project, doc_id)
            for reference in references
            for annotator, project in reference.projects.items()
            for doc_id in reference.texts(annotator)
        }
        projects = sorted({id_ for reference in references for id_ in reference.projects.values()})
        accounts = sorted({name for reference in references for name in reference.projects})
        with write_backup(file) as writer:
            with read_tables(server, projects, accounts) as lines:
                records = _Records(lines, known, on_progress)
                writer.add(RECORDS, records)
            if known and not records.found:
                raise InputError(
                    f"{folder}: the projects in {server.home} are those of another session; name "
                    "the data folder of the session's server with --home"
                )
            writer.add_folder(folder)
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            return writer.finish(references[0].url, records.counts, made_at)


def _check_one_server(references: Sequence[Reference]) -> None:
    first = references[0]
    for reference in references:
        if reference.url != first.url:
            raise InputError(
                f"{reference.path}: is on {reference.url}, but {first.path} on {first.url}; one "
                "backup holds one server's projects"
            )


class _Records:
    """The lines of doccano's records, watched as they pass.

    Attributes:
        counts: number of records by table, which is the first line.
        found: whether one of the session's documents was among them.
    """

    def __init__(
        self, lines: Iterator[bytes], known: set[tuple[int, str]], on_progress: OnProgress
    ) -> None:
        # A program that failed has said nothing.
        self.counts: dict[str, int] = json.loads(next(lines, b"[0, {}]"))[1]
        self.found = False
        self._lines = lines
        self._known = known
        self._on_progress = on_progress

    def __iter__(self) -> Iterator[bytes]:
        total = sum(self.counts.values())
        for number, line in enumerate(self._lines):
            if not self.found and line.startswith(_EXAMPLE):
                example = json.loads(line)[1]
                self.found = (example["project_id"], example["upload_name"]) in self._known
            if number % _STEP == 0 or number == total:
                self._on_progress(Progress("Reading doccano", number, total))
            yield line
