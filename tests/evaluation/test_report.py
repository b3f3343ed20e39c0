"""The HTML report, in words and in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from corpus.document import Document, Span
from corpus.files import write_documents
from evaluation.report import view_document
from tests.conftest import Orbat, Trained
from tests.evaluation.test_scoring import TEXT, spans

NASTY = "<script>document.title = 'owned'</script> <b>Gen.</b> Smith & \"sons\""


@given(spans(), spans())
def test_pieces_make_the_text_and_name_every_error(
    gold: tuple[Span, ...], predicted: tuple[Span, ...]
) -> None:
    view = view_document(Document("d", TEXT, gold), Document("d", TEXT, predicted), {})
    assert "".join(piece.text for piece in view.pieces) == TEXT
    assert view.errors == len(set(gold) ^ set(predicted))
    shared = len(set(gold) & set(predicted))
    assert sum(piece.kind == "right" for piece in view.pieces) == shared
    titles = " ".join(piece.title for piece in view.pieces)
    for span in set(gold) ^ set(predicted):
        assert f"{span.label} “{TEXT[span.start : span.end]}”" in titles


@pytest.mark.browser
def test_markup_in_a_document_is_shown_as_text(orbat: Orbat, browser: Any, tmp_path: Path) -> None:
    start = NASTY.index("Gen.")
    write_documents(
        tmp_path / "gold.jsonl", [Document("x", NASTY, (Span(start, start + 4, "RANK"),))]
    )
    write_documents(
        tmp_path / "pred.jsonl", [Document("x", NASTY, (Span(start, start + 4, "UNIT"),))]
    )
    outcome = orbat(
        *("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"),
        *("--report", tmp_path / "report.html"),
    )
    assert outcome.code == 0, outcome.err
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.title() == "pred.jsonl on gold.jsonl"
    text = page.locator(".text").first.inner_text()
    assert text.replace("RANK / UNIT", "") == NASTY
    mark = page.locator("mark.both")
    assert "gold only: RANK" in str(mark.last.get_attribute("title"))
    page.close()


@pytest.mark.browser
@pytest.mark.slow
def test_the_report_of_a_model_reads_well(
    orbat: Orbat,
    browser: Any,
    trained: Trained,
    tmp_path: Path,
    test_articles: list[Document],
    screenshot: Callable[..., None],
) -> None:
    write_documents(tmp_path / "held-out.jsonl", test_articles[:6])
    report = tmp_path / "report.html"
    outcome = orbat("evaluate", trained.run, tmp_path / "held-out.jsonl", "--report", report)
    assert outcome.code == 0, outcome.err
    assert "warning" not in outcome.err
    assert "http" not in report.read_text().replace("http-equiv", "")
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())
    assert requests == [report.as_uri()]
    assert page.locator("tbody").first.locator("tr").count() == 5
    assert page.locator("details").count() == 6
    screenshot(page, "report")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(color_scheme="dark")
    screenshot(page, "report-phone-dark")
    page.close()


@pytest.mark.slow
def test_documents_seen_in_training_are_told(orbat: Orbat, trained: Trained) -> None:
    outcome = orbat("evaluate", trained.run, trained.dev, "--json")
    assert outcome.code == 0
    assert "warning: the model was trained or chosen on 6 of these 6 documents" in outcome.err
    assert outcome.json()["seen_in_training"] == 6
