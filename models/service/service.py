"""What every protocol of the service uses: checked texts in, tagged documents out."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request

from ...corpus.document import Document
from ..model import Model
from .batching import Batcher
from .live_model import LiveModel
from .log import log_event
from .metrics import Metrics
from .settings import ServiceSettings

COUNTS = "orbat.counts"
"""Key of a request's scope: what the log says of the request beyond method, path and status."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Tagged:
    """Documents, and the one model that tagged them all."""

    model: Model
    documents: list[Document]


class Service:
    """A live model behind a batcher, with limits and metrics.

    Args:
        model: a run folder, a wheel file or an installed package.
        settings: limits, workers and thresholds.

    Raises:
        ModelError: if the model cannot be loaded.
        InputError: if it contains a pickle, or cannot have the thresholds.
    """

    def __init__(self, model: str | Path, settings: ServiceSettings) -> None:
        self.settings = settings
        self.batcher = Batcher()
        self.metrics = Metrics(lambda: self.batcher.waiting)
        self.live = LiveModel(model, settings, self._record)

    async def tag(self, request: Request, texts: Sequence[str], name: str = "text") -> Tagged:
        """Tag the texts of a request.

        Args:
            request: the request; its log line will have the number of texts and characters.
            texts: the texts.
            name: the field that they come from, for messages.

        Raises:
            HTTPException: 413 if there are too many texts or one is too long, 422 if one has an
                unpaired surrogate.
        """
        self._check(texts, name)
        model = self.live.model
        documents = [Document(str(number), text) for number, text in enumerate(texts)]
        tagged = await self.batcher.tag(model, documents)
        self.metrics.add_documents(tagged)
        request.scope[COUNTS].update(
            texts=len(texts),
            characters=sum(map(len, texts)),
            entities=sum(len(document.spans) for document in tagged),
        )
        return Tagged(model, tagged)

    def _check(self, texts: Sequence[str], name: str) -> None:
        settings = self.settings
        if len(texts) > settings.max_texts:
            raise HTTPException(
                413, f"{name}: {len(texts)} texts; send at most {settings.max_texts} in a request"
            )
        for number, text in enumerate(texts):
            place = f"{name}[{number}]" if len(texts) > 1 else name
            if len(text) > settings.max_characters:
                raise HTTPException(
                    413,
                    f"{place}: {len(text)} characters; send at most {settings.max_characters}",
                )
            surrogate = _SURROGATE.search(text)
            if surrogate is not None:
                raise HTTPException(
                    422,
                    f"{place}: unpaired surrogate at character {surrogate.start()}; "
                    "replace it with U+FFFD",
                )

    def _record(self, event: str, **fields: Any) -> None:
        if event == "model_loaded":
            self.metrics.add_model(fields["model"], fields["fingerprint"])
            log_event(event, **fields)
        else:
            self.metrics.add_refused_model()
            log_event(event, level=logging.WARNING, **fields)
