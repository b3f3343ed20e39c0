"""Tagging on a Ray cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from ...corpus.document import Document
from ...corpus.ray_cluster import connect_ray
from ...errors import ModelError
from ..loading import load_model
from ..model import Model
from .chunks import Chunk

TASKS_PER_PROCESSOR = 2
"""Chunks in progress for each processor of the cluster: enough to keep all of them busy."""


def tag_on_ray(model: Model, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Tag chunks on the Ray cluster that RAY_ADDRESS names, or on all cores of this machine.

    Chunks are read and returned in this process, in order. If a worker is lost, its chunk is tagged
    again by another one.

    Args:
        model: the model. Workers load it by its name, so they must see it under the same path.
        chunks: the chunks to tag.

    Raises:
        ModelError: if a worker finds another model under this name.
    """
    import ray

    connect_ray()
    tag = ray.remote(num_cpus=1, max_retries=-1)(_tag_documents)
    in_progress: deque[tuple[Any, Chunk]] = deque()
    for chunk in chunks:
        task = tag.remote(model.name, model.fingerprint, dict(model.thresholds), chunk.documents)
        in_progress.append((task, chunk))
        processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
        if len(in_progress) > TASKS_PER_PROCESSOR * processors:
            task, first = in_progress.popleft()
            yield Chunk(ray.get(task), first.rejected)
    for task, first in in_progress:
        yield Chunk(ray.get(task), first.rejected)


def _tag_documents(
    name: str, fingerprint: str, thresholds: dict[str, float], documents: list[Document]
) -> list[Document]:
    """Tag documents in a worker process."""
    model = _load_once(name)
    if model.fingerprint != fingerprint:
        raise ModelError(f"{name}: a worker finds another model under this name")
    return list(replace(model, thresholds=thresholds).tag(documents))


@cache
def _load_once(name: str) -> Model:
    return load_model(name, workers=1)
