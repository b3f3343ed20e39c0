"""The lead's page: the overview of a session as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ...evaluation.bootstrap import MIN_DOCUMENTS
from ...evaluation.metrics import ALL_LABELS
from ...ui import UNDEFINED, format_interval, format_value, render_template
from .charts import HEIGHT, LEFT, RIGHT, WIDTH, agreement_chart, curve_chart, progress_chart
from .overview import Overview
from .pace import READING_BOUND

TEMPLATE = Path(__file__).parent / "overview.html"
STYLE = Path(__file__).parent / "page.css"
"""The style that the pages for leads and annotators share."""


def render_overview(overview: Overview, *, reload: int | None = None) -> str:
    """Return the page; all text of others is escaped.

    Args:
        overview: the state of the session.
        reload: seconds after which the page loads itself again; None for a page that stands.
    """
    filters: dict[str, Callable[..., str]] = {
        "value": format_value,
        "whole": _or_undefined(lambda value: f"{value:,.0f}"),
        "hours": _or_undefined(lambda value: f"{value:,.1f}"),
        "money": _or_undefined(lambda value: f"{value:,.2f}"),
        "percent": _or_undefined(lambda value: f"{100 * value:.0f} %"),
        "day": _or_undefined(lambda time: f"{time:%d %b %Y}"),
        "time": _or_undefined(_format_time),
    }
    return render_template(
        TEMPLATE,
        filters,
        style=STYLE.read_text(encoding="utf-8"),
        overview=overview,
        reload=reload,
        interval=format_interval,
        all_labels=ALL_LABELS,
        min_documents=MIN_DOCUMENTS,
        reading_bound=READING_BOUND,
        progress=progress_chart(overview),
        agreement=agreement_chart(overview),
        curve=overview.curve and curve_chart(overview.curve),
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
    )


def _format_time(time: datetime) -> str:
    return f"{time:%d %b %Y, %H:%M} UTC"


def _or_undefined(format_known: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that writes `–` for None."""
    return lambda value: UNDEFINED if value is None else format_known(value)
