"""Parsing names of units and grades: comparable words, parts of a name, and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?:[^\W\d_]\.){2,}|\d+(?:\.\d+)+|\d+(?:st|nd|rd|th|d)?(?![^\W_])|\d+|[^\W\d_]+"
)
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|d)?")
_ROMAN = re.compile(r"(?=[IVXL])(XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50}
_ORDINAL_WORDS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_CARDINAL_WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_NUMBER_WORDS = {
    word: str(number)
    for words in (_ORDINAL_WORDS, _CARDINAL_WORDS)
    for number, word in enumerate(words, start=1)
}
_BRACKETS = re.compile(r"\([^()]*\)")
_PART_BORDER = re.compile(
    r"(?:(?<!\s)\s+)?[,;/]\s*(?:of\s+)?(?:the\s+)?|(?<!\s)\s+(?:of\s+(?:the\s+)?|[-–—]\s+)"
)
_JOINT = re.compile(r"\s*(?:,\s*(?:and\s*)?|(?:&|to|and)\s*)")


class Token(NamedTuple):
    """A word of a name.

    Attributes:
        start: first code point.
        end: code point after the last.
        key: the word in lower case, or its number in digits.
        is_number: whether it is a number.
    """

    start: int
    end: int
    key: str
    is_number: bool


@lru_cache(maxsize=4096)
def read_number(word: str) -> str | None:
    """Return a number in digits: of "82nd", "Fifth", "VII", "617"; None for other words.

    Roman numerals must be in capitals; a single L is a letter.
    """
    if match := _ORDINAL.fullmatch(word):
        return str(int(match[1]))
    if word[0].isdigit() and "." in word:
        return word
    if word != "L" and _ROMAN.fullmatch(word):
        digits = [_ROMAN_DIGITS[letter] for letter in word]
        # A digit before a larger one is subtracted.
        pairs = zip(digits, [*digits[1:], 0], strict=True)
        return str(sum(-digit if digit < following else digit for digit, following in pairs))
    return _NUMBER_WORDS.get(word.lower())


def tokens(text: str, spellings: Mapping[str, str]) -> list[Token]:
    """Return the words of a text, with comparable spellings."""
    result = []
    for match in _TOKEN.finditer(text):
        word = match[0]
        number = read_number(word)
        key = number if number is not None else word.replace(".", "").lower()
        key = spellings.get(key, key)
        result.append(Token(match.start(), match.end(), key, number is not None))
    return result


def name_key(text: str, spellings: Mapping[str, str]) -> tuple[str, ...]:
    """Return what names are compared by: words without articles, "No.", dots, hyphens and case."""
    keys = [token.key for token in tokens(text, spellings)]
    return tuple(key for key in keys if key not in ("the", "no", "nr"))


def name_parts(text: str, heads: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return start and end of the parts of a name: "2nd Battalion" and "506th Infantry Regiment".

    Args:
        text: the name.
        heads: start and end of its head nouns, in order. A number after a head noun that has a
            number already begins another part ("1st Battalion 22nd Infantry").
    """
    borders = [(m.start(), m.end()) for m in _PART_BORDER.finditer(text)]
    borders += list(_borders_before_numbers(text, heads))
    parts, start = [], 0
    for left, right in sorted(borders):
        if left > start:
            # "14, 22 and 34 Brigades" is one part.
            if all(token.is_number for token in tokens(text[start:left], {})):
                continue
            parts.append((start, left))
        start = max(start, right)
    if start < len(text):
        parts.append((start, len(text)))
    return parts


def _borders_before_numbers(
    text: str, heads: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    found = tokens(text, {})
    for _, end in heads:
        has_number = any(token.is_number and token.end < end for token in found)
        following = [token for token in found if token.start >= end]
        if has_number and following and following[0].is_number:
            yield following[0].start, following[0].start


def part_numbers(text: str, heads: Iterable[tuple[int, int]] = ()) -> tuple[str, ...]:
    """Return the numbers of a part of a name: the first one, and those that "and" joins to it.

    Args:
        text: the part.
        heads: start and end of its head nouns. A word such as "one" is a number only behind a head
            noun: in "Squadron One", but not in "Big Red One".
    """
    clean = _BRACKETS.sub(lambda match: " " * len(match[0]), text)
    first_head = min((end for _, end in heads), default=len(text))
    found = [
        token._replace(is_number=token.is_number and _counts(clean, token, first_head))
        for token in tokens(clean, {})
    ]
    numbers: list[str] = []
    end = 0
    for token in (token for token in found if token.is_number):
        if numbers and not _JOINT.fullmatch(clean[end : token.start]):
            break
        numbers.append(token.key)
        end = token.end
    return tuple(numbers)


def _counts(text: str, token: Token, first_head: int) -> bool:
    """Return whether a number belongs to a designation; not that of "G5", nor a word like "one"."""
    before = text[max(token.start - 2, 0) : token.start]
    after_letter = before[-1:].isalpha() and not before[:-1].isalpha()
    is_cardinal = text[token.start : token.end].lower() in _CARDINAL_WORDS
    return not after_letter and (not is_cardinal or token.start >= first_head)
