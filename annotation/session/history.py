"""The history of a session: every version of every document that was ever pulled.

SESSION/history/ANNOTATOR.jsonl   a line for each version, only ever added to
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError

_Place = tuple[int, int, str]


@dataclass(frozen=True)
class Mark:
    """A span as it was in doccano, in code points, and whose it is.

    Attributes:
        start: offset of its first character.
        end: offset behind its last.
        label: its label.
        by: account that made it; suggestions are the pushing administrator's.
        created_at: when, as ISO 8601.
        updated_at: when it was last relabelled or moved.
    """

    start: int
    end: int
    label: str
    by: str
    created_at: str
    updated_at: str

    @property
    def place(self) -> _Place:
        """What makes it the same span."""
        return self.start, self.end, self.label


@dataclass(frozen=True)
class Version:
    """A document as one annotator had it when it was pulled.

    Attributes:
        document: its id.
        annotator: whose project it is in.
        pulled_at: when it was read, as ISO 8601.
        confirmed_by: account that confirmed it; None while it is open.
        confirmed_at: when.
        spans: in order of position.
    """

    document: str
    annotator: str
    pulled_at: str
    confirmed_by: str | None
    confirmed_at: str | None
    spans: tuple[Mark, ...]

    def same_as(self, other: Version | None) -> bool:
        """Whether nothing but the time of reading differs."""
        return other is not None and asdict(self) == asdict(other) | {"pulled_at": self.pulled_at}


@dataclass(frozen=True)
class Changes:
    """What changed in an annotator's documents since an earlier pull.

    Attributes:
        documents: versions added.
        added: spans that are new.
        removed: spans that are gone.
        relabelled: spans that have another label.
        confirmed: documents confirmed since.
        reopened: documents whose confirmation was taken back.
    """

    documents: int = 0
    added: int = 0
    removed: int = 0
    relabelled: int = 0
    confirmed: int = 0
    reopened: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(*(a + b for a, b in zip(_values(self), _values(other), strict=True)))


def _values(changes: Changes) -> tuple[int, ...]:
    return tuple(vars(changes).values())


def _file(folder: Path, annotator: str) -> Path:
    return Path(folder) / "history" / f"{annotator}.jsonl"


def read_history(folder: Path, annotator: str) -> Iterator[Version]:
    """Yield an annotator's versions, oldest first.

    A last line that a kill cut off is passed over; the next :func:`add_versions` removes it.

    Raises:
        InputError: naming a line that is no version.
    """
    path = _file(folder, annotator)
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
                spans = tuple(Mark(**mark) for mark in record.pop("spans"))
                yield Version(**record, spans=spans)
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    f"{path}:{number}: no version of a document; restore the file from a copy"
                ) from error


def latest_versions(folder: Path, annotator: str) -> dict[str, Version]:
    """Return each document's newest version."""
    return {version.document: version for version in read_history(folder, annotator)}


def add_versions(folder: Path, annotator: str, versions: Sequence[Version]) -> Changes:
    """Append the versions that differ from the newest ones known, and tell what changed."""
    known = latest_versions(folder, annotator)
    new = [each for each in versions if not each.same_as(known.get(each.document))]
    if new:
        path = _file(folder, annotator)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            _drop_cut_line(file)
            lines = (json.dumps(asdict(version), ensure_ascii=False) for version in new)
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
    return sum((compare(known.get(each.document), each) for each in new), Changes())


def _drop_cut_line(file: Any) -> None:
    file.seek(0)
    whole = sum(len(line) for line in file if line.endswith(b"\n"))
    file.truncate(whole)


def compare(before: Version | None, after: Version) -> Changes:
    """Tell what changed from one version to a later one; None before the first."""
    old = {mark.place for mark in before.spans} if before else set()
    new = {mark.place for mark in after.spans}
    gone, come = old - new, new - old
    moved = {(start, end) for start, end, _ in gone} & {(start, end) for start, end, _ in come}
    was, is_now = bool(before and before.confirmed_at), bool(after.confirmed_at)
    return Changes(
        documents=1,
        added=len(come) - len(moved),
        removed=len(gone) - len(moved),
        relabelled=len(moved),
        confirmed=int(is_now and not was),
        reopened=int(was and not is_now),
    )


def history_rows(versions: Iterable[Version]) -> list[tuple[Any, ...]]:
    """Return a line for each version, with what it changed, for people."""
    rows: list[tuple[Any, ...]] = []
    last: dict[tuple[str, str], Version] = {}
    for version in sorted(versions, key=lambda each: each.pulled_at):
        key = (version.document, version.annotator)
        changes = compare(last.get(key), version)
        last[key] = version
        state = f"confirmed by {version.confirmed_by}" if version.confirmed_at else "open"
        rows.append(
            (
                *(version.pulled_at[:19], version.annotator, version.document, state),
                *(len(version.spans), changes.added, changes.removed, changes.relabelled),
            )
        )
    return rows
