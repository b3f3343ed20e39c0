"""Push: upload documents with suggestions to the annotators' projects in doccano."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...corpus.document import Document, check_spans
from ...corpus.labels import LabelSet
from ...corpus.output.locks import lock_folder
from ...corpus.tagger import Tagger
from ...errors import InputError, ServerError
from ...evaluation.metrics import Evaluation
from ...ui import DataTable, OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..quality.control_documents import ControlPlan, with_control
from ..quality.control_records import write_control
from ..suggestions import measure_suggestions, suggest
from .assigning.assignment import assign, check_readers
from .assigning.moves import complete_moves
from .assigning.word_load import add_words, measure_load
from .changes.suggestion_project import complete_suggestions
from .folder import SESSION_FORMAT, Session, is_session, open_session
from .guidelines import deliver_guidelines
from .projects import ensure_project
from .upload import upload_to

MAX_ID_LENGTH = 250


@dataclass(frozen=True)
class AnnotatorShare:
    """One annotator's share of a session.

    Attributes:
        annotator: account name.
        documents: number of documents in their project.
        waiting: number of documents assigned to them that are not in their project yet.
        password: password of an account that orbat created; None for other accounts, and where
            people choose their passwords.
        link: address at which they start.
        invitation: link by which they choose their password, for a new account; or None.
    """

    annotator: str
    documents: int
    waiting: int
    password: str | None
    link: str
    invitation: str | None


@dataclass(frozen=True)
class Pushed:
    """The result of a push.

    Attributes:
        session: the session.
        documents: the pushed documents with the spans that they were pushed with.
        labeled: number of documents that had spans before suggestions were added.
        evaluation: scores of the suggestions on gold; None if they were not measured.
        has_page: whether the server has orbat's annotation page.
        guidelines_updated: annotators whose project had other guidelines before.
        invitations: links by which the people of new accounts choose their passwords, by name.
            None where the server has no pages for that, and passwords are handed out.
        upgraded: whether `session.json` had an earlier format before.
        control: number of control documents in the session.
        assigned_before: number of the documents that had their annotators before.
    """

    session: Session
    documents: tuple[Document, ...]
    labeled: int
    evaluation: Evaluation | None
    has_page: bool
    guidelines_updated: tuple[str, ...]
    invitations: Mapping[str, str] | None
    upgraded: bool
    control: int = 0
    assigned_before: int = 0

    @property
    def spans(self) -> int:
        """Number of spans that the documents were pushed with."""
        return sum(len(document.spans) for document in self.documents)

    @property
    def shared(self) -> int:
        """Number of the session's documents that have several annotators."""
        return sum(len(names) > 1 for names in self.session.assignments.values())

    @property
    def shares(self) -> tuple[AnnotatorShare, ...]:
        """Each annotator's share of the session."""
        return tuple(self._share(annotator) for annotator in self.session.projects)

    def _share(self, annotator: str) -> AnnotatorShare:
        pushed = len(self.session.pushed(annotator))
        return AnnotatorShare(
            annotator,
            documents=pushed,
            waiting=len(self.session.assigned(annotator)) - pushed,
            password=self.session.password(annotator) if self.invitations is None else None,
            link=self.session.link(annotator, has_page=self.has_page),
            invitation=(self.invitations or {}).get(annotator),
        )


