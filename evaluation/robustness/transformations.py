"""Transformations of documents that leave their entities as they are: case, wraps, blanks, quotes.

Each one changes the text of a document and moves the spans with it, so that every gold span covers
the same words as before.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping

from ...corpus.document import Document, Span

WRAP_WIDTH = 80
"""Characters of a hard-wrapped line."""

Edit = tuple[int, int, str]
"""Start and end of a part of a text, and the string that takes its place."""
Transformation = Callable[[Document], Document]

_BLANKS = re.compile(r"[ \t]+")
_STRAIGHT = str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''")
_TYPOGRAPHIC = {'"': ("“", "”"), "'": ("‘", "’")}
_OPENS_BEFORE = frozenset("([{<–—-/“‘")


def apply_edits(document: Document, edits: Iterable[Edit]) -> Document:
    """Replace parts of a document's text, and move its spans with the text around them.

    Args:
        document: the document.
        edits: the parts and their replacements, in order and without overlaps. A boundary of a
            span inside a part moves to the same distance from its start, at most to its end.
    """
    pieces: list[str] = []
    anchors = [(0, 0, 0, 0)]
    end = length = 0
    for start, stop, replacement in edits:
        length += start - end
        pieces += (document.text[end:start], replacement)
        anchors.append((start, stop, length, length + len(replacement)))
        end, length = stop, length + len(replacement)
    text = "".join((*pieces, document.text[end:]))
    starts = [start for start, *_ in anchors]

    def moved(offset: int) -> int:
        start, stop, new_start, new_stop = anchors[bisect_right(starts, offset) - 1]
        if offset < stop:
            return min(new_start + offset - start, new_stop)
        return new_stop + offset - stop

    def moved_span(span: Span) -> Span:
        return dataclasses.replace(span, start=moved(span.start), end=moved(span.end))

    return dataclasses.replace(document, text=text, spans=tuple(map(moved_span, document.spans)))


def lower_case(document: Document) -> Document:
    """Write all letters as small ones."""
    return dataclasses.replace(document, text=_recase(document.text, str.lower))


def capitals(document: Document) -> Document:
    """Write all letters as capitals."""
    return dataclasses.replace(document, text=_recase(document.text, str.upper))


def _recase(text: str, recase: Callable[[str], str]) -> str:
    """Change case without changing offsets: letters that become two, such as ß, stay."""
    return "".join(
        changed if len(changed := recase(character)) == 1 else character for character in text
    )


def hard_wrap(document: Document) -> Document:
    """Break long lines at blanks, as a mail program does, so that none exceeds the width.

    Lines of at most :data:`WRAP_WIDTH` characters stay, and so do longer words. The first line
    stays if it is a title: if a blank line follows, and it does not end with a full stop.
    """
    return apply_edits(document, _wrap_edits(document.text))


def _wrap_edits(text: str) -> Iterator[Edit]:
    begin = 0
    for number, line in enumerate(text.split("\n")):
        followed_by_blank = text.startswith("\n", len(line) + 1)
        if number > 0 or not followed_by_blank or line.endswith("."):
            for start, stop in _breaks(line):
                yield begin + start, begin + stop, "\n"
        begin += len(line) + 1


def _breaks(line: str) -> Iterator[tuple[int, int]]:
    """Yield the blanks of a line at which it is broken, as start and end."""
    content = len(line.rstrip())
    blanks = [match.span() for match in _BLANKS.finditer(line) if 0 < match.start() < content]
    begin = 0
    for (start, stop), (following, _) in itertools.pairwise([*blanks, (content, content)]):
        if following - begin > WRAP_WIDTH:
            yield start, stop
            begin = stop


def irregular_blanks(document: Document) -> Document:
    """Write the single blanks in turn as two blanks and as one non-breaking space."""
    written = itertools.cycle(("  ", "\N{NO-BREAK SPACE}"))
    blanks = re.finditer("(?<=[^ \n]) (?=[^ \n])", document.text)
    return apply_edits(document, [(*blank.span(), next(written)) for blank in blanks])


def straight_quotes(document: Document) -> Document:
    """Write quotation marks and apostrophes as the straight ones of a typewriter."""
    return dataclasses.replace(document, text=document.text.translate(_STRAIGHT))


def typographic_quotes(document: Document) -> Document:
    """Write quotation marks and apostrophes as a word processor does.

    A mark at the beginning of the text, or after a space, an opening bracket, a dash or another
    mark that opens, is an opening one, any other a closing one.
    """
    pieces: list[str] = []
    before = " "
    for character in document.text:
        opening, closing = _TYPOGRAPHIC.get(character, (character, character))
        before = opening if before.isspace() or before in _OPENS_BEFORE else closing
        pieces.append(before)
    return dataclasses.replace(document, text="".join(pieces))


TRANSFORMATIONS: Mapping[str, Transformation] = {
    "lower case": lower_case,
    "capitals": capitals,
    "hard-wrapped": hard_wrap,
    "irregular blanks": irregular_blanks,
    "typographic quotes": typographic_quotes,
    "straight quotes": straight_quotes,
}
"""The transformations by name, in the order of the tables."""
