"""Metrics of the service in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.process_collector import ProcessCollector

from ...corpus.document import Document

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of response times."""


class Metrics:
    """Counts of one service.

    Args:
        waiting: returns how many texts wait to be tagged.
    """

    def __init__(self, waiting: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        names: dict[str, Any] = {"registry": self._registry, "namespace": "orbat"}
        self._requests = Counter("requests", "Requests answered.", ["path", "status"], **names)
        self._seconds = Histogram(
            "request_seconds", "Time from request to answer.", ["path"], buckets=SECONDS, **names
        )
        self._texts = Counter("texts", "Texts tagged.", **names)
        self._characters = Counter("characters", "Characters of the texts tagged.", **names)
        self._entities = Counter("entities", "Entities found.", ["label"], **names)
        self._loads = Counter("model_loads", "Models loaded or refused.", ["result"], **names)
        self._model = Info("model", "The model that is served.", **names)
        Gauge("waiting_texts", "Texts waiting to be tagged.", **names).set_function(waiting)

    def add_request(self, path: str, status: int, seconds: float) -> None:
        """Count an answered request; `path` is that of its route."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def add_documents(self, documents: Iterable[Document]) -> None:
        """Count tagged documents and their entities."""
        for document in documents:
            self._texts.inc()
            self._characters.inc(len(document.text))
            for span in document.spans:
                self._entities.labels(span.label).inc()

    def add_model(self, name: str, fingerprint: str) -> None:
        """Record that a model was loaded."""
        self._loads.labels("loaded").inc()
        self._model.info({"name": name, "fingerprint": fingerprint})

    def add_refused_model(self) -> None:
        """Record that a new model could not be loaded."""
        self._loads.labels("refused").inc()

    def render(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
