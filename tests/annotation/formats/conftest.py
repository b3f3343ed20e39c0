"""Fixtures: conversion of a small source by the command line or from Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document

Read = Callable[..., tuple[list[Document], dict[str, int]]]


def quotes(document: Document) -> list[tuple[str, str]]:
    """Return text and label of each span."""
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def write_lines(path: Path, records: Iterable[Any]) -> Path:
    """Write JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def read() -> Read:
    """Read a source; return its documents and what was dropped."""

    def run(
        source: Path, format_name: str, *, skip_bad: bool = False, **options: Any
    ) -> tuple[list[Document], dict[str, int]]:
        report = ConversionReport()
        found = read_format(
            source, format_name, report, skip_bad=skip_bad, options=ReadOptions(**options)
        )
        return list(found), dict(report.dropped)

    return run
