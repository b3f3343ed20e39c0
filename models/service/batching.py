"""Tagging the texts of all requests in one thread, those that wait together in batches."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...corpus.document import Document
from ..model import Model


@dataclass(frozen=True, eq=False)
class _Item:
    """A document that waits to be tagged, and who waits for it."""

    model: Model
    document: Document
    result: asyncio.Future[Document]
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def answer(self, document: Document) -> None:
        self.loop.call_soon_threadsafe(self._settle, document, None)

    def fail(self, error: Exception) -> None:
        self.loop.call_soon_threadsafe(self._settle, None, error)

    def _settle(self, document: Document | None, error: Exception | None) -> None:
        if self.result.done():  # the client hung up
            return
        if document is not None:
            self.result.set_result(document)
        else:
            assert error is not None
            self.result.set_exception(error)


class Batcher:
    """Tags documents in a thread of its own, in the order in which they arrive.

    The thread takes all documents that wait for the same model as one stream, so that texts of
    different requests share the batches of the network. It never waits for more of them: a batch
    fills while the one before it is scored. Use it as a context manager.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)

    def __enter__(self) -> Batcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """The number of documents that wait."""
        return len(self._waiting)

    async def tag(self, model: Model, documents: Sequence[Document]) -> list[Document]:
        """Return the documents with the model's spans, in order.

        When the call is canceled, the documents that still wait are dropped.

        Raises:
            Exception: whatever the model raises for one of the documents by itself.
        """
        loop = asyncio.get_running_loop()
        items = [_Item(model, document, loop.create_future(), loop) for document in documents]
        with self._changed:
            self._waiting.extend(items)
            self._changed.notify()
        return await asyncio.gather(*(item.result for item in items))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return
                model = self._waiting[0].model
            self._tag_waiting(model)

    def _tag_waiting(self, model: Model) -> None:
        """Tag what waits for a model, and what arrives meanwhile."""
        taken: deque[_Item] = deque()

        def documents() -> Iterator[Document]:
            while (item := self._take(model)) is not None:
                taken.append(item)
                yield item.document

        try:
            for document in model.tag(documents()):
                taken.popleft().answer(document)
        except Exception:
            # One text must not fail the others.
            for item in taken:
                _tag_alone(item)

    def _take(self, model: Model) -> _Item | None:
        """Return the next item if it waits for this model."""
        with self._changed:
            while self._waiting and self._waiting[0].model is model:
                item = self._waiting.popleft()
                if not item.result.cancelled():
                    return item
        return None


def _tag_alone(item: _Item) -> None:
    try:
        (document,) = item.model.tag([item.document])
    except Exception as error:
        item.fail(error)
    else:
        item.answer(document)
