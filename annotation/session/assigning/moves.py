"""Move open documents between annotators, so that an interruption at any point loses nothing.

SESSION/moves.json   the moves that have begun; it is deleted when all are done

A document is uploaded to its new annotator and verified there before the old one loses it. It is
read again just before it is deleted, and stays with both if somebody has begun to work on it.
Until a move is done, the session's record never lacks a document that has work in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ....corpus.document import Document
from ....corpus.files import write_json
from ....corpus.reading.json_files import read_json_object
from ....errors import InputError
from ....ui import OnProgress, Progress, ignore_progress
from ...doccano.client import DoccanoClient
from ..folder import Session
from ..upload import upload_to
from .work_state import OPEN_STATES, WorkReader


@dataclass(frozen=True)
class Move:
    """A document that goes from one annotator to another.

    Attributes:
        document: its id.
        source: the annotator who has it.
        target: the annotator who gets it.
        stays: whether the source keeps it, too, because they have begun to work on it.
    """

    document: str
    source: str
    target: str
    stays: bool = False


@dataclass(frozen=True)
class BegunMoves:
    """The moves that a command has recorded, and the request that they answer."""

    request: dict[str, Any]
    moves: tuple[Move, ...]

    def save(self, folder: Path) -> None:
        """Record the moves in the session folder before the first of them."""
        write_json(_path(folder), asdict(self))


_BEGUN_MOVES = TypeAdapter(BegunMoves)


def read_begun_moves(folder: Path) -> BegunMoves | None:
    """Return the moves that an interrupted command has left; None if there are none.

    Raises:
        InputError: if the record is damaged.
    """
    if not _path(folder).is_file():
        return None
    try:
        return _BEGUN_MOVES.validate_python(read_json_object(_path(folder)))
    except (InputError, ValidationError) as error:
        raise InputError(f"{_path(folder)}: damaged; restore the file from a copy") from error


def complete_moves(
    client: DoccanoClient, session: Session, on_progress: OnProgress = ignore_progress
) -> tuple[Session, tuple[Move, ...]]:
    """Carry out the recorded moves of a session; does nothing if there are none.

    Args:
        client: an administrator's connection.
        session: the session, whose folder is locked.
        on_progress: called for each document.

    Returns:
        The session, and the moves as they were done: `stays` is true for documents on which the
        source has begun to work in the meantime.

    Raises:
        ServerError: if the server fails, or does not store the documents unchanged.
    """
    begun = read_begun_moves(session.folder)
    if begun is None:
        return session, ()
    texts = _read_texts(session, begun.moves)
    for target in dict.fromkeys(move.target for move in begun.moves):
        wanted = [
            texts[m.document] for m in begun.moves if m.target == target and m.document in texts
        ]
        upload_to(client, session, target, wanted, on_progress)
    session = _save(session, add=[(move.document, move.target) for move in begun.moves])
    kept: set[tuple[str, str]] = set()
    for source in dict.fromkeys(move.source for move in begun.moves):
        ids = [m.document for m in begun.moves if m.source == source and not m.stays]
        session, with_work = _take(client, session, source, ids, texts, on_progress)
        kept |= {(doc_id, source) for doc_id in with_work}
    moves = tuple(replace(m, stays=m.stays or (m.document, m.source) in kept) for m in begun.moves)
    session = _record_shared(session, moves)
    _path(session.folder).unlink()
    return session, moves


def _record_shared(session: Session, moves: Iterable[Move]) -> Session:
    """Record the documents that stay, too, so that no later command shares them again."""
    shared = {name: set(ids) for name, ids in session.shared.items()}
    for move in moves:
        if move.stays:
            shared.setdefault(move.source, set()).add(move.document)
    session = replace(session, shared={name: tuple(sorted(ids)) for name, ids in shared.items()})
    session.save()
    return session


def _read_texts(session: Session, moves: Sequence[Move]) -> dict[str, Document]:
    """Return the documents to move that are uploaded, as their sources have them.

    After an interruption, only the targets' records may have them.
    """
    names = dict.fromkeys([*(m.target for m in moves), *(m.source for m in moves)])
    wanted = {move.document for move in moves}
    pushed = (document for name in names for document in session.pushed(name))
    return {document.id: document for document in pushed if document.id in wanted}


def _take(
    client: DoccanoClient,
    session: Session,
    source: str,
    ids: Sequence[str],
    texts: Mapping[str, Document],
    on_progress: OnProgress,
) -> tuple[Session, set[str]]:
    """Take documents from an annotator; return the ids of those on which they have begun."""
    pushed = {document.id: document for document in session.pushed(source)}
    moved = {doc_id: texts[doc_id] for doc_id in ids if doc_id in texts}
    reader = replace(WorkReader.open(client, session, source), pushed={**moved, **pushed})
    # Recorded before they are deleted: pull refuses a project that lacks a recorded document.
    session.record_pushed(source, [d for d in pushed.values() if d.id not in moved])
    session = _save(session, remove=[(doc_id, source) for doc_id in ids])
    begun: set[str] = set()
    for number, doc_id in enumerate(ids, start=1):
        if doc_id in reader.examples:
            if reader.read(doc_id) in OPEN_STATES:
                client.delete_examples(reader.project, [reader.examples[doc_id].id])
            else:
                begun.add(doc_id)
        on_progress(Progress(f"Taking from {source}", number, len(ids)))
    if begun:
        kept = [d for d in {**pushed, **moved}.values() if d.id not in moved or d.id in begun]
        session.record_pushed(source, kept)
        session = _save(session, add=[(doc_id, source) for doc_id in begun])
    return session, begun


def _save(
    session: Session,
    *,
    add: Iterable[tuple[str, str]] = (),
    remove: Iterable[tuple[str, str]] = (),
) -> Session:
    """Record pairs of document and annotator as assigned, or as no longer assigned."""
    assignments = {doc_id: set(names) for doc_id, names in session.assignments.items()}
    for doc_id, name in add:
        assignments[doc_id].add(name)
    for doc_id, name in remove:
        assignments[doc_id].discard(name)
    names = {doc_id: tuple(sorted(names)) for doc_id, names in assignments.items()}
    session = replace(session, assignments=names)
    session.save()
    return session


def _path(folder: Path) -> Path:
    return folder / "moves.json"
