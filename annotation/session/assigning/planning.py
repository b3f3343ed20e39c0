"""Which open documents go to whom: balanced in the words that annotators have left to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ....ui import OnProgress, Progress
from ...doccano.client import DoccanoClient
from ..folder import Session
from .moves import Move
from .word_load import measure_load, typical_words
from .work_state import BEGUN_STATES, OPEN_STATES, WorkReader


@dataclass(frozen=True)
class Kept:
    """A document that did not move.

    Attributes:
        document: its id.
        annotator: who has it.
        reason: why it stayed.
    """

    document: str
    annotator: str
    reason: str


@dataclass
class MovePlan:
    """The moves of one command, and the documents that stay.

    Attributes:
        client: an administrator's connection.
        session: the session.
        on_progress: called for each document that was looked at.
        moves: the moves so far.
        kept: the documents that were looked at and stay.
    """

    client: DoccanoClient
    session: Session
    on_progress: OnProgress
    moves: list[Move] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def hand_over(
        self,
        source: str,
        targets: Sequence[str],
        documents: Sequence[str] = (),
        *,
        count: int | None = None,
        share_begun: bool = False,
    ) -> None:
        """Plan to move open documents of an annotator, each to the target with the least to read.

        Args:
            source: the annotator who has them.
            targets: the annotators who may get them.
            documents: ids; empty for all, those at the end of the source's list first.
            count: how many may move; None for all.
            share_begun: whether documents on which the source has begun, or whose confirmation
                was withdrawn, go to a target as well, unless they did before.
        """
        load = measure_load(self.client, self.session, targets)
        reader = WorkReader.open(self.client, self.session, source)
        ids = list(dict.fromkeys(documents)) or self._from_end(source)
        for number, doc_id in enumerate(ids, start=1):
            if len(self.moves) == count:
                break
            self.on_progress(Progress(f"Reading the project of {source}", number, len(ids)))
            state = reader.read(doc_id)
            is_begun = share_begun and state in BEGUN_STATES
            if is_begun and doc_id in self.session.shared.get(source, ()):
                self.kept.append(Kept(doc_id, source, f"{state}, and another one has it as well"))
                continue
            if state not in OPEN_STATES and not is_begun:
                self.kept.append(Kept(doc_id, source, state))
                continue
            free = [name for name in targets if name not in self.session.assignments[doc_id]]
            if not free:
                self.kept.append(Kept(doc_id, source, f"{', '.join(targets)} read it already"))
                continue
            target = min(free, key=lambda name: load[name])
            load[target] += self._words(doc_id)
            self.moves.append(Move(doc_id, source, target, stays=is_begun))

    def balance(self, target: str, sources: Sequence[str]) -> None:
        """Plan to move open documents to an annotator until they have as much to read as others."""
        load = measure_load(self.client, self.session, [target, *sources])
        waiting = {source: self._open_documents(source, target) for source in sources}
        while waiting:
            source = max(waiting, key=lambda name: load[name])
            doc_id = next(waiting[source], None)
            if doc_id is None or load[target] + self._words(doc_id) > load[source]:
                del waiting[source]
                continue
            load[source] -= self._words(doc_id)
            load[target] += self._words(doc_id)
            self.moves.append(Move(doc_id, source, target))

    def _open_documents(self, source: str, target: str) -> Iterator[str]:
        """Yield the open documents of an annotator that a target lacks, the last ones first."""
        reader = WorkReader.open(self.client, self.session, source)
        ids = self._from_end(source)
        for number, doc_id in enumerate(ids, start=1):
            readers = self.session.assignments[doc_id]
            if target in readers or any(move.document == doc_id for move in self.moves):
                continue
            self.on_progress(Progress(f"Reading the project of {source}", number, len(ids)))
            state = reader.read(doc_id)
            if state in OPEN_STATES:
                yield doc_id
            else:
                self.kept.append(Kept(doc_id, source, state))

    def _from_end(self, annotator: str) -> list[str]:
        """Return an annotator's documents, those first that they would come to last."""
        pushed = [document.id for document in self.session.pushed(annotator)]
        assigned = self.session.assigned(annotator)
        known = set(pushed)
        waiting = [d for d in self.session.assignments if d in assigned and d not in known]
        return [doc_id for doc_id in (*pushed, *waiting) if doc_id in assigned][::-1]

    def _words(self, doc_id: str) -> int:
        words = self.session.words.get(doc_id)
        return typical_words(self.session) if words is None else words
