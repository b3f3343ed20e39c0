"""Self-contained HTML pages from templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def render_template(
    path: Path, filters: Mapping[str, Callable[..., str]] | None = None, **values: Any
) -> str:
    """Return a Jinja template filled in; all text is escaped, and no name may be left open.

    Args:
        path: the template.
        filters: its own filters by name.
        values: what it names.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters or {})
    return environment.from_string(path.read_text(encoding="utf-8")).render(**values)
