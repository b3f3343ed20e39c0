"""Schemes of tags that mark spans of words, found from the tags themselves.

IOB1, IOB2 (BIO), IOE, BILOU, BIOES and BMEWO differ in which tags they use, so that one rule reads
them all: https://en.wikipedia.org/wiki/Inside-outside-beginning_(tagging).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ....errors import InputError
from ..imported import ImportedSpan

OUTSIDE = "O"
_PREFIXES = "BILUESMW"
_BEGINS, _ENDS = frozenset("BUSW"), frozenset("LUESW")
_BRACKETS = re.compile(r"(?:\(([^*()]+))?\*?(\))?")


class Token(NamedTuple):
    """A word or punctuation mark of a text, with its tag."""

    start: int
    text: str
    tag: str

    @property
    def end(self) -> int:
        """The offset after the token."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class TagStyle:
    """How a file writes tags.

    Attributes:
        name: an example, such as `B-PER`.
        pattern: matches a tag, with the groups `label` and `prefix`; tags without a prefix are
            those of the IO scheme, in which neighbors of a label are one span.
        outside: the tags of words in no span.
        brackets: whether a span is written as `(PER*`, `*`, `*)` or `(PER)`, as in CoNLL-2012.
    """

    name: str
    pattern: re.Pattern[str]
    outside: frozenset[str] = frozenset({OUTSIDE})
    brackets: bool = False
    _parsed: dict[str, tuple[str, str] | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def parse(self, tag: str) -> tuple[str, str] | None:
        """Return the prefix, in upper case, and the label of a tag; None for a word in no span.

        Raises:
            ValueError: for a tag of another style.
        """
        if tag not in self._parsed:
            self._parsed[tag] = self._parse(tag)
        return self._parsed[tag]

    def _parse(self, tag: str) -> tuple[str, str] | None:
        if tag in self.outside:
            return None
        match = self.pattern.fullmatch(tag)
        if match is None:
            raise ValueError(f"unknown tag '{tag[:40]}'; expected tags such as O and {self.name}")
        fields = match.groupdict()
        return fields.get("prefix", "I").upper(), fields["label"]

    def knows(self, tag: str) -> bool:
        """Return whether a tag is of this style."""
        try:
            self.parse(tag)
        except ValueError:
            return False
        return True


STANDARD = TagStyle("B-PER", re.compile(rf"(?P<prefix>[{_PREFIXES}])-(?P<label>\S.*)"))
_PREFIXED = (
    STANDARD,
    TagStyle("B_PER", re.compile(rf"(?P<prefix>[{_PREFIXES}])[_:](?P<label>\S.*)")),
    TagStyle("b-per", re.compile(rf"(?P<prefix>[{_PREFIXES.lower()}])[-_:](?P<label>\S.*)")),
    TagStyle("PER-B", re.compile(rf"(?P<label>\S.*)[-_](?P<prefix>[{_PREFIXES}])")),
)
_WITHOUT_PREFIX = TagStyle("PER", re.compile(r"(?P<label>[^\W\d_][\w./&+-]*)"))
BRACKETS = TagStyle("(PER*", STANDARD.pattern, brackets=True)
_OTHER_OUTSIDE = ("-", "_", "0", "")
"""Tags of words in no span in files that have no `O`."""
_MAX_LABELS = 200
"""A column with more values without prefix holds words rather than labels."""


def find_style(counts: Mapping[str, int], *, is_chosen: bool = False) -> TagStyle | None:
    """Return the style of a column of tags; None if the column is surely none.

    Args:
        counts: how often each value occurs.
        is_chosen: the user says that the values are tags. Otherwise, labels without a prefix have
            to be rarer than `O`, and repeated or in capitals.
    """
    has_o = OUTSIDE in counts or "o" in counts
    others = [tag for tag in _OTHER_OUTSIDE if tag in counts]
    if has_o:
        # Some words of a file may have no annotation at all, which is written `_`.
        outside = frozenset({OUTSIDE, "o", "_"})
    else:
        outside = frozenset(others if len(others) == 1 else {OUTSIDE})
    tags = {value: count for value, count in counts.items() if value not in outside}
    if not tags:
        return replace(STANDARD, outside=outside) if has_o else None
    for style in _PREFIXED:
        # Without words in no span, values such as `S_1` may be anything.
        is_sure = style is STANDARD or has_o or others
        if is_sure and all(map(style.pattern.fullmatch, tags)):
            return replace(style, outside=outside)
    # Identifiers of entities have brackets too, but no stars.
    is_bracketed = any("*" in tag for tag in tags) and any("(" in tag for tag in tags)
    if is_bracketed and all(map(_BRACKETS.fullmatch, counts)):
        return BRACKETS
    count_outside = sum(counts.values()) - sum(tags.values())
    are_names = all(map(_WITHOUT_PREFIX.pattern.fullmatch, tags))
    if has_o and are_names and not any(map(STANDARD.knows, tags)):
        if is_chosen or _are_surely_labels(tags, count_outside):
            return replace(_WITHOUT_PREFIX, outside=outside)
        return None
    known = count_outside + sum(tags[tag] for tag in tags if STANDARD.knows(tag))
    # One wrong tag among others is an error of the file, which its reader names.
    if has_o and any(map(STANDARD.knows, tags)) and 2 * known > sum(counts.values()):
        return replace(STANDARD, outside=outside)
    return None


def _are_surely_labels(tags: Mapping[str, int], count_outside: int) -> bool:
    """Return whether values without prefix are labels, and not words or lemmas."""
    is_repeated = sum(tags.values()) >= 2 * len(tags) or all(map(str.isupper, tags))
    return is_repeated and len(tags) <= _MAX_LABELS and max(tags.values()) <= count_outside


def read_spans(
    tokens: Sequence[Token], where: Sequence[str], style: TagStyle = STANDARD
) -> Iterator[ImportedSpan]:
    """Decode the tags of a sentence to spans.

    Args:
        tokens: of one sentence. A token may have the offsets of the one before.
        where: each token's position in its file, for messages.
        style: how the tags are written.

    Raises:
        InputError: for a tag of another style.
    """
    first: Token | None = None
    opened, end, label = "", 0, ""
    parsed_tags = _parse_tags(tokens, where, style)
    for token, position, parsed in zip(tokens, where, parsed_tags, strict=True):
        prefix, token_label = parsed or ("", "")
        if first is not None and (parsed is None or prefix in _BEGINS or token_label != label):
            yield ImportedSpan(first.start, end, label, where=opened)
            first = None
        if parsed is None:
            continue
        if first is None:
            first, opened = token, position
        end, label = token.end, token_label
        if prefix in _ENDS:
            yield ImportedSpan(first.start, end, label, where=opened)
            first = None
    if first is not None:
        yield ImportedSpan(first.start, end, label, where=opened)


def _parse_tags(
    tokens: Iterable[Token], where: Iterable[str], style: TagStyle
) -> Iterator[tuple[str, str] | None]:
    opened: str | None = None
    for token, position in zip(tokens, where, strict=True):
        if not style.brackets:
            try:
                yield style.parse(token.tag)
            except ValueError as error:
                # A first line may be a header with names of columns that are not usual.
                fix = "; remove the line if it names the columns" if position.endswith(":1") else ""
                raise InputError(f"{position}: {error}{fix}") from error
            continue
        match = _BRACKETS.fullmatch(token.tag)
        if match is None or (match[1] and opened) or (match[2] and not (match[1] or opened)):
            raise InputError(
                f"{position}: cannot read the brackets '{token.tag[:40]}'; spans must not be nested"
            )
        label = match[1] or opened
        begin, is_last = match[1] is not None, match[2] is not None
        opened = None if is_last else label
        if label is None:
            yield None
        else:
            yield "U" if begin and is_last else "B" if begin else "L" if is_last else "I", label
