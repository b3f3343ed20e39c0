"""Token patterns in a text, found by regular expressions over the classes of its tokens.

Training and the installed model share this file: a model wheel carries a copy of it.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Close to spaCy's English tokens: dotted abbreviations stay whole, hyphens and 's stand alone.
_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|['’]s\b|[^\W_]+(?:['’](?!s\b)[^\W_]+)*|\S|\n")
_FIRST_CLASS = 0xE000
"""Where classes begin: in Unicode's private area, which no regular expression gives a meaning."""
_BREAK = "\n"
_NOTHING = "\0"
_REMEMBERED = 200_000
"""Distinct tokens whose class is remembered."""
_MAY_LACK = ("?", "*", "{0")
"""How the quantifier of a token begins that need not be there."""
_QUANTIFIER = re.compile(r"[?*+]|\{\d+(,\d*)?\}")


class PatternFinder:
    """Finds token patterns in the form of spaCy's Matcher, of its texts and operators.

    Each token of a pattern asks for a text (`TEXT`, or `LOWER` for its lower case): one text, one
    of a list (`IN`) or a regular expression (`REGEX`); `OP` says how often. Tokens that the same
    questions fit are one class, written as one character; each pattern is a regular expression
    over these. See https://spacy.io/api/matcher.

    Args:
        patterns: objects with `label`, `pattern` and, where the match is longer than the span,
            `trim_start` and `trim_end`, the tokens to cut off.
        classes: :attr:`classes` of a finder of the same patterns, which saves finding them anew.

    Raises:
        ValueError: if a pattern asks for anything else.
    """

    def __init__(
        self, patterns: Iterable[Mapping[str, Any]], classes: Iterable[Sequence[int]] = ()
    ) -> None:
        self._questions: dict[str, int] = {}
        self._texts: dict[str, list[int]] = defaultdict(list)
        self._lower_texts: dict[str, list[int]] = defaultdict(list)
        self._expressions: list[tuple[int, bool, re.Pattern[str]]] = []
        self._plans: list[tuple[str, int, int, list[tuple[int, str]]]] = []
        for entry in patterns:
            steps = []
            for token in entry["pattern"]:
                quantifier = str(token.get("OP", ""))
                if quantifier and not _QUANTIFIER.fullmatch(quantifier):
                    raise ValueError(f"operator {quantifier} is not known")
                steps.append((self._question(token), quantifier))
            trim = int(entry.get("trim_start", 0)), int(entry.get("trim_end", 0))
            self._plans.append((str(entry["label"]), *trim, steps))
        # Threads that tag side by side share what follows.
        self._lock = threading.Lock()
        self._class_of_token: dict[str, str] = {}
        self._class_of_answers = {
            tuple(answers): chr(_FIRST_CLASS + number) for number, answers in enumerate(classes)
        }
        self._compiled: list[tuple[str, int, int, list[str], re.Pattern[str]]] = []
        self._stale = True

    def __bool__(self) -> bool:
        return bool(self._plans)

    @property
    def classes(self) -> list[tuple[int, ...]]:
        """The classes of tokens met so far: the numbers of the questions that fit each."""
        return sorted(self._class_of_answers)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Return start and end in code points and label of every match, overlapping ones too."""
        bounds = [match.span() for match in _TOKEN.finditer(text)]
        known = self._class_of_token
        row = "".join(
            known.get(token) or self._classify(token)
            for token in (text[start:end] for start, end in bounds)
        )
        if self._stale:
            self._compile()
        found = []
        present = set(row)
        for label, trim_start, trim_end, needed, pattern in self._compiled:
            if any(map(present.isdisjoint, needed)):
                continue
            match = pattern.search(row)
            while match is not None:
                first, last = match.start() + trim_start, match.end() - trim_end
                if first < last:
                    found.append((bounds[first][0], bounds[last - 1][1], label))
                match = pattern.search(row, match.start() + 1)
        return found

    def _question(self, token: Mapping[str, Any]) -> int:
        """Return the number of what a token of a pattern asks, the same for the same question."""
        asked = {name: value for name, value in token.items() if name != "OP"}
        key = json.dumps(asked, sort_keys=True)
        if key in self._questions:
            return self._questions[key]
        number = self._questions[key] = len(self._questions)
        if len(asked) != 1 or not set(asked) <= {"TEXT", "ORTH", "LOWER"}:
            names = ", ".join(asked) or "nothing"
            raise ValueError(f"a token must ask for TEXT or LOWER alone, not for {names}")
        ((name, value),) = asked.items()
        if isinstance(value, dict) and set(value) == {"REGEX"}:
            self._expressions.append((number, name == "LOWER", re.compile(value["REGEX"])))
            return number
        texts = value["IN"] if isinstance(value, dict) and set(value) == {"IN"} else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{name} must be a text, IN or REGEX")
        table = self._lower_texts if name == "LOWER" else self._texts
        for text in set(texts):
            table[text].append(number)
        return number

    def _classify(self, token: str) -> str:
        """Return the class of a token, a new one if no token before fitted the same questions."""
        lower = token.lower()
        answers = [*self._texts.get(token, ()), *self._lower_texts.get(lower, ())]
        answers += [
            number
            for number, lowered, expression in self._expressions
            if expression.search(lower if lowered else token)
        ]
        key = tuple(sorted(answers))
        with self._lock:
            if len(self._class_of_token) >= _REMEMBERED:
                self._class_of_token.clear()
            if token == _BREAK:
                self._class_of_token[token] = _BREAK
                return _BREAK
            if key not in self._class_of_answers:
                self._class_of_answers[key] = chr(_FIRST_CLASS + len(self._class_of_answers))
                self._stale = True
            self._class_of_token[token] = self._class_of_answers[key]
            return self._class_of_answers[key]

    def _compile(self) -> None:
        """Write the patterns over the classes that have been seen."""
        with self._lock:
            fitting = [""] * len(self._questions)
            for answers, name in self._class_of_answers.items():
                for question in answers:
                    fitting[question] += name
            known = {pattern.pattern: pattern for *_, pattern in self._compiled}
            compiled = []
            for label, trim_start, trim_end, steps in self._plans:
                # A question that no token has fitted yet is answered by none.
                classes = [fitting[question] or _NOTHING for question, _ in steps]
                quantifiers = [quantifier for _, quantifier in steps]
                row = "".join(
                    f"[{each}]{times}" for each, times in zip(classes, quantifiers, strict=True)
                )
                needed = [
                    each
                    for each, times in zip(classes, quantifiers, strict=True)
                    if not times.startswith(_MAY_LACK)
                ]
                pattern = known.get(row) or re.compile(row)
                compiled.append((label, trim_start, trim_end, needed, pattern))
            self._compiled = compiled
            self._stale = False
