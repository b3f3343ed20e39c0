"""Tagging with a language model behind an API."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from ...corpus.labels import LabelSet
from ..tagger.mentions import Mention
from .answer_store import AnswerStore
from .endpoint import ChatEndpoint, Completion
from .model_file import LanguageModel
from .prompt import answer_format, make_messages, parse_answer
from .verbatim import locate, split_passages

_TOKENS_A_PRICE = 1_000_000


class _Answer(NamedTuple):
    """The answer for one passage: its quotations, None if it has none, and what it took."""

    quotations: list[tuple[str, str]] | None
    completion: Completion
    is_known: bool


class LanguageModelTagger:
    """Tags texts with a language model. See :class:`orbat.training.base.RemoteTextTagger`.

    The model is told the labels and guidelines, and quotes the entities of each passage. Quotations
    are found again in the passage, or dropped and counted. Answers are kept on disk: the same
    request is sent once, so that a stopped command goes on where it was. Answers that are not of
    the asked form are not kept. The model gives no confidence: the score of every mention is None.

    Args:
        settings: the model and its address.
        labels: what it is to find.
        guidelines: Markdown; empty for none.

    Raises:
        InputError: if the key in the environment cannot be one.
    """

    def __init__(self, settings: LanguageModel, labels: LabelSet, guidelines: str) -> None:
        self.address = settings.url
        self.labels = tuple(label.name for label in labels.choices)
        self._settings = settings
        self._label_set = labels
        self._guidelines = guidelines if settings.guidelines else ""
        self._endpoint = ChatEndpoint(settings.url, timeout=settings.timeout)
        self._store = AnswerStore(Path(settings.cache) if settings.cache else _default_store())
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Hash of everything that answers depend on, besides the text."""
        passage = repr((self._settings.passage, self._settings.url))
        return hashlib.sha256(passage.encode() + self._key(self._body(""))).hexdigest()

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order; see :meth:`pipe_with_gaps`."""
        for mentions, _ in self.pipe_with_gaps(texts):
            yield mentions

    def pipe_with_gaps(
        self, texts: Iterable[str]
    ) -> Iterator[tuple[list[Mention], list[tuple[int, int]]]]:
        """Yield the mentions of each text, and the passages to which there is no valid answer.

        Several requests are sent at a time. Passages are given by start and end.

        Raises:
            ServerError: if the API does not answer, or is another one.
            InputError: if the file of answers is damaged or cannot be written.
        """
        workers = self._settings.workers
        pool, stopped = ThreadPoolExecutor(workers), threading.Event()
        waiting: deque[list[tuple[int, str, Future[_Answer]]]] = deque()
        try:
            for text in texts:
                passages = [
                    (start, text[start:end])
                    for start, end in split_passages(text, self._settings.passage)
                ]
                waiting.append(
                    [
                        (start, part, pool.submit(self._ask, part, stopped))
                        for start, part in passages
                    ]
                )
                if len(waiting) > workers:
                    yield self._collect(waiting.popleft())
            while waiting:
                yield self._collect(waiting.popleft())
        finally:
            # Answers under way are paid for: they are awaited and kept.
            stopped.set()
            pool.shutdown(cancel_futures=True)

    def forecast(self, texts: Iterable[str]) -> str:
        """Return a line on what tagging texts would send; send nothing."""
        bodies = [
            self._body(text[start:end])
            for text in texts
            for start, end in split_passages(text, self._settings.passage)
        ]
        asked = [body for body in bodies if self._store.find(self._key(body)) is None]
        size = sum(len(message["content"]) for body in asked for message in body["messages"])
        told = f"{len(self._guidelines):,} characters of" if self._guidelines else "no"
        return (
            f"{len(asked):,} requests to {self.address} with {size:,} characters in all, of which "
            f"none is sent now, so that their time is not known; {len(bodies) - len(asked):,} "
            f"answers are known; it is told {told} guidelines"
        )

    def notes(self) -> list[str]:
        """Return lines on what was asked so far, what it cost, and which answers were not used."""
        counts = self._counts
        kept = f", {counts['known']:,} answers were known" if counts["known"] else ""
        lines = [
            f"{self._settings.model}: {counts['asked']:,} requests{kept}; {counts['input']:,} "
            f"tokens sent, {counts['output']:,} received{self._cost()}"
        ]
        if counts["asked"] and not counts["input"]:
            lines[0] += " (the server does not count tokens)"
        dropped = {
            "mentions that are not in the text": counts["missing"],
            "with an unknown label": counts["unlabeled"],
            "within other mentions": counts["overlapping"],
        }
        if any(dropped.values()):
            numbers = ", ".join(f"{count:,} {what}" for what, count in dropped.items() if count)
            lines.append(f"left out of the answers: {numbers}")
        if counts["invalid"]:
            cut = f", {counts['cut']:,} of them cut off (max_tokens)" if counts["cut"] else ""
            lines.append(
                f"{counts['invalid']:,} of {counts['passages']:,} passages have no spans, as the "
                f"answer was not of the asked form{cut}; such answers are not kept"
            )
        return lines

    def _cost(self) -> str:
        prices = (self._settings.input_price, self._settings.output_price)
        if prices == (None, None):
            return ""
        read, written = (price or 0.0 for price in prices)
        cost = (self._counts["input"] * read + self._counts["output"] * written) / _TOKENS_A_PRICE
        return f", which cost {cost:,.4f}"

    def _collect(
        self, asked: Iterable[tuple[int, str, Future[_Answer]]]
    ) -> tuple[list[Mention], list[tuple[int, int]]]:
        """Return mentions and gaps of a text when all its passages are answered."""
        mentions, gaps = [], []
        for offset, passage, future in asked:
            answer = future.result()
            self._count(answer)
            if answer.quotations is None:
                gaps.append((offset, offset + len(passage)))
            quotations = [
                (quotation, self._find_label(label)) for quotation, label in answer.quotations or ()
            ]
            labeled = [(quotation, label) for quotation, label in quotations if label is not None]
            located = locate(passage, labeled)
            self._counts["unlabeled"] += len(quotations) - len(labeled)
            self._counts["missing"] += located.missing
            self._counts["overlapping"] += located.overlapping
            mentions += [
                mention._replace(start=mention.start + offset, end=mention.end + offset)
                for mention in located.mentions
            ]
        return mentions, gaps

    def _count(self, answer: _Answer) -> None:
        is_invalid = answer.quotations is None
        self._counts["passages"] += 1
        self._counts["invalid"] += is_invalid
        self._counts["cut"] += is_invalid and answer.completion.is_cut_off
        self._counts["known"] += answer.is_known

    def _find_label(self, name: str) -> str | None:
        """Return the label of a name, in which models change the case; None for no label."""
        if name in self.labels:
            return name
        return next((label for label in self.labels if label.casefold() == name.casefold()), None)

    def _ask(self, passage: str, stopped: threading.Event) -> _Answer:
        body = self._body(passage)
        key = self._key(body)
        known = self._store.find(key)
        if known is not None:
            quotations = parse_answer(str(known.get("content")))
            return _Answer(quotations, Completion("", False, 0, 0), is_known=True)
        completion = self._endpoint.complete(body, stopped)
        # At once: an answer is paid for even if the call is interrupted before it is read.
        with self._counting:
            self._counts["asked"] += 1
            self._counts["input"] += completion.input_tokens
            self._counts["output"] += completion.output_tokens
        quotations = parse_answer(completion.content)
        if quotations is not None:
            self._store.add(key, {"content": completion.content})
        return _Answer(quotations, completion, is_known=False)

    def _body(self, passage: str) -> dict[str, Any]:
        return {
            "model": self._settings.model,
            "messages": make_messages(self._label_set, self._guidelines, passage),
            **answer_format(self._settings.answer_format, self.labels),
            **self._settings.parameters,
        }

    def _key(self, body: dict[str, Any]) -> bytes:
        request = json.dumps([self.address, body], sort_keys=True, default=str)
        return hashlib.sha256(request.encode()).digest()


def _default_store() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("orbat") / "llm-answers.sqlite"
