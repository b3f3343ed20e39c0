"""Foreign text on the terminal: no markup, no escape sequences, and every encoding."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.terminal import echo, echo_json, make_visible
from orbat.ui import DataTable, print_tables
from tests.conftest import ROOT, Orbat
from tests.test_architecture import module_files

HOSTILE = "[/bold] [red]x[/red] \x1b[2J\x1b]0;owned\x07 \x9b31m \r\u202e [/]"
TEXT = "The 4th Brigade took the port on Monday after a long march, said Gen. Doe of the staff."
PRINTERS = {
    *("terminal", "ui", "cli", "cli_reference", "demo", "__main__"),
    *("models.wheel_main", "annotation.transfer.doccano_tables"),
}
"""Modules that may print. The last two run where there is no `terminal`: in an installed wheel, and
in doccano's environment, whose output orbat reads."""


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=20))
def test_no_character_that_controls_a_terminal_is_left(text: str) -> None:
    visible = make_visible(text)
    assert all(
        character in "\t\n" or character.isprintable() or ord(character) >= 0xA0
        for character in visible
    )
    assert not set(visible) & set("\x1b\x9b\r\u202e\u2066")
    visible.encode()
    if text.isalnum():
        assert visible == text


def test_printed_lines_show_escape_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"comment: {HOSTILE}", err=True)
    assert capsys.readouterr().err == (
        "comment: [/bold] [red]x[/red] \\x1b[2J\\x1b]0;owned\\x07 \\x9b31m \\r\\u202e [/]\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_tables_show_brackets_and_escape_sequences(encoding: str) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding, errors="backslashreplace")
    console = Console(file=file, width=200, force_terminal=True, color_system=None)
    table = DataTable(HOSTILE, (HOSTILE, "[b]"), ((HOSTILE, 1), ("[é]", None)), note=HOSTILE)
    print_tables([table], console)
    file.seek(0)
    shown = file.read()
    assert shown.count(make_visible(HOSTILE)) == 4
    assert "[/bold] [red]x[/red] \\x1b[2J" in shown
    assert "[b]" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b"}


def write_hostile(folder: Path) -> tuple[Path, Path]:
    """Write two splits with the same article under hostile ids."""
    paths = folder / "a.jsonl", folder / "b [x].jsonl"
    for path in paths:
        write_documents(path, [Document(f"{HOSTILE} é {path.stem[0]}", TEXT * 3, (), {})])
    return paths


def test_commands_print_ids_as_they_are(orbat: Orbat, tmp_path: Path) -> None:
    first, second = write_hostile(tmp_path)
    outcome = orbat("corpus", "check", first, second)
    assert outcome.code == 1, outcome
    assert "[/bold] [red]x[/red] \\x1b[2J" in outcome.out
    assert "[x].jsonl" in outcome.out
    added = orbat("corpus", "add", first, second, "--output", tmp_path / "out [y].jsonl")
    assert added.code == 0, added
    assert "[/bold] [red]x[/red]" in added.out
    assert added.out.rstrip().endswith("out [y].jsonl")
    for shown in (outcome.out + outcome.err, added.out + added.err):
        assert not set(shown) & {"\x1b", "\x07", "\x9b"}


def test_a_terminal_that_has_only_ascii_shows_escapes(orbat: Orbat, tmp_path: Path) -> None:
    first, second = write_hostile(tmp_path)
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    outcome = orbat("corpus", "check", first, second, env=env)
    assert outcome.code == 1, outcome
    assert "\\xe9 a" in outcome.out
    value = orbat("corpus", "check", first, second, "--json", env=env).json()
    assert value["leaks"][0]["first"] == f"{HOSTILE} é a"
    missing = orbat("corpus", "check", tmp_path / "nö", second, env=env)
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    assert "n\\xf6" in missing.err


def prints_of(tree: ast.Module) -> list[str]:
    """Return the calls that print by themselves."""
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        call
        for call in calls
        if call in ("print", "typer.echo", "typer.secho", "click.echo", "rich.print")
        or call in ("sys.stdout.write", "sys.stderr.write")
    ]


def test_only_one_place_prints() -> None:
    assert prints_of(ast.parse("print(1); typer.echo(x); sys.stderr.write(y)")) != []
    for name, path in module_files(ROOT).items():
        if name not in PRINTERS and "benchmarks" not in name:
            assert prints_of(ast.parse(path.read_text())) == [], name


def test_json_is_ascii(orbat: Orbat, tmp_path: Path) -> None:
    first, second = write_hostile(tmp_path)
    out = orbat("corpus", "check", first, second, "--json").out
    assert out.isascii()
    assert json.loads(out)["leaks"]


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    echo_json({"a": [float("nan"), 1.5], "b": (float("-inf"),), "c": Path("x")})
    assert capsys.readouterr().out == '{"a": [null, 1.5], "b": [null], "c": "x"}\n'
