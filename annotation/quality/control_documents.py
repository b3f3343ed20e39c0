"""Add control documents: known gold, hidden among the documents that annotators get."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

from ...corpus.document import Document, check_spans
from ...errors import InputError
from ..session.folder import Session
from ..session.upload import describe_source
from .control_records import ControlDocument, read_control
from .qualification_records import read_qualification_texts

MAX_SHARE = 0.5
_LAST_NUMBER = re.compile(r"(.*?)([0-9]+)([^0-9]*)\Z", re.DOTALL)
_ATTEMPTS = 50


@dataclass(frozen=True)
class ControlPlan:
    """What control documents to add.

    Attributes:
        gold: documents with gold spans.
        share: their share of all documents that annotators get, more than 0 and at most
            :data:`MAX_SHARE`.
        seed: random seed of their choice and places.
    """

    gold: tuple[Document, ...]
    share: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share <= MAX_SHARE:
            raise InputError(
                f"--control-share {self.share:g}: choose more than 0 and at most {MAX_SHARE}"
            )


def add_control(
    plan: ControlPlan,
    documents: Sequence[Document],
    existing: Sequence[ControlDocument],
    *,
    assigned: Collection[str],
    known_texts: Collection[str],
    labels: Collection[str],
) -> list[ControlDocument]:
    """Add control documents to the documents that are new in a session.

    The new documents are divided into as many parts as they get control documents, and each part
    gets one at a random place: so every batch has its share. A control document looks like the
    document that it is placed before: its id has the same form, and its meta has no title, source
    or date that the other lacks.

    Args:
        plan: the gold and its share.
        documents: the documents to annotate, in labeling order.
        existing: the session's control documents so far.
        assigned: ids of the session's documents so far in their order, control documents included.
        known_texts: texts that must not be added, as the annotators know them.
        labels: the label names of the session.

    Returns:
        The session's control documents: those so far, then the new ones. They are fewer than the
        share if there is too little gold.

    Raises:
        InputError: if a gold span has a label that the session lacks.
    """
    for gold in plan.gold:
        check_spans(gold, gold.spans, f"control document '{gold.id}'", labels)
    hidden = {control.gold.id for control in existing}
    new = [document for document in documents if document.id not in assigned]
    since = len(new) + _count_since_first(existing, [i for i in assigned if i not in hidden])
    wanted = max(round(since * plan.share / (1 - plan.share)), 1) - len(existing)
    used = {*known_texts, *(d.text for d in documents), *(c.gold.text for c in existing)}
    free = [gold for gold in plan.gold if gold.text not in used]
    number = max(min(wanted, len(free), len(new)), 0)
    chance = random.Random(f"{plan.seed} {len(existing)}")
    ids = {*assigned, *hidden, *(document.id for document in documents)}
    result = list(existing)
    for part, gold in enumerate(chance.sample(free, number)):
        first, last = (len(new) * n // number for n in (part, part + 1))
        beside = new[chance.randrange(first, last)]
        doc_id = _similar_id(beside.id, ids, chance)
        ids.add(doc_id)
        shown = describe_source(beside)
        meta = {key: text for key, text in describe_source(gold).items() if key in shown}
        result.append(ControlDocument(gold.id, beside.id, replace(gold, id=doc_id, meta=meta)))
    return result


def _count_since_first(existing: Sequence[ControlDocument], assigned: Sequence[str]) -> int:
    """Return how many documents were assigned since the first control document was added."""
    if not existing or existing[0].before not in assigned:
        return 0
    return len(assigned) - assigned.index(existing[0].before)


def with_control(
    session: Session, documents: Sequence[Document], plan: ControlPlan | None, *, suggests: bool
) -> tuple[list[Document], list[ControlDocument]]:
    """Return the documents of a push with control documents among them, and the session's record.

    Without a plan, the control documents that were added to these documents before are there
    all the same.

    Args:
        session: the session.
        documents: the documents to annotate, in labeling order.
        plan: what to add; None to add nothing new.
        suggests: whether the push suggests spans.

    Raises:
        InputError: as :func:`add_control`, if control documents would be known by their lack of
            suggestions, or if a document has the id of one.
    """
    control = read_control(session.folder)
    given = {document.id for document in documents}
    for hidden in control:
        if hidden.gold.id in given:
            raise InputError(
                f"{session.folder}: document '{hidden.gold.id}' has the id of a control document "
                "that is hidden in this session; give it another id"
            )
    if plan is not None:
        if not suggests and any(document.spans for document in documents):
            raise InputError(
                "--control: the documents have spans of their own, so that control documents "
                "without spans would be known; let --suggest suggest spans, or remove theirs"
            )
        known = {document.text for document in session.documents()}
        control = add_control(
            *(plan, documents, control),
            assigned=session.assignments.keys(),
            known_texts=known | read_qualification_texts(session.folder),
            labels=session.labels.names,
        )
    return interleave(documents, control), control


def interleave(documents: Iterable[Document], control: Iterable[ControlDocument]) -> list[Document]:
    """Return documents with the control documents, without spans, at their places."""
    places: dict[str, list[Document]] = {}
    for hidden in control:
        places.setdefault(hidden.before, []).append(hidden.blank)
    return [d for document in documents for d in (*places.get(document.id, ()), document)]


def _similar_id(beside: str, used: Collection[str], chance: random.Random) -> str:
    """Return an unused id that differs from another in its last number, or in an added one."""
    match = _LAST_NUMBER.match(beside)
    head, digits, tail = match.groups() if match else (f"{beside}-", "1", "")
    numbers = [int(digits), *_numbers(head, tail, used)]
    lowest, highest = min(numbers), max(numbers)
    # A number between those of the others at best, else one that continues them.
    between = (chance.randint(lowest, highest) for _ in range(_ATTEMPTS))
    ids = (f"{head}{n:0{len(digits)}d}{tail}" for n in chain(between, count(highest + 1)))
    return next(doc_id for doc_id in ids if doc_id not in used)


def _numbers(head: str, tail: str, used: Collection[str]) -> Iterator[int]:
    """Yield the numbers of the ids between a head and a tail."""
    for doc_id in used:
        middle = doc_id[len(head) : len(doc_id) - len(tail)]
        if doc_id == f"{head}{middle}{tail}" and middle.isascii() and middle.isdigit():
            yield int(middle)
