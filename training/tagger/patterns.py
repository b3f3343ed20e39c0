"""Token patterns as in spaCy's Matcher, found by regular expressions over classes of tokens.

A pattern is a list of tokens, each a *predicate* on the text of a token and an optional operator.
Tokens that satisfy the same predicates form a *class*, and each class is written as one character.
So a text becomes a string of classes, and a pattern becomes a regular expression over them: the
pattern `[{"LOWER": "1st"}, {"TEXT": {"REGEX": "^[A-Z]"}, "OP": "+"}]` becomes `[b][ac]+`, if tokens
of class b satisfy the first predicate, and those of classes a and c the second.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

# Close to the tokens of spaCy's English tokenizer: dotted abbreviations are one token, hyphens and
# 's are tokens of their own. A line feed is a token, so that matches can stop at it.
_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|['’]s\b|[^\W_]+(?:['’](?!s\b)[^\W_]+)*|\S|\n")
_FIRST_CLASS = 0xE000
"""Code point of the first class, in Unicode's private use area: no metacharacter of `re`."""
_LINE_BREAK = "\n"
_NO_CLASS = "\0"
"""Member of the character set of a predicate without classes; a set must not be empty."""
_CACHE_SIZE = 200_000
"""Distinct tokens whose class is cached."""
_OPTIONAL = ("?", "*", "{0")
"""The beginnings of operators by which a token may be absent."""
_OPERATOR = re.compile(r"[?*+]|\{\d+(,\d*)?\}")


_CAPITALS = "A-Z"
"""A range in a regular expression that asks for the case of a token, not for a certain text."""


