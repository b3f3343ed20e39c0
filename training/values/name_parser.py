"""What the words of a mention say: echelon, number, service, level, a name without head words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from .designation import name_key, name_parts, part_numbers, tokens
from .tables import LabelValues, Word

_EDITION = re.compile(
    r"(?<![\s-])[\s-]+(['’]?\d{2}(?:-\d{1,2})?|(?:19|20)\d{2}(?:-\d{1,2})?|[IVX]{1,4})$"
)
CACHED_NAMES = 4096
"""Names of each label whose look-up is remembered."""


class _WordTable(NamedTuple):
    """The words of a field.

    Attributes:
        rows: row in the file and word, by comparable words.
        longest: the largest number of words in a phrase.
    """

    rows: dict[tuple[str, ...], tuple[int, Word]]
    longest: int


class NameParser:
    """Reads the words of a label's mentions.

    Args:
        table: the label's table.
        spellings: words that are compared as other words.
    """

    def __init__(self, table: LabelValues, spellings: Mapping[str, str]) -> None:
        self.table = table
        self._spellings = spellings
        self._generic = {spellings.get(word, word) for word in table.generic}
        self._words: list[_WordTable] = []
        for field in dict.fromkeys(word.field for word in table.words):
            rows = enumerate(table.words)
            mine = {
                name_key(word.phrase, spellings): (row, word)
                for row, word in rows
                if word.field == field
            }
            self._words.append(_WordTable(mine, max(map(len, mine))))
        # Names repeat, within a document and between documents.
        self.parse = lru_cache(CACHED_NAMES)(self._parse)

    def is_generic(self, name: str) -> bool:
        """Return whether a name has only generic words and numbers, so that many forces use it."""
        if not self._generic:
            return False
        found = tokens(name, self._spellings)
        return all(token.is_number or token.key in self._generic for token in found)

    def _parse(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the values that the words of a mention say."""
        table = self.table
        values: dict[str, tuple[str, ...]] = {}
        found = [item for words in self._words for item in self._find_words(name, words)]
        heads = [(start, end) for start, end, word, _ in found if word.field in table.last]
        parts = name_parts(name, heads) or [(0, len(name))]
        for field in {word.field for _, _, word, _ in found}:
            mine = [(row, s, e, word) for s, e, word, row in found if word.field == field]
            if field in table.last:
                part = next(p for p in parts if any(p[0] <= s < p[1] for _, s, _, _ in mine))
                inside = [item for item in mine if part[0] <= item[1] < part[1]]
                values[field] = (inside[-1][3].value,)
            else:
                values[field] = (min(mine)[3].value,)
        if table.number:
            part = next((p for p in parts if any(p[0] <= s < p[1] for s, _ in heads)), parts[0])
            nouns = [(s - part[0], e - part[0]) for s, e in heads if part[0] <= s < part[1]]
            numbers = part_numbers(name[part[0] : part[1]], nouns)
            if numbers:
                values[table.number] = numbers
        if table.head:
            self._strip_head(name, values)
        return values

    def _find_words(self, name: str, words: _WordTable) -> list[tuple[int, int, Word, int]]:
        """Return start, end, word and row of the words of a field in a name; the longest ones."""
        found = tokens(name, self._spellings)
        result, index = [], 0
        while index < len(found):
            step = 1
            for length in range(min(words.longest, len(found) - index), 0, -1):
                hit = words.rows.get(tuple(t.key for t in found[index : index + length]))
                if hit is not None:
                    start, end = found[index].start, found[index + length - 1].end
                    result.append((start, end, hit[1], hit[0]))
                    step = length
                    break
            index += step
        return result

    def _strip_head(self, name: str, values: dict[str, tuple[str, ...]]) -> None:
        """Set the fields of a name without head words, and of its year or number."""
        table = self.table
        words = "|".join(map(re.escape, sorted(table.head_words, key=len, reverse=True)))
        rest = name
        if table.edition and (match := _EDITION.search(rest)):
            values[table.edition] = (match[1].lstrip("'’"),)
            rest = rest[: match.start()]
        if words:
            border = rf"^(?:{words})\.?:?\s+(?=\S)|(?<!\s)\s+(?:{words})$"
            rest = re.sub(border, "", rest, flags=re.IGNORECASE)
        if table.head is not None:
            values[table.head] = (rest.strip("\"“”'‘’ "),)
