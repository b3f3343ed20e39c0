"""The guidelines of a session: every version, and since when each annotator had it.

SESSION/guidelines/0001.md         a version, as annotators see it
SESSION/guidelines/versions.json   when the projects of annotators got which version

Times are those of the server, which also dates confirmations: the clock of this machine does not
matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ...corpus.files import write_json, write_text
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError
from ...ui import DataTable
from ..doccano.client import DoccanoClient
from ..doccano.records import Project
from .folder import Session

FOLDER = "guidelines"
_INDEX = "versions.json"


class GuidelineVersion(BaseModel):
    """One version of the guidelines.

    Attributes:
        number: counted from 1 in the order of delivery.
        delivered: when the project of each annotator got it.
    """

    number: int
    delivered: dict[str, datetime]


class _Index(BaseModel):
    """The shape of `versions.json`."""

    versions: list[GuidelineVersion]


@dataclass(frozen=True)
class GuidelineLog:
    """The versions of a session's guidelines, oldest first.

    Attributes:
        folder: the session folder.
        versions: the versions.
    """

    folder: Path
    versions: tuple[GuidelineVersion, ...]

    def path(self, number: int) -> Path:
        """Return the file of a version, in Markdown."""
        return self.folder / FOLDER / f"{number:04d}.md"

    def text(self, number: int) -> str:
        """Return a version, in Markdown.

        Raises:
            InputError: if its file cannot be read.
        """
        path = self.path(number)
        try:
            return path.read_bytes().decode()  # line ends as they are
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path}: not a version of the guidelines; restore the file from a copy"
            ) from error

    def at(self, annotator: str, time: datetime | str | None) -> int | None:
        """Return the version that an annotator had at a time; None if none is known."""
        if time is None:
            return None
        time = datetime.fromisoformat(time) if isinstance(time, str) else time
        had = [
            (version.delivered[annotator], version.number)
            for version in self.versions
            if annotator in version.delivered and version.delivered[annotator] <= time
        ]
        return max(had)[1] if had else None

    def current(self, annotator: str) -> int:
        """Return the version that an annotator has now; 0 if none is known."""
        return max((v.number for v in self.versions if annotator in v.delivered), default=0)

    def add(self, text: str, annotator: str, time: datetime) -> GuidelineLog:
        """Record what the project of an annotator has since a time.

        Args:
            text: the guidelines, without white space at the ends.
            annotator: whose project.
            time: when they were delivered, by the server's clock.

        Returns:
            The log with this delivery, which is written; the same log if it was known.
        """
        current = self.current(annotator)
        if current and self.text(current) == text:
            return self
        later = (v for v in reversed(self.versions) if v.number > current)
        known = next((v for v in later if self.text(v.number) == text), None)
        if known is None:
            known = GuidelineVersion(number=len(self.versions) + 1, delivered={})
            write_text(self.path(known.number), text)
        changed = known.model_copy(update={"delivered": {**known.delivered, annotator: time}})
        others = (v for v in self.versions if v.number != known.number)
        versions = tuple(sorted((*others, changed), key=lambda version: version.number))
        index = _Index(versions=list(versions)).model_dump(mode="json")
        write_json(self.folder / FOLDER / _INDEX, index)
        return GuidelineLog(self.folder, versions)


def read_guideline_log(folder: Path) -> GuidelineLog:
    """Read the versions of a session's guidelines; none for sessions of earlier versions of orbat.

    Raises:
        InputError: if the index of the versions is damaged.
    """
    path = Path(folder) / FOLDER / _INDEX
    if not path.is_file():
        return GuidelineLog(Path(folder), ())
    try:
        index = _Index.model_validate(read_json_object(path))
    except ValidationError as error:
        raise InputError(
            f"{path}: not an index of the guidelines' versions; restore the file from a copy"
        ) from error
    return GuidelineLog(Path(folder), tuple(sorted(index.versions, key=lambda v: v.number)))


def deliver_guidelines(
    client: DoccanoClient,
    session: Session,
    guidelines: str,
    projects: Mapping[str, Project] | None = None,
) -> tuple[str, ...]:
    """Give all annotators of a session the same guidelines, and record who has them since when.

    What was changed in doccano itself is recorded as a version of its own before it is replaced.
    An interrupted delivery is completed by the next.

    Args:
        client: an administrator's connection.
        session: the session.
        guidelines: Markdown; empty to leave all projects as they are.
        projects: projects of annotators that were read already.

    Returns:
        The annotators who had other guidelines.
    """
    text = guidelines.strip()  # as doccano stores it
    if not text:
        return ()
    log = read_guideline_log(session.folder)
    updated = []
    for annotator, number in session.projects.items():
        project = (projects or {}).get(annotator) or client.project(number)
        if project is None:
            continue
        found = project.guideline.strip()
        if found:
            log = log.add(found, annotator, project.updated_at)
        if found != text:
            project = client.set_guidelines(number, guidelines)
            log = log.add(text, annotator, project.updated_at)
            updated.append(annotator)
    return tuple(updated)


def guideline_table(log: GuidelineLog, confirmed: Iterable[int | None]) -> DataTable:
    """Return a table with a row for each version.

    Args:
        log: the versions.
        confirmed: the version under which each confirmed document was confirmed.
    """
    counts = Counter(confirmed)
    rows = tuple(
        (
            *(version.number, f"{min(version.delivered.values()):%Y-%m-%d %H:%M}"),
            *(len(version.delivered), counts[version.number], str(log.path(version.number))),
        )
        for version in log.versions
        if version.delivered
    )
    unknown = f"; {counts[None]} under an unknown version" if counts[None] else ""
    return DataTable(
        "Guidelines",
        ("version", "since (UTC)", "annotators", "confirmed", "file"),
        rows,
        note=f"confirmed: documents, at the last pull{unknown}",
    )
