"""The annotators' guide: one HTML page with instructions and the keys of the label set."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ..corpus.labels import LabelSet
from ..ui import render_template

GUIDE = Path(__file__).parent / "guide"
PICTURES = ("annotation", "conflict")
"""Names of the screenshots, which `make screenshots` takes."""
ANNOTATION_KEYS = (
    "Press Enter to confirm a text, and ? to see all keys; on doccano's own page, the arrow keys "
    "lead to the next text or the previous one."
)


def render_guide(labels: LabelSet) -> str:
    """Return the guide as a self-contained HTML page; all text is escaped."""
    pictures: dict[str, Any] = {
        name: "data:image/png;base64,"
        + base64.b64encode((GUIDE / f"{name}.png").read_bytes()).decode()
        for name in PICTURES
    }
    return render_template(GUIDE / "guide.html", labels=labels, **pictures)


def with_keys(labels: LabelSet, guidelines: str, hint: str = ANNOTATION_KEYS) -> str:
    """Return guidelines with a table of the keys above them, as shown to annotators.

    Args:
        labels: the label set.
        guidelines: Markdown.
        hint: the other keys of the page.

    Returns:
        Markdown.
    """
    rows = [
        f"| {label.key or '–'} | {label.name} | {label.description} |" for label in labels.choices
    ]
    table = "\n".join(["| key | label | |", "|---|---|---|", *rows])
    return f"{table}\n\n{hint}\n\n{guidelines}".rstrip()
