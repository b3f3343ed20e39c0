"""Milestones of a session, and their delivery to a webhook: each once.

SESSION/notified.json    the milestones that were delivered
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from ...corpus.addresses import split_address
from ...corpus.files import write_json
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ServerError
from .overview import Overview

MIN_CONTROL = 5
"""Fewest control documents on which an annotator's quality is called too low."""
TIMEOUT = httpx.Timeout(10, connect=5)


@dataclass(frozen=True)
class Milestone:
    """Something that the lead wants to know at once.

    Attributes:
        key: by which it is delivered once.
        text: one line, without anything of a document or comment.
    """

    key: str
    text: str


def find_milestones(overview: Overview, control_bar: float) -> list[Milestone]:
    """Return the milestones that a session has reached.

    They are: an annotator is done, half of the words are confirmed, all are done who are not paused
    and have documents, an annotator's strict F1 on at least :data:`MIN_CONTROL` control documents
    is below the bar, and a new comment.

    Args:
        overview: the state of the session.
        control_bar: the strict F1 that annotators should reach on control documents.
    """
    return [*_progress(overview), *_quality(overview, control_bar), *_comments(overview)]


def _progress(overview: Overview) -> Iterator[Milestone]:
    for status in overview.statuses:
        if status.is_done:
            # Told again if more documents were added and are confirmed, too.
            key = f"done {status.annotator} {status.documents}"
            yield Milestone(
                key, f"{status.annotator} has confirmed all {status.documents} documents"
            )
    if overview.words and 2 * overview.words_confirmed >= overview.words:
        yield Milestone("half", "half of the words are confirmed")
    working = [s for s in overview.statuses if not s.paused and (s.documents or s.waiting)]
    if working and all(status.is_done for status in working):
        total = sum(status.documents for status in overview.statuses)
        yield Milestone(f"all done {total}", "all annotators have confirmed all their documents")


def _quality(overview: Overview, bar: float) -> Iterator[Milestone]:
    for annotator in overview.annotators:
        if annotator.control is None or annotator.control.documents < MIN_CONTROL:
            continue
        name, f1 = annotator.status.annotator, annotator.control.strict.micro.f1
        if f1 is not None and f1 < bar:
            yield Milestone(
                f"control {name}",
                f"{name} reaches F1 {f1:.3f} on {annotator.control.documents} control documents, "
                f"below {bar:g}",
            )


def _comments(overview: Overview) -> Iterator[Milestone]:
    for comment in overview.comments:
        key = f"comment {comment.annotator} {comment.document} {comment.by} {comment.at}"
        yield Milestone(key, f"new comment by {comment.by} in the project of {comment.annotator}")


@dataclass(frozen=True)
class Webhook:
    """Where milestones are delivered.

    Attributes:
        url: an http or https address, of a host of the own network too.
        control_bar: see :func:`find_milestones`.
    """

    url: str
    control_bar: float = 0.8

    def __post_init__(self) -> None:
        try:
            split_address(self.url)
            httpx.URL(self.url)
        except (InputError, httpx.InvalidURL) as error:
            raise InputError("--notify: not an http or https URL; correct the URL") from error

    @property
    def host(self) -> str:
        """The host, as it is printed: the rest of the address may be a secret."""
        return str(split_address(self.url).hostname)

    def deliver(self, folder: Path, overview: Overview) -> list[Milestone]:
        """Post the milestones that were not delivered yet, in one message, and record them.

        The message is a JSON object with `session`, `text` and `milestones`; chat programs show
        its text.

        Args:
            folder: the session folder.
            overview: the state of the session.

        Returns:
            The milestones that were delivered.

        Raises:
            ServerError: if the webhook does not accept the message; it is posted again next time.
            InputError: if the record of delivered milestones is damaged.
        """
        delivered = _read_delivered(folder)
        reached = find_milestones(overview, self.control_bar)
        new = [milestone for milestone in reached if milestone.key not in delivered]
        if new:
            self._post(overview.session, new)
            keys = [*delivered, *(milestone.key for milestone in new)]
            write_json(_path(folder), {"delivered": keys})
        return new

    def _post(self, session: str, milestones: Sequence[Milestone]) -> None:
        texts = [milestone.text for milestone in milestones]
        body = {
            "session": session,
            "text": "\n".join(f"{session}: {text}" for text in texts),
            "milestones": texts,
        }
        try:
            # The answer is not read: only its status counts.
            with httpx.stream("POST", self.url, json=body, timeout=TIMEOUT) as response:
                status = response.status_code
        except httpx.HTTPError as error:
            raise ServerError(
                f"the webhook on {self.host} does not answer ({type(error).__name__}); it gets the "
                "message next time"
            ) from error
        if not 200 <= status < 300:
            raise ServerError(
                f"the webhook on {self.host} refused the message with status {status}; it gets it "
                "next time"
            )


def _path(folder: Path) -> Path:
    return Path(folder) / "notified.json"


def _read_delivered(folder: Path) -> list[str]:
    path = _path(folder)
    if not path.is_file():
        return []
    delivered = read_json_object(path).get("delivered")
    if not isinstance(delivered, list):
        raise InputError(f"{path}: field 'delivered' is not a list; remove the file")
    return [str(key) for key in delivered]
