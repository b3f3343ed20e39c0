"""Change who works in a session, and move open documents between the annotators.

Open are documents that are not confirmed and on which their annotator has not begun to work. All
other documents stay where they are. The functions lock the session's folder. Those that move
documents first complete the moves of an interrupted call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....errors import InputError, ServerError
from ....ui import DataTable, OnProgress, ignore_progress
from ...doccano.client import DoccanoClient
from ..changes.suggestion_project import locked_session
from ..folder import Session
from ..guidelines import deliver_guidelines
from ..projects import ensure_project
from .moves import BegunMoves, Move, complete_moves, read_begun_moves
from .planning import Kept, MovePlan
from .word_load import add_words


@dataclass(frozen=True)
class Reassignment:
    """What a change of the assignments did.

    Attributes:
        session: the session.
        moved: the documents that went to another annotator.
        kept: the documents that were looked at and stayed.
        invitation: link by which the person of a new account chooses the password; or None.
    """

    session: Session
    moved: tuple[Move, ...] = ()
    kept: tuple[Kept, ...] = ()
    invitation: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "moved": [vars(move) for move in self.moved],
            "kept": [vars(kept) for kept in self.kept],
            "paused": list(self.session.paused),
            "invitation": self.invitation,
        }


def move_documents(
    client: DoccanoClient,
    folder: Path,
    source: str,
    targets: Sequence[str],
    *,
    count: int | None = None,
    documents: Sequence[str] = (),
    on_progress: OnProgress = ignore_progress,
) -> Reassignment:
    """Move open documents of an annotator to others.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        source: the annotator who has the documents.
        targets: the annotators who get them; each goes to the one with the fewest words left.
        count: how many; None for all. Those at the end of the source's list move.
        documents: ids of the documents to move; empty for any.
        on_progress: called for each document.

    Raises:
        InputError: if an annotator or a document is unknown, or an annotator is paused.
        ServerError: if the server fails.
    """
    with _locked(client, folder) as session:
        _check_annotator(session, source, may_be_paused=True)
        for name in targets:
            _check_annotator(session, name)
        if not targets or source in targets:
            raise InputError(f"{folder}: name the annotators who get the documents of '{source}'")
        unknown = [doc_id for doc_id in documents if doc_id not in session.assigned(source)]
        if unknown:
            raise InputError(f"{folder}: '{source}' has no document '{unknown[0]}'")
        request = {"move": source, "to": list(targets), "count": count, "ids": list(documents)}
        return _carry_out(
            *(client, session, request, on_progress),
            plan=lambda plan: plan.hand_over(source, targets, documents, count=count),
        )


def add_annotator(
    client: DoccanoClient, folder: Path, name: str, *, on_progress: OnProgress = ignore_progress
) -> Reassignment:
    """Add an annotator, and move open documents to them until they have as many words as others.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        name: account name; the account is created if it does not exist.
        on_progress: called for each document.

    Raises:
        InputError: if the annotator is paused.
        ServerError: if the server refuses the account, or fails.
    """
    with _locked(client, folder) as session:
        others = [other for other in session.projects if other not in (*session.paused, name)]
        if name in session.paused:
            raise InputError(f"{folder}: '{name}' is paused; use --resume {name}")
        guidelines = ""
        for other in others[:1]:
            project = client.project(session.projects[other])
            guidelines = project.guideline if project else ""
        is_new = client.find_user(name) is None
        added = ensure_project(client, session, name, guidelines)
        session = replace(session, projects={**session.projects, name: added.id})
        session.save()
        deliver_guidelines(client, replace(session, projects={name: added.id}), guidelines)
        result = _carry_out(
            *(client, session, {"add": name}, on_progress),
            plan=lambda plan: plan.balance(name, others),
        )
        if is_new and client.can_invite:
            link = result.session.link(name, has_page=True)
            return replace(result, invitation=client.invite(name, link))
        return result


def remove_annotator(
    client: DoccanoClient, folder: Path, name: str, *, on_progress: OnProgress = ignore_progress
) -> Reassignment:
    """Close an annotator's project, and move their open documents to the others.

    Confirmed documents stay, and so do those on which they have begun to work, and those whose
    confirmation was withdrawn; each of these two goes to another annotator as well, from its
    beginning.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        name: the annotator.
        on_progress: called for each document.

    Raises:
        InputError: if the annotator is unknown, or the only one.
        ServerError: if the server fails.
    """
    with _locked(client, folder) as session:
        _check_annotator(session, name, may_be_paused=True)
        others = [other for other in session.projects if other not in (*session.paused, name)]
        if not others:
            raise InputError(f"{folder}: nobody is left for the documents of '{name}'; --add first")
        session = _close(client, session, name)
        return _carry_out(
            *(client, session, {"remove": name}, on_progress),
            plan=lambda plan: plan.hand_over(name, others, share_begun=True),
        )


def pause_annotator(client: DoccanoClient, folder: Path, name: str) -> Reassignment:
    """Close an annotator's project until :func:`resume_annotator`; their documents stay theirs.

    Raises:
        InputError: if the annotator is unknown.
        ServerError: if the server fails.
    """
    with _locked(client, folder) as session:
        _check_annotator(session, name, may_be_paused=True)
        return Reassignment(_close(client, session, name))


def resume_annotator(client: DoccanoClient, folder: Path, name: str) -> Reassignment:
    """Open an annotator's project again, after a pause or a removal.

    Raises:
        InputError: if the annotator is unknown.
        ServerError: if the account was deleted, or the server fails.
    """
    with _locked(client, folder) as session:
        _check_annotator(session, name, may_be_paused=True)
        user = client.find_user(name)
        if user is None:
            raise ServerError(f"{client.url}: the account '{name}' was deleted")
        client.add_member(session.projects[name], user.id)
        session = replace(session, paused=tuple(n for n in session.paused if n != name))
        session.save()
        return Reassignment(session)


def _carry_out(
    client: DoccanoClient,
    session: Session,
    request: dict[str, Any],
    on_progress: OnProgress,
    plan: Callable[[MovePlan], None],
) -> Reassignment:
    """Complete interrupted moves; then plan, record and carry out those of a request.

    A request that was interrupted is complete with the moves that it has recorded.
    """
    begun = read_begun_moves(session.folder)
    session, moved = complete_moves(client, session, on_progress)
    if begun is not None and begun.request == request:
        return Reassignment(session, moved)
    planned = MovePlan(client, session, on_progress)
    plan(planned)
    if planned.moves:
        BegunMoves(request, tuple(planned.moves)).save(session.folder)
        session, done = complete_moves(client, session, on_progress)
        moved = (*moved, *done)
    return Reassignment(session, moved, tuple(planned.kept))


def _close(client: DoccanoClient, session: Session, name: str) -> Session:
    """Pause an annotator; recorded first, since a push would open the project again."""
    session = replace(session, paused=tuple(sorted({*session.paused, name})))
    session.save()
    user = client.find_user(name)
    if user is not None:
        client.remove_member(session.projects[name], user.id)
    return session


@contextmanager
def _locked(client: DoccanoClient, folder: Path) -> Iterator[Session]:
    """Lock the folder of a session on the connected server."""
    with locked_session(client, folder) as session:
        yield add_words(session, ())


def _check_annotator(session: Session, name: str, *, may_be_paused: bool = False) -> None:
    session.check_annotator(name)
    if name in session.paused and not may_be_paused:
        raise InputError(f"{session.folder}: '{name}' is paused; use --resume {name} first")


def reassignment_tables(result: Reassignment) -> list[DataTable]:
    """Return a table of the documents that moved, and one of those that stayed."""
    moved = tuple(
        (move.document, move.source, move.target, "begun: stays, too" if move.stays else "")
        for move in result.moved
    )
    return [
        DataTable("Moved", ("document", "from", "to", ""), moved),
        DataTable(
            "Stayed",
            ("document", "annotator", "why"),
            tuple(tuple(vars(k).values()) for k in result.kept),
        ),
    ]
