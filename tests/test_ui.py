"""Tables, number formats and progress."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.ui import (
    DataTable,
    Progress,
    format_interval,
    format_value,
    print_tables,
    progress_bars,
    render_tables,
)
from tests.conftest import Orbat

TABLE = DataTable(
    "Sources", ("source", "documents"), (("x", 3), ("<y>", 1), ("z", None)), bar_column=1
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.88149, "0.881"),
        (12.345, "12.3"),
        (1234567, "1,234,567"),
        ("text", "text"),
    ],
)
def test_values_have_one_format(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_intervals_have_one_format() -> None:
    assert format_interval(0.83351, 0.9043) == "0.834–0.904"
    assert format_interval(None, 0.9) == "–"


def test_long_tables_are_shortened() -> None:
    console = Console(file=io.StringIO(), width=60)
    print_tables([TABLE, DataTable("Empty", ("a",), ())], console, max_rows=2)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "<y>" in text
    assert "and 1 more" in text
    assert "Empty" not in text


def test_pages_show_values_and_bars() -> None:
    page = render_tables("Title", "Summary", [TABLE])
    assert "&lt;y&gt;" in page
    assert "width:33.3%" in page
    assert "<td>–</td>" in page


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as on_progress:
        on_progress(Progress("Reading", 1))
        on_progress(Progress("Training", 1, 10, {"loss": 0.5}))
    assert capsys.readouterr() == ("", "")


@pytest.mark.browser
def test_pages_escape_the_contents_of_a_corpus(orbat: Orbat, browser: Any, tmp_path: Path) -> None:
    nasty = "<script>document.title = 'owned'</script>"
    write_documents(tmp_path / "a.jsonl", [Document("x", "Some text.", (), {"source": nasty})])
    page_file = tmp_path / "stats.html"
    assert orbat("corpus", "stats", tmp_path / "a.jsonl", "--report", page_file).code == 0
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(page_file.as_uri())
    assert page.title() == "a.jsonl"
    assert nasty in page.locator("body").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
