"""The model that is served, loaded again when its files change."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable
from pathlib import Path

from ...corpus.document import Document
from ...errors import InputError, first_line
from ..loading import find_model, load_model
from ..model import Model
from .settings import ServiceSettings

_TRIAL = "A model reads this text before it is served. It has 2 sentences."
POLL_SECONDS = 1.0
"""How often the files are looked at. A change is loaded when two looks in a row see the same."""

Signature = tuple[tuple[str, int, int, int], ...]
"""Name, size, inode and time of change of each file of a model."""

OnEvent = Callable[..., None]
"""Called with the name of an event and its fields."""


class LiveModel:
    """A model that follows its files.

    A new model is loaded beside the old one, which goes on serving until the new one is ready, and
    for good if the new one is broken.

    Args:
        name: a run folder, a wheel file or an installed package.
        settings: workers and thresholds.
        on_event: called with `model_loaded` or `model_refused`.

    Attributes:
        model: the model to use for the next request.
        loaded_at: when it was loaded, in seconds since 1970.
        problem: why the files on disk are not what is served; None if they are.

    Raises:
        ModelError: if the model cannot be loaded now.
        InputError: if it contains a pickle, or cannot have the thresholds.
    """

    def __init__(self, name: str | Path, settings: ServiceSettings, on_event: OnEvent) -> None:
        self.name = str(name)
        self._settings = settings
        self._on_event = on_event
        self.problem: str | None = None
        self._loaded = self._signature()
        self._use(self._load())

    async def watch(self) -> None:
        """Follow the files until canceled."""
        seen = self._loaded
        while True:
            await asyncio.sleep(POLL_SECONDS)
            signature = await asyncio.to_thread(self._signature)
            # A file that is still being written differs from one look to the next.
            if signature == seen and signature != self._loaded:
                await self._reload(signature)
            seen = signature

    async def _reload(self, signature: Signature) -> None:
        self._loaded = signature
        try:
            model = await asyncio.to_thread(self._load)
        except Exception as error:  # whatever the new files hold, the old model goes on
            self.problem = first_line(error)
            self._on_event("model_refused", reason=self.problem, serving=self.model.fingerprint)
            return
        if model.fingerprint == self.model.fingerprint:
            self.problem = None
        else:
            self._use(model)

    def _load(self) -> Model:
        settings = self._settings
        model = load_model(self.name, workers=settings.workers)
        if model.address is not None:
            raise InputError(
                f"{self.name}: answers at an address itself; serve a run, a wheel or a checkpoint"
            )
        model = model.with_threshold(settings.threshold, settings.target_precision)
        # A model that loads but cannot tag is refused as well, and the first request is fast.
        list(model.tag([Document("trial", _TRIAL)]))
        return model

    def _use(self, model: Model) -> None:
        self.model = model
        self.loaded_at = time.time()
        self.problem = None
        self._on_event("model_loaded", model=self.name, fingerprint=model.fingerprint)

    def _signature(self) -> Signature:
        """Return the signature of the model's files now; empty if there are none."""
        importlib.invalidate_caches()
        path = find_model(self.name)
        if path is None:
            return ()
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        return tuple(filter(None, map(_file_signature, files)))


def _file_signature(path: Path) -> tuple[str, int, int, int] | None:
    try:
        status = path.stat()
    except OSError:  # removed since it was listed
        return None
    return str(path), status.st_size, status.st_ino, status.st_mtime_ns