def without_case(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pattern for text in lower case whose original case is unknown.

    The texts of tokens are compared without case. Tokens that are known by their capitals alone
    are not found.

    Args:
        entry: a pattern; see :class:`PatternMatcher`.
    """
    return {**entry, "pattern": [_token_without_case(token) for token in entry["pattern"]]}


def _token_without_case(token: Mapping[str, Any]) -> dict[str, Any]:
    changed = {}
    for name, value in token.items():
        if name not in ("TEXT", "ORTH"):
            changed[name] = value
        elif isinstance(value, str):
            changed["LOWER"] = value.lower()
        elif "IN" in value:
            changed["LOWER"] = {"IN": [text.lower() for text in value["IN"]]}
        elif _CAPITALS in value["REGEX"]:
            changed[name] = value
        else:
            changed["LOWER"] = {"REGEX": f"(?i:{value['REGEX']})"}
    return changed


class _Pattern(NamedTuple):
    """A pattern; `tokens` are pairs of a predicate's number and an operator."""

    label: str
    trim_start: int
    trim_end: int
    tokens: list[tuple[int, str]]


class _ClassPattern(NamedTuple):
    """A pattern over the known classes; a text needs a class of each of `required` to match.

    `source` is its regular expression, which is compiled for the first text that has these classes.
    """

    label: str
    trim_start: int
    trim_end: int
    required: list[str]
    source: str


class PatternMatcher:
    """Finds token patterns in the format of spaCy's Matcher (https://spacy.io/api/matcher).

    Supported are the attributes `TEXT`, `ORTH` and `LOWER` with one text, a list of texts (`IN`) or
    a regular expression (`REGEX`), one attribute a token, and the operators `?`, `*`, `+` and
    `{n,m}`. Threads may share a matcher.

    Args:
        patterns: objects with `label` and `pattern`. `trim_start` and `trim_end`, both optional,
            are the numbers of tokens at either end that are context and not part of the span.
        classes: :attr:`classes` of another matcher of the same patterns, which saves time.

    Raises:
        ValueError: if a pattern uses anything else.
    """

    def __init__(
        self, patterns: Iterable[Mapping[str, Any]], classes: Iterable[Sequence[int]] = ()
    ) -> None:
        self._predicates: dict[str, int] = {}
        self._by_text: dict[str, list[int]] = defaultdict(list)
        self._by_lower_text: dict[str, list[int]] = defaultdict(list)
        self._expressions: list[tuple[int, bool, re.Pattern[str]]] = []
        self._patterns: list[_Pattern] = []
        for entry in patterns:
            tokens = []
            for token in entry["pattern"]:
                operator = str(token.get("OP", ""))
                if operator and not _OPERATOR.fullmatch(operator):
                    raise ValueError(f"operator {operator} is not supported")
                tokens.append((self._number_predicate(token), operator))
            trim = int(entry.get("trim_start", 0)), int(entry.get("trim_end", 0))
            self._patterns.append(_Pattern(str(entry["label"]), *trim, tokens))
        # Threads share the attributes below, and write to them under the lock.
        self._lock = threading.Lock()
        self._class_by_token: dict[str, str] = {}
        self._class_by_predicates = {
            tuple(predicates): chr(_FIRST_CLASS + number)
            for number, predicates in enumerate(classes)
        }
        self._class_patterns: list[_ClassPattern] = []
        self._compiled: dict[str, re.Pattern[str]] = {}
        self._stale = True

    def __bool__(self) -> bool:
        return bool(self._patterns)

    @property
    def classes(self) -> list[tuple[int, ...]]:
        """The classes of the tokens seen so far: each by the numbers of its predicates."""
        return sorted(self._class_by_predicates)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Return start and end in code points and label of every match, also of overlapping ones.

        A pattern has at most one match from each token on, the one that `re` finds.
        """
        bounds = [match.span() for match in _TOKEN.finditer(text)]
        known = self._class_by_token
        classes = "".join(
            known.get(token) or self._classify(token)
            for token in (text[start:end] for start, end in bounds)
        )
        if self._stale:
            self._write_class_patterns()
        spans = []
        present = set(classes)
        compiled = self._compiled
        for label, trim_start, trim_end, required, source in self._class_patterns:
            if any(map(present.isdisjoint, required)):
                continue
            expression = compiled.get(source)
            if expression is None:
                expression = compiled[source] = re.compile(source)
            match = expression.search(classes)
            while match is not None:
                first, last = match.start() + trim_start, match.end() - trim_end
                if first < last:
                    spans.append((bounds[first][0], bounds[last - 1][1], label))
                match = expression.search(classes, match.start() + 1)
        return spans

    def _number_predicate(self, token: Mapping[str, Any]) -> int:
        """Return the number of the predicate of a pattern's token; equal predicates share it.

        Raises:
            ValueError: if the predicate is not supported.
        """
        predicate = {name: value for name, value in token.items() if name != "OP"}
        key = json.dumps(predicate, sort_keys=True)
        if key in self._predicates:
            return self._predicates[key]
        number = self._predicates[key] = len(self._predicates)
        if len(predicate) != 1 or not set(predicate) <= {"TEXT", "ORTH", "LOWER"}:
            names = ", ".join(predicate) or "none"
            raise ValueError(f"a token must have one attribute, TEXT or LOWER, not {names}")
        ((name, value),) = predicate.items()
        if isinstance(value, dict) and set(value) == {"REGEX"}:
            self._expressions.append((number, name == "LOWER", re.compile(value["REGEX"])))
            return number
        texts = value["IN"] if isinstance(value, dict) and set(value) == {"IN"} else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{name} must be a text, IN or REGEX")
        table = self._by_lower_text if name == "LOWER" else self._by_text
        for text in set(texts):
            table[text].append(number)
        return number

    def _classify(self, token: str) -> str:
        """Return the class of a token.

        A token that satisfies a new combination of predicates gets a new class. The patterns are
        then marked as stale and must be written again.
        """
        lower = token.lower()
        predicates = [*self._by_text.get(token, ()), *self._by_lower_text.get(lower, ())]
        predicates += [
            number
            for number, lowered, expression in self._expressions
            if expression.search(lower if lowered else token)
        ]
        key = tuple(sorted(predicates))
        with self._lock:
            if len(self._class_by_token) >= _CACHE_SIZE:
                self._class_by_token.clear()
            if token == _LINE_BREAK:
                self._class_by_token[token] = _LINE_BREAK
                return _LINE_BREAK
            if key not in self._class_by_predicates:
                self._class_by_predicates[key] = chr(_FIRST_CLASS + len(self._class_by_predicates))
                self._stale = True
            self._class_by_token[token] = self._class_by_predicates[key]
            return self._class_by_predicates[key]

    def _write_class_patterns(self) -> None:
        """Write the patterns over the classes seen so far."""
        with self._lock:
            classes_by_predicate = [""] * len(self._predicates)
            for predicates, name in self._class_by_predicates.items():
                for predicate in predicates:
                    classes_by_predicate[predicate] += name
            patterns = []
            for label, trim_start, trim_end, tokens in self._patterns:
                steps = [
                    (classes_by_predicate[predicate] or _NO_CLASS, operator)
                    for predicate, operator in tokens
                ]
                source = "".join(f"[{classes}]{operator}" for classes, operator in steps)
                required = [
                    classes for classes, operator in steps if not operator.startswith(_OPTIONAL)
                ]
                patterns.append(_ClassPattern(label, trim_start, trim_end, required, source))
            sources = {pattern.source for pattern in patterns}
            self._compiled = {
                source: expression
                for source, expression in list(self._compiled.items())
                if source in sources
            }
            self._class_patterns = patterns
            self._stale = False
