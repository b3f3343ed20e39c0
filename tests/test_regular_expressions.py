"""Every regular expression of the package takes linear time, whatever text it meets."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backtracking import Steps, growth
from tests.conftest import ROOT

HOW = {"orbat.annotation.formats.tokens.tags": "fullmatch"}
"""How the patterns of a module are used that are attributes of objects."""
BOUNDED = {
    ("orbat.corpus.ingestion.charsets.declaration", "_ATTRIBUTE"): (
        "the attributes of a tag end where none matches; the next ones are those of another tag"
    ),
    ("orbat.corpus.ingestion.records.csv_files", "_QUOTED"): (
        "a quotation at the beginning of a cell ends in it or in the next cell that begins with one"
    ),
}
"""Patterns that grow faster if each position of a text is tried, and why it is not."""
_ANCHORED = ("match", "fullmatch")
_FUNCTIONS = (*_ANCHORED, "search", "sub", "subn", "split", "findall", "finditer")

FROM_FILES = {
    ("orbat.training.tagger.patterns", "source"),
    ("orbat.training.tagger.patterns", "value['REGEX']"),
}
"""Patterns that the user's own gazetteer holds, and those made of it."""


class Use(NamedTuple):
    """A pattern, its name or line, and how it is used."""

    module: str
    name: str
    pattern: re.Pattern[Any]
    how: str


class _Placeholders(dict[str, Any]):
    """Stands for the local names in a pattern that is put together when it is used."""

    def __init__(self, module: dict[str, Any]) -> None:
        self._module = module

    def __missing__(self, name: str) -> Any:
        if name in self._module or hasattr(builtins, name):
            raise KeyError(name)
        return "x"


def find_uses() -> list[Use]:
    """Return all uses of `re` in the package."""
    return [use for name, tree in _modules() for use in _uses_in(name, tree)]


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in ("tests", "build", ".venv") and "benchmarks" not in parts:
            text = path.read_text(encoding="utf-8")
            if re.search(r"^import re$", text, re.M):
                yield ".".join(("orbat", *parts)), ast.parse(text)


def _uses_in(name: str, tree: ast.Module) -> Iterator[Use]:
    module = vars(importlib.import_module(name))
    for node in ast.walk(tree):
        function = _function_of(node)
        if not isinstance(node, ast.Call) or function not in (*_FUNCTIONS, "compile"):
            continue
        if (name, ast.unparse(node.args[0])) in FROM_FILES:
            continue
        source = _source_of(node.args[0], tree)
        arguments = (*node.args[1:], *(keyword.value for keyword in node.keywords))
        flags = [_evaluate(argument, module) for argument in arguments if _is_flag(argument)]
        pattern = re.compile(_evaluate(source, module), sum(flags))
        if function == "compile":
            names = _names_of(tree, node)
            how = HOW.get(name) or _how(tree, names)
            yield Use(name, next(iter(names), str(node.lineno)), pattern, how)
        else:
            how = function if function in _ANCHORED else "search"
            yield Use(name, str(node.lineno), pattern, how)


