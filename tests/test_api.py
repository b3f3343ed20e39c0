"""The public names of `import orbat`."""

from __future__ import annotations

import ast
import inspect

import pytest

import orbat
from tests.conftest import ROOT
from tests.test_architecture import HEAVY, loaded_by


def typed_imports() -> dict[str, str]:
    """Return the module of each name that type checkers see."""
    module = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in module.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("name", orbat.__all__)
def test_a_public_name_is_documented_and_typed(name: str) -> None:
    value = getattr(orbat, name)
    assert value.__name__ == name
    assert value.__module__ == f"orbat.{typed_imports()[name]}"
    assert inspect.getdoc(value)
    if inspect.isfunction(value):
        parameters = inspect.signature(value)
        assert parameters.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not p.empty for p in parameters.parameters.values())


def test_type_checkers_see_the_same_names() -> None:
    assert typed_imports() == orbat._MODULES
    assert list(orbat._MODULES) == orbat.__all__
    assert set(orbat.__all__) <= set(dir(orbat))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = orbat.nothing


def test_the_import_loads_nothing_heavy() -> None:
    assert not loaded_by("import orbat") & (HEAVY | {"numpy", "pydantic", "httpx", "typer"})
