"""One page for annotators: how to mark, and the keys of the label set."""

from __future__ import annotations

import base64
from pathlib import Path

from annotation.labels import LabelSet

GUIDE = Path(__file__).parent / "guide"
PICTURES = ("annotation", "conflict")
"""Names of the pictures; `make screenshots` takes them from the real page."""


def render_guide(labels: LabelSet) -> str:
    """Return the guide as a self-contained HTML page; all text is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pictures = {
        name: "data:image/png;base64,"
        + base64.b64encode((GUIDE / f"{name}.png").read_bytes()).decode()
        for name in PICTURES
    }
    template = environment.from_string((GUIDE / "guide.html").read_text(encoding="utf-8"))
    return template.render(labels=labels, **pictures)


def with_keys(labels: LabelSet, guidelines: str) -> str:
    """Return the guidelines, as Markdown, with the keys above them: what annotators see."""
    rows = [
        f"| {label.key or '–'} | {label.name} | {label.description} |" for label in labels.labels
    ]
    table = "\n".join(["| key | label | |", "|---|---|---|", *rows])
    hint = "Enter confirms a text, the arrow keys go on and back."
    return f"{table}\n\n{hint}\n\n{guidelines}".rstrip()