def _function_of(node: ast.AST) -> str:
    """Return NAME if the node is a call of `re.NAME`, else an empty string."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return ""
    return node.func.attr if ast.unparse(node.func.value) == "re" else ""


def _source_of(node: ast.expr, tree: ast.Module) -> ast.expr:
    """Return the expression of a pattern, which may have a local name."""
    if not isinstance(node, ast.Name):
        return node
    return next(
        other.value
        for other in ast.walk(tree)
        if isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == node.id
    )


def _is_flag(node: ast.expr) -> bool:
    return bool(re.fullmatch(r"(re\.[A-Z]+( \| )?)+", ast.unparse(node)))


def _evaluate(node: ast.expr, module: dict[str, Any]) -> Any:
    """Return the value of an expression, with an "x" for each local name."""
    try:
        return eval(compile(ast.Expression(node), "pattern", "eval"), module, _Placeholders(module))
    except TypeError:  # Bytes and a local name.
        constants = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
        return next(constants) + b"x"


def _names_of(tree: ast.Module, call: ast.Call) -> set[str]:
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value is call
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _how(tree: ast.Module, names: set[str]) -> str:
    """Return how compiled patterns are used: `search` unless they are matched at the start only.

    Matches at given positions happen at many of them, as in a search.
    """
    uses = [
        (node.func.attr, len(node.args))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for part in ast.walk(node.func.value)
        if isinstance(part, ast.Name) and part.id in names
    ]
    if not uses or any(name not in _ANCHORED or arguments > 1 for name, arguments in uses):
        return "search"
    return "match" if any(name == "match" for name, _ in uses) else "fullmatch"


@pytest.fixture(scope="module")
def uses() -> list[Use]:
    return find_uses()


@pytest.fixture(autouse=True)
def deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(limit)


def test_no_pattern_of_the_package_takes_more_than_linear_time(uses: list[Use]) -> None:
    names = {use.name for use in uses}
    assert {"_FEED_START", "_TAG", "_QUOTED", "_PART_BORDER", "_STRING_OR_BRACKET"} <= names
    faults = {
        (use.module, use.name): f"{use.pattern.pattern!r}: {fault}"
        for use in uses
        if (fault := growth(use.pattern, use.how))
    }
    assert {place: fault for place, fault in faults.items() if place not in BOUNDED} == {}
    assert faults.keys() == BOUNDED.keys()


def test_no_pattern_of_the_shipped_gazetteer_takes_more_than_linear_time() -> None:
    sources = {
        value["REGEX"]
        for path in (ROOT / "corpus" / "label_set" / "gazetteer").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        for token in json.loads(line).get("pattern", ())
        for value in token.values()
        if isinstance(value, dict) and "REGEX" in value
    }
    assert len(sources) > 20
    assert {source: growth(re.compile(source), "search") for source in sources} == (
        dict.fromkeys(sources, "")
    )


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        (r"(a+)+$", "match"),
        (r"(?:<!--.*?-->\s*)*<html", "match"),
        (rb"\s*(?:\s*<!--[^>]*-->)*\s*<", "match"),
        (r"(\w+\s?)*:", "match"),
        (r"(x|xx)*y", "fullmatch"),
        (r"\s+$", "search"),
        (r"<[^>]*>", "search"),
        (r"/\*.*?\*/", "search"),
        (r"\s*,?\s*and", "fullmatch"),
        (r"[ \t]*[ ]*x", "match"),
        (r"(?i:by).*by.*!", "match"),
        (r"\S+@\S+", "search"),
        (r"(?:a|b|ab)*c", "match"),
    ],
)
def test_growth_is_found(pattern: str | bytes, how: str) -> None:
    assert growth(re.compile(pattern, re.S), how)


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        (r"(a+)+", "match"),
        (r"(?>a+)+$", "match"),
        (r"(?:<!--.*?-->\s*)*+<html", "match"),
        (r"(?<!\s)\s+$", "search"),
        (r"<[^<>]*>", "search"),
        (r'"(?:[^"\\]|\\.)*"', "match"),
        (r"\w+(?:-\w+)*", "search"),
        (r"a{2,30}b", "search"),
        (r"\bthe\b|^x|y$", "search"),
    ],
)
def test_linear_patterns_pass(pattern: str, how: str) -> None:
    assert not growth(re.compile(pattern), how)


@given(st.data())
def test_the_counting_matcher_finds_what_re_finds(uses: list[Use], data: st.DataObject) -> None:
    use = data.draw(st.sampled_from(uses))
    characters = sorted(set("aA1 \n\t_-.<>\"'\\/é") | set(str(use.pattern.pattern)))
    text = data.draw(st.text(alphabet=characters, max_size=20))
    steps = Steps(use.pattern)
    steps.run(text, use.how)
    target = text.encode("latin-1", "replace") if isinstance(use.pattern.pattern, bytes) else text
    if use.how == "search":
        # After an empty match, `re` seeks another one at the same position.
        found = [match.span() for match in use.pattern.finditer(target)]
        found = [span for span in found if span[0] < span[1]]
        assert [span for span in steps.matches if span[0] < span[1]] == found
    else:
        match = getattr(use.pattern, use.how)(target)
        assert steps.matches == ([match.span()] if match else [])
