"""What people did in a project: spans, confirmations and comments of its examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from .client import DoccanoClient
from .records import Comment, Example, ExampleSpan, ExampleWork, State

_ACCEPTED_AFTER = timedelta(seconds=1)
"""A span that was changed later than this after its creation was changed or accepted."""


@dataclass(frozen=True)
class Work:
    """What people did in one example.

    Attributes:
        spans: its spans.
        state: its last confirmation; None while it is not confirmed.
        comments: the comments on it, oldest first.
    """

    spans: tuple[ExampleSpan, ...] = ()
    state: State | None = None
    comments: tuple[Comment, ...] = ()

    def is_begun(self, uploaders: Collection[int]) -> bool:
        """Return whether somebody has confirmed, commented on or annotated the example.

        That a suggestion is missing is not seen here: the spans must be compared for it.

        Args:
            uploaders: the accounts that upload suggestions; their spans are work when they were
                changed or accepted.
        """
        return (
            self.state is not None
            or bool(self.comments)
            or any(
                span.user not in uploaders or span.updated_at - span.created_at >= _ACCEPTED_AFTER
                for span in self.spans
            )
        )


def read_example(client: DoccanoClient, project: int, example: int) -> Work:
    """Read what people did in one example."""
    spans = tuple(client.spans(project, example))
    comments = tuple(client.comments(project, example))
    # Last: a confirmation in the meantime is seen.
    states = client.states(project, example)
    state = max(states, key=lambda state: state.confirmed_at, default=None)
    return Work(spans, state, comments)


def read_work(
    client: DoccanoClient,
    project: int,
    examples: Iterable[Example],
    *,
    on_read: Callable[[int], None] = lambda number: None,
) -> dict[int, Work]:
    """Read spans, confirmations and comments of the examples of a project.

    A server that `orbat annotate up` started answers with those of many examples at once. Other
    servers are asked for the spans of each example, and for the confirmation of each confirmed one.

    Args:
        client: a connection of the project's administrator.
        project: the project's id.
        examples: the examples.
        on_read: called with the number of examples that were read.

    Returns:
        The work by the example's id.
    """
    comments: defaultdict[int, list[Comment]] = defaultdict(list)
    for comment in client.comments(project):
        comments[comment.example].append(comment)
    work: dict[int, Work] = {}
    for record in _read(client, project, list(examples)):
        state = max(record.states, key=lambda state: state.confirmed_at, default=None)
        work[record.id] = Work(tuple(record.spans), state, tuple(comments[record.id]))
        on_read(len(work))
    return work


def _read(client: DoccanoClient, project: int, examples: list[Example]) -> Iterator[ExampleWork]:
    """Yield the spans and confirmations of each example."""
    if client.lists_work(project):
        wanted = {example.id for example in examples}
        yield from (record for record in client.work(project) if record.id in wanted)
        return
    for example in examples:
        states = client.states(project, example.id) if example.is_confirmed else []
        spans = client.spans(project, example.id)
        yield ExampleWork(id=example.id, spans=spans, states=states)