def push(
    client: DoccanoClient,
    folder: Path,
    documents: Sequence[Document],
    annotators: Sequence[str],
    labels: LabelSet,
    *,
    suggesters: Sequence[Tagger] = (),
    gold: Sequence[Document] = (),
    overlap: float = 1.0,
    readers: int | None = None,
    batch: int | None = None,
    control: ControlPlan | None = None,
    guidelines: str = "",
    on_measured: Callable[[Evaluation], None] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Pushed:
    """Upload documents, with their spans as suggestions, to the annotators' projects.

    Idempotent: creates the projects, labels, accounts and documents that are missing, replaces
    guidelines that have changed, in every project of the session, and changes nothing else that
    exists. Pushing again after a failure completes the work. Every new document is read back and
    compared; damaged ones are deleted and uploaded again.

    New documents are assigned to one annotator or several, to those who have the fewest words
    left to read, see :func:`~.assigning.assignment.assign`. Assignments are recorded when the
    server has the accounts and projects, and no push changes them. With a batch size, pushing
    again uploads more documents as annotators confirm what they have.

    Args:
        client: an administrator's connection.
        folder: the session folder; created if it does not exist.
        documents: the documents to label.
        annotators: account names.
        labels: the label set; that of an existing session must be equal.
        suggesters: taggers that suggest spans for documents without spans. Where spans of two
            taggers overlap, the span of the earlier tagger is kept.
        gold: gold documents to measure the suggesters on, if they are used; empty to skip.
        overlap: share of the documents that several annotators get, from 0 to 1; each of the
            others gets one annotator.
        readers: how many annotators that is; None for all of them.
        batch: maximum number of unconfirmed documents in each project; None for no limit.
        control: known gold to hide among the documents; see :mod:`~orbat.annotation.quality`.
        guidelines: Markdown, shown beside the text; empty to keep those of existing projects.
        on_measured: called with the scores on gold, before other documents are tagged and any is
            uploaded.
        on_progress: called as documents are tagged and uploaded.

    Returns:
        The session, the pushed documents and the accuracy of their suggestions.

    Raises:
        InputError: if the documents, annotators or label set cannot be pushed.
        ServerError: if the server fails, or does not store the documents unchanged.
    """
    folder, annotators = Path(folder), list(dict.fromkeys(annotators))
    _check_arguments(documents, annotators, labels)
    check_readers(readers, annotators)
    _check_server(client)
    with lock_folder(folder):
        session = _open_or_create(client, folder, labels)
        upgraded = session.read_format != SESSION_FORMAT
        _refuse_paused(session, annotators)
        complete_suggestions(client, session, on_progress)
        session, _ = complete_moves(client, session, on_progress)
        assigned_before = sum(document.id in session.assignments for document in documents)
        documents, hidden = with_control(session, documents, control, suggests=bool(suggesters))
        _check_arguments(documents, annotators, labels)
        unlabeled = sum(not document.spans for document in documents)
        evaluation = None
        if suggesters and unlabeled:
            names = [label.name for label in labels.choices]
            if gold:
                evaluation = measure_suggestions(gold, suggesters, names, on_progress)
                if on_measured is not None:
                    on_measured(evaluation)
            documents = suggest(documents, suggesters, names, on_progress)
            _check_arguments(documents, annotators, labels)
        invited = [name for name in annotators if client.find_user(name) is None]
        projects = {name: ensure_project(client, session, name, guidelines) for name in annotators}
        session = add_words(session, documents)
        new = {d.id: session.words[d.id] for d in documents if d.id not in session.assignments}
        load = measure_load(client, session, annotators) if new else {}
        existing = session.assignments
        # Recorded when the server has all accounts and projects, and before the first upload.
        session = replace(
            session,
            projects={**session.projects, **{name: p.id for name, p in projects.items()}},
            assignments=assign(
                *(new, annotators, existing), overlap=overlap, readers=readers, load=load
            ),
        )
        if hidden:
            # Before the assignments, so that no known gold is ever taken for new documents.
            write_control(folder, hidden)
        session.save()
        updated = deliver_guidelines(client, session, guidelines, projects)
        for annotator in annotators:
            assigned = [d for d in documents if annotator in session.assignments[d.id]]
            _push_to(client, session, annotator, assigned, batch, on_progress)
    invitations = None
    if client.can_invite:
        links = {name: session.link(name, has_page=True) for name in invited}
        invitations = {name: client.invite(name, link) for name, link in links.items()}
    return Pushed(
        *(session, tuple(documents), len(documents) - unlabeled, evaluation, client.has_page),
        guidelines_updated=updated,
        invitations=invitations,
        upgraded=upgraded,
        control=len(hidden),
        assigned_before=assigned_before,
    )


def check_names(annotators: Sequence[str]) -> None:
    """Refuse names that cannot be parts of the names of files, and a lack of names.

    Raises:
        InputError: if there is one.
    """
    if not annotators:
        raise InputError("name the annotators, such as --annotators first,second")
    for name in annotators:
        if not name.strip(" .") or "/" in name:
            raise InputError(
                f"'{name}' cannot be the name of an annotator: it is part of names of files; name "
                "others, such as --annotators first,second"
            )


def _check_arguments(
    documents: Sequence[Document], annotators: Sequence[str], labels: LabelSet
) -> None:
    if not documents:
        raise InputError("no documents to push; give at least one")
    check_names(annotators)
    for document in documents:
        if not document.text:
            raise InputError(f"document '{document.id}' has no text; remove it")
        if len(document.id) > MAX_ID_LENGTH:
            raise InputError(
                f"id '{document.id[:40]}…' is longer than {MAX_ID_LENGTH} characters; shorten it"
            )
        check_spans(document, document.spans, "push", labels.names)


def _check_server(client: DoccanoClient) -> None:
    """Refuse a server that cannot take a push."""
    if not client.user.is_superuser:
        raise ServerError(
            f"{client.url}: '{client.user.username}' is not an administrator; "
            "push with an account that may create projects and users"
        )
    if not client.worker_answers():
        raise ServerError(
            f"{client.url}: doccano's worker does not answer, so uploads would never finish; "
            "start it with orbat annotate up (or doccano task)"
        )


def _open_or_create(client: DoccanoClient, folder: Path, labels: LabelSet) -> Session:
    if not is_session(folder):
        return Session(folder, client.url, labels, {}, {}, public_url=client.public_url)
    session = open_session(folder, client)
    if session.labels.labels != labels.labels:
        raise InputError(
            f"{folder}: the label set differs from the session's; change the session's with "
            "orbat annotate labels, or use a new folder"
        )
    return session


def _refuse_paused(session: Session, annotators: Sequence[str]) -> None:
    for name in annotators:
        if name in session.paused:
            raise InputError(
                f"{session.folder}: '{name}' is paused; leave the name out of --annotators, or "
                f"give the session back with orbat annotate assign --resume {name}"
            )


def _push_to(
    client: DoccanoClient,
    session: Session,
    annotator: str,
    documents: Sequence[Document],
    batch: int | None,
    on_progress: OnProgress,
) -> None:
    """Upload an annotator's new documents, up to the batch size, and record them."""
    pushed = {document.id: document for document in session.pushed(annotator)}
    for document in documents:
        if document.id in pushed and pushed[document.id].text != document.text:
            raise InputError(
                f"{session.folder}: document '{document.id}' was pushed with another text; "
                "give the new text a new id"
            )
    limit = None
    if batch is not None:
        unconfirmed = _count_unconfirmed(client, session.projects[annotator], pushed)
        limit = max(batch - unconfirmed, 0)
    upload_to(client, session, annotator, documents, on_progress, limit=limit)


def _count_unconfirmed(client: DoccanoClient, project: int, pushed: Container[str]) -> int:
    examples = client.examples(project)
    return sum(not example.is_confirmed for example in examples if example.upload_name in pushed)


def share_table(pushed: Pushed) -> DataTable:
    """Return a table with each annotator's share, and passwords where these are handed out."""
    columns: tuple[str, ...] = ("annotator", "documents", "waiting")
    rows: list[tuple[str | int, ...]] = [
        (share.annotator, share.documents, share.waiting) for share in pushed.shares
    ]
    if pushed.invitations is None:
        columns += ("password",)
        passwords = [share.password or "(their own)" for share in pushed.shares]
        rows = [(*row, password) for row, password in zip(rows, passwords, strict=True)]
    return DataTable("Annotators", columns, tuple(rows))
