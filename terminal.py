"""The one way to the terminal: foreign text cannot control it, and every terminal can show it.

Ids, titles, comments, names and file names come from others. They may contain escape sequences,
which move the cursor, hide lines or rename the window, and the square brackets of rich's markup.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .corpus.json_values import without_nan

if TYPE_CHECKING:
    from rich.text import Text

_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters except tab and line feed, those that change the direction of text, and halves
of surrogate pairs."""


def make_visible(text: object) -> str:
    r"""Return a text with its control characters written as escapes, such as `\x1b`."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], str(text))


def echo(text: object, *, err: bool = False) -> None:
    """Print a text and a line feed, to standard output or standard error."""
    print(make_visible(text), file=sys.stderr if err else sys.stdout, flush=True)


def echo_warnings(lines: Iterable[object]) -> None:
    """Print each line as a warning, to standard error."""
    for line in lines:
        echo(f"warning: {line}", err=True)


def echo_json(value: Any) -> None:
    """Print a value as one line of JSON in ASCII.

    What JSON does not know becomes a string; NaN and infinite numbers become null.
    """
    print(json.dumps(without_nan(value), default=str, allow_nan=False), flush=True)


def to_text(value: object, style: str = "") -> Text:
    """Return a text for a table of rich, in which square brackets are no markup."""
    from rich.text import Text

    return Text(make_visible(value), style=style)


def allow_all_characters() -> None:
    """Let the standard streams write escapes for what the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
