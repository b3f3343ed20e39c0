"""The HTML report, as text and in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.evaluation.error_analysis.analysis import ErrorLog
from orbat.evaluation.report.html import split_context
from tests.conftest import ARTICLES, Orbat, Trained
from tests.evaluation.test_metrics import TEXT, spans

NASTY = "<script>document.title = 'owned'</script> <b>Gen.</b> Smith & \"sons\""


@given(spans(), spans(), st.integers(0, 3))
def test_an_error_is_shown_in_its_text(
    gold: tuple[Span, ...], predicted: tuple[Span, ...], repeats: int
) -> None:
    """The text is extended after the spans, so that the context is cut there."""
    text = TEXT + " and more" * 40 * repeats
    log = ErrorLog()
    log.add(Document("d", text, gold), Document("d", text, predicted))
    for error in log.summary().shown:
        pieces = split_context(error, {})
        assert "".join(piece.text for piece in pieces) in text
        for mark, span in (("gold", error.gold), ("model", error.predicted)):
            shown = "".join(piece.text for piece in pieces if mark in piece.marks)
            assert shown == (text[span.start : span.end] if span else "")
        labels = " / ".join(piece.label for piece in pieces)
        assert all(span.label in labels for span in (error.gold, error.predicted) if span)


@pytest.mark.browser
def test_markup_in_a_document_is_shown_as_text(orbat: Orbat, browser: Any, tmp_path: Path) -> None:
    start = NASTY.index("Gen.")
    meta = {"title": NASTY, "source": NASTY}
    for name, label in (("gold", "RANK"), ("pred", "<i>UNIT</i>")):
        write_documents(
            tmp_path / f"{name}.jsonl",
            [Document("x<u>", NASTY, (Span(start, start + 4, label),), meta)],
        )
    outcome = orbat(
        *("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"),
        *("--report", tmp_path / "report.html"),
    )
    assert outcome.code == 0, outcome.err
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.title() == f"{tmp_path / 'pred.jsonl'} on gold.jsonl"
    text = page.locator("ol.errors .text").first.inner_text()
    assert text.replace("RANK / <i>UNIT</i>", "") == NASTY
    assert NASTY in page.locator("table.sortable").inner_text()
    assert page.locator("script").count() == 1
    assert page.locator("u, td b:not(.interval b), ol.errors i").count() == 0
    page.close()


def error_report(orbat: Orbat, folder: Path) -> Path:
    """Write the report of predictions with two missed, one spurious and one label error."""
    base = Document("d0", TEXT, (), {"title": "One", "source": "a"})
    more = Document("d1", TEXT, (), {"title": "Two", "source": "b"})
    ab, cd, ef, gh = (Span(n, n + 2, "UNIT") for n in (0, 6, 12, 18))
    gold = [base.with_spans([ab, cd, ef]), more.with_spans([ab, cd])]
    predicted = [
        base.with_spans([Span(6, 8, "RANK", score=0.4), gh, ef]),
        more.with_spans([Span(0, 2, "UNIT", score=0.9)]),
    ]
    write_documents(folder / "gold.jsonl", gold)
    write_documents(folder / "pred.jsonl", predicted)
    write_documents(folder / "old.jsonl", [base, more])
    write_documents(folder / "ann.jsonl", gold[:1])
    outcome = orbat(
        *("evaluate", "--predictions", folder / "pred.jsonl"),
        *("--predictions", folder / "old.jsonl", folder / "gold.jsonl"),
        *("--annotators", folder / "ann.jsonl", "--report", folder / "report.html"),
    )
    assert outcome.code == 0, outcome.err
    return folder / "report.html"


@pytest.mark.browser
def test_errors_are_filtered_and_browsed_with_the_keyboard(
    orbat: Orbat, browser: Any, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(error_report(orbat, tmp_path).as_uri())
    cards = page.locator("ol.errors li:visible")
    assert cards.count() == 4
    page.select_option("#kind", "missed")
    assert cards.count() == 2
    assert page.locator("#shown").inner_text() == "2"
    page.locator("h1").click()
    focused = "document.activeElement.querySelector('.head span:last-child').textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "One · d0"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "Two · d1"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "Two · d1"
    page.keyboard.press("k")
    assert page.evaluate(focused) == "One · d0"
    page.select_option("#kind", "")
    page.select_option("#label", "UNIT")
    assert cards.count() == 4
    page.select_option("#kind", "label")
    assert cards.count() == 1
    assert "gold UNIT" in cards.first.inner_text()
    assert "model RANK 0.400" in cards.first.inner_text()
    page.close()


@pytest.mark.browser
def test_slices_are_sorted_and_all_sections_exist(
    orbat: Orbat, browser: Any, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(error_report(orbat, tmp_path).as_uri())
    sections = page.locator("h2").evaluate_all("all => all.map((h) => h.id)")
    assert sections == [
        *("scores", "comparison", "human-baseline", "false-alarms", "confusion", "calibration"),
        *("slices", "patterns", "errors"),
    ]
    rows = page.locator("table.sortable tbody tr")
    index = page.locator("table.sortable th").all_inner_texts().index("gold")

    def column() -> list[int]:
        return [int(row.locator("td").nth(index).inner_text()) for row in rows.all()]

    gold = page.locator("table.sortable th button", has_text="gold")
    gold.click()
    assert column() == sorted(column(), reverse=True)
    gold.press("Enter")
    assert column() == sorted(column())
    assert page.locator("table.sortable th[aria-sort=ascending]").inner_text().startswith("gold")
    page.close()


def check_report(page: Any, report: Path) -> None:
    """Open a report; it must load nothing else and raise no error."""
    requests: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(report.as_uri())
    assert requests == [report.as_uri()]
    assert not faults


def check_robustness(robustness: Any, strict: Any) -> None:
    """Check the table: the first version has the scores of the report, others differ from it."""
    written, *others = robustness["versions"]
    assert (written["name"], written["changed"]) == ("as written", 0)
    assert written["f1"] == strict["f1"]
    assert written["difference"] is None
    for version in others:
        assert version["gold"] == strict["gold"]
        assert version["difference"]["f1"] == pytest.approx(version["f1"] - strict["f1"])
    (lower,) = (version for version in others if version["name"] == "lower case")
    assert lower["changed"] == robustness["documents"]


@pytest.mark.browser
@pytest.mark.slow
def test_the_report_of_a_model_in_a_browser(
    orbat: Orbat,
    browser: Any,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    screenshot: Callable[..., None],
) -> None:
    run = request.config.getoption("--run") or request.getfixturevalue("trained").run
    report = tmp_path / "report.html"
    outcome = orbat(
        "evaluate", run, ARTICLES / "test.jsonl", "--robustness", "--report", report, "--json"
    )
    assert outcome.code == 0, outcome.err
    assert "warning" not in outcome.err
    check_robustness(outcome.json()["robustness"], outcome.json()["strict"]["micro"])
    page = browser.new_page(viewport={"width": 1000, "height": 1350})
    check_report(page, report)
    assert page.locator("tbody").first.locator("tr").count() == 6
    assert page.locator("svg").count() == 2
    assert page.locator("#robustness + p + div tbody tr").count() == 7
    screenshot(page, "report")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(color_scheme="dark")
    screenshot(page, "report-phone-dark")
    page.emulate_media(media="print")
    assert not page.locator(".filters").is_visible()
    assert page.locator("ol.errors li").first.is_visible()
    page.close()


@pytest.mark.slow
def test_documents_seen_in_training_are_reported(orbat: Orbat, trained: Trained) -> None:
    outcome = orbat("evaluate", trained.run, trained.dev, "--json")
    assert outcome.code == 0
    assert (
        "warning: 6 of these 6 documents were used for training or model selection" in outcome.err
    )
    assert outcome.json()["seen_in_training"] == 6
