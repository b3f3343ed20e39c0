"""One page for annotators: how to mark, and the keys of the label set."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ..corpus.labels import LabelSet
from ..ui import render_template

GUIDE = Path(__file__).parent / "guide"
PICTURES = ("annotation", "conflict")
"""Names of the pictures; `make screenshots` takes them from the real page."""


def render_guide(labels: LabelSet) -> str:
    """Return the guide as a self-contained HTML page; all text is escaped."""
    pictures: dict[str, Any] = {
        name: "data:image/png;base64,"
        + base64.b64encode((GUIDE / f"{name}.png").read_bytes()).decode()
        for name in PICTURES
    }
    return render_template(GUIDE / "guide.html", labels=labels, **pictures)


def with_keys(labels: LabelSet, guidelines: str) -> str:
    """Return the guidelines, as Markdown, with the keys above them: what annotators see."""
    rows = [
        f"| {label.key or '–'} | {label.name} | {label.description} |" for label in labels.labels
    ]
    table = "\n".join(["| key | label | |", "|---|---|---|", *rows])
    hint = "Enter confirms a text, the arrow keys go on and back."
    return f"{table}\n\n{hint}\n\n{guidelines}".rstrip()
