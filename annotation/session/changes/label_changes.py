"""Change the labels of a session that has begun: add, recolor, rename and retire them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import read_documents, write_documents, write_json_lines
from ....corpus.labels import LabelSet
from ....errors import InputError, ServerError
from ....ui import OnProgress, Progress, ignore_progress
from ...doccano.client import DoccanoClient
from ...quality.control_records import control_folder, read_control, write_control
from ..folder import Session
from ..guidelines import deliver_guidelines
from ..history import read_history
from .project_labels import change_project_labels
from .suggestion_project import locked_session


@dataclass(frozen=True)
class LabelChanges:
    """What differs between two label sets of a session.

    Attributes:
        added: new labels.
        renamed: new names by old ones.
        retired: labels that cannot be chosen any more.
        restored: labels that were retired and can be chosen again.
        changed: labels with another key, color or description.
        guidelines_updated: annotators who had other guidelines.
    """

    added: tuple[str, ...] = ()
    renamed: Mapping[str, str] | None = None
    retired: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    guidelines_updated: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the changes as a JSON object."""
        return asdict(self)


def change_labels(
    client: DoccanoClient,
    folder: Path,
    labels: LabelSet,
    *,
    renames: Mapping[str, str] | None = None,
    guidelines: str = "",
    on_progress: OnProgress = ignore_progress,
) -> LabelChanges:
    """Give a session a changed label set; every span is kept.

    A renamed label has its new name in doccano, and in the history, the suggestions and the
    annotation sets of the session folder. A retired label keeps its spans and its place in doccano;
    orbat's page does not offer it. An interrupted call is completed by the same call.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        labels: the new label set, with the retired labels marked as such.
        renames: new names by old ones.
        guidelines: those of the new label set, delivered to all annotators; empty to keep theirs.
        on_progress: called for each project.

    Raises:
        InputError: if the folder is not a session on the connected server, a label is missing in
            the new set, or a rename is not possible.
        ServerError: if the server fails.
    """
    renames = dict(renames or {})
    with locked_session(client, folder, on_progress) as session:
        changes = _compare(session, labels, renames)
        _check_projects(client, session)
        for number, (annotator, project) in enumerate(session.projects.items(), start=1):
            change_project_labels(client, project, labels, renames)
            if renames:
                _rename_suggestions(client, project, renames)
                _rename_in_files(session, annotator, renames)
            on_progress(Progress("Changing labels", number, len(session.projects)))
        if renames:
            _rename_in_control(session, renames)
        # Last: until then, the same call does all of it again.
        session = replace(session, labels=labels)
        session.save()
        updated = deliver_guidelines(client, session, guidelines)
    return replace(changes, guidelines_updated=updated)


def _compare(session: Session, labels: LabelSet, renames: Mapping[str, str]) -> LabelChanges:
    """Return what differs; refuse what would lose spans or unite labels."""
    old = {label.name: label for label in session.labels.labels}
    new = {label.name: label for label in labels.labels}
    where = session.folder
    for before, after in renames.items():
        if after not in new:
            raise InputError(
                f"{where}: --rename {before}={after}: the new label set has no '{after}'; add it"
            )
        if before in new:
            raise InputError(
                f"{where}: --rename {before}={after}: the new label set has '{before}' as well; "
                "remove it"
            )
        if before in old and after in old:
            raise InputError(
                f"{where}: --rename {before}={after}: the session has '{after}' already, and spans "
                "of two labels cannot be told apart again; retire one of them instead"
            )
    if len(set(renames.values())) < len(renames):
        raise InputError(f"{where}: two labels cannot get the same new name; retire one of them")
    unknown = next((b for b, a in renames.items() if b not in old and a not in old), None)
    if unknown is not None:
        raise InputError(
            f"{where}: --rename {unknown}={renames[unknown]}: the session has no label "
            f"'{unknown}'; its labels are {', '.join(old)}"
        )
    # Without its old name, a rename was carried out before.
    done = {before: after for before, after in renames.items() if before in old}
    gone = [name for name in old if name not in new and name not in done]
    if gone:
        raise InputError(
            f"{where}: label '{gone[0]}' is missing in the new label set; keep it there with "
            f"retired = true, or name its new name with --rename {gone[0]}=NEW"
        )
    known = {done.get(name, name): label for name, label in old.items()}
    both = [(label, known[label.name]) for label in labels.labels if label.name in known]
    return LabelChanges(
        added=tuple(name for name in new if name not in known),
        renamed=done,
        retired=tuple(n.name for n, o in both if n.retired and not o.retired),
        restored=tuple(n.name for n, o in both if o.retired and not n.retired),
        changed=tuple(
            n.name
            for n, o in both
            if (n.color, n.description) != (o.color, o.description)
            or (n.key != o.key and not n.retired)
        ),
    )


def _check_projects(client: DoccanoClient, session: Session) -> None:
    """Refuse a server whose projects are not those of the session, before anything is changed."""
    for annotator, project in session.projects.items():
        pushed = {document.id: document.text for document in session.pushed(annotator)}
        if not pushed:
            continue
        found = ((example.upload_name, example.text) for example in client.examples(project))
        if not any(pushed.get(name) == text for name, text in found):
            raise ServerError(
                f"{client.url}: project {project} has no document of {session.folder} for "
                f"'{annotator}'; connect to the session's server, or restore doccano's data"
            )


def _rename_suggestions(client: DoccanoClient, project: int, renames: Mapping[str, str]) -> None:
    """Rename labels in the suggestions of the metadata, from which the page has the scores."""
    for example in client.examples(project):
        meta = (example.meta or {}).get("meta") or {}
        rows = meta.get("suggestions") or []
        new = [[*row[:2], renames.get(row[2], row[2]), *row[3:]] for row in rows]
        if new != rows:
            client.set_meta(project, example.id, {**meta, "suggestions": new})


def _rename_in_files(session: Session, annotator: str, renames: Mapping[str, str]) -> None:
    """Rename labels in the files of an annotator: suggestions, annotation set and history."""
    name = f"{annotator}.jsonl"
    pulled = [
        folder / "pulled" / name for folder in (session.folder, control_folder(session.folder))
    ]
    for path in (session.pushed_path(annotator), *pulled):
        # Earlier versions of orbat wrote empty files.
        if path.is_file() and path.stat().st_size:
            write_documents(path, [_renamed(d, renames) for d in read_documents(path)])
    history = session.folder / "history" / f"{annotator}.jsonl"
    if history.is_file():
        versions = [asdict(version) for version in read_history(session.folder, annotator)]
        for version in versions:
            for span in version["spans"]:
                span["label"] = renames.get(span["label"], span["label"])
        write_json_lines(history, versions)


def _rename_in_control(session: Session, renames: Mapping[str, str]) -> None:
    """Rename labels in the gold of the control documents."""
    control = read_control(session.folder)
    if control:
        renamed = [replace(one, gold=_renamed(one.gold, renames)) for one in control]
        write_control(session.folder, renamed)


def _renamed(document: Document, renames: Mapping[str, str]) -> Document:
    return document.with_spans(
        [replace(span, label=renames.get(span.label, span.label)) for span in document.spans]
    )


def describe_changes(changes: LabelChanges) -> list[str]:
    """Return one line for each kind of change."""
    renamed = [f"{old} → {new}" for old, new in (changes.renamed or {}).items()]
    kinds = {
        "added": changes.added,
        "renamed": renamed,
        "retired": changes.retired,
        "restored": changes.restored,
        "changed": changes.changed,
    }
    lines = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
    return lines or ["the session has these labels already"]
