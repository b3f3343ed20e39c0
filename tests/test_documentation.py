"""The Markdown files: links, commands and paths exist, and the examples run."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from orbat.cli import app
from orbat.cli_reference import render_reference, walk_commands
from orbat.corpus.files import read_documents, write_documents
from orbat.training.recipe import shipped_recipes
from tests.conftest import ROOT, Orbat
from tests.test_architecture import LAYERS, module_files

COMMANDS: dict[str, Any] = dict(walk_commands("orbat", get_command(app)))
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout.split()
    if (ROOT / name).is_file()
)

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def fenced_blocks(text: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page as pairs of what follows the fence and the content."""
    fences = re.findall(r"^```([^\n]*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [(info.strip(), body) for info, body in fences]


def shell_blocks(text: str) -> list[str]:
    """Return the indented blocks, the fenced ones that are not Python, and console input."""
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"(?:^(?: {4}|\t).*\n?)+", rest, flags=re.MULTILINE)
    for info, body in fenced_blocks(text):
        if info.startswith("console"):
            blocks.append(console_input(body))
        elif info != "python":
            blocks.append(body)
    return blocks


def console_input(block: str) -> str:
    """Return the lines of a console block that begin with a prompt."""
    return "\n".join(line for line in block.splitlines() if line.startswith("$ "))


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each orbat command in a text that a shell could run."""
    for line in text.replace("\\\n", " ").splitlines():
        if not re.search(r"(^|[\s|])orbat\s", line):
            continue
        try:
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
        except ValueError:  # prose with an apostrophe
            continue
        while "orbat" in words:
            words = words[words.index("orbat") + 1 :]
            ends = [n for n, word in enumerate(words) if word in ("|", "&&", ";", ">")]
            yield words[: ends[0] if ends else None]


def fault_of(arguments: list[str]) -> str | None:
    """Return what is wrong with a command: its name, an option, its recipe; None if nothing is."""
    name, rest = "orbat", list(arguments)
    while rest and f"{name} {rest[0]}" in COMMANDS:
        name = f"{name} {rest.pop(0)}"
    command = COMMANDS[name]
    if hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        return f"{name} {rest[0]}: no such command"
    known = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
    known |= {"-", "-h", "--help"}
    for word in rest:
        if word.startswith("-") and word.partition("=")[0] not in known:
            return f"{name}: no option {word}"
    trains = name in ("orbat train", "orbat sweep") and rest
    if trains and re.fullmatch(r"[a-z-]+", rest[0]) and rest[0] not in shipped_recipes():
        return f"{name}: no recipe {rest[0]}"
    return None


def test_the_command_reference_is_current() -> None:
    assert (ROOT / "CLI.md").read_text(encoding="utf-8") == render_reference(), (
        "run python -m orbat.cli_reference > CLI.md"
    )


@by_page
def test_links_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [t.partition("#")[0] for t in targets if "://" not in t and not t.startswith("#")]
    assert [target for target in local if not (page.parent / target).exists()] == []


@by_page
def test_paths_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # names files that are gone
    folders = "|".join((*LAYERS, "tests"))
    paths = re.findall(rf"`((?:{folders})/[\w./-]+)`", page.read_text(encoding="utf-8"))
    missing = [p for p in paths if not ((ROOT / p).exists() or (page.parent / p).exists())]
    assert missing == []


@by_page
def test_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"`((?:orbat|python -m orbat) [a-z][^`]*)`", text)
    if page.name == "CHANGELOG.md":
        inline = []  # names commands that are gone
    faults = {
        fault_of(words) for block in (*shell_blocks(text), *inline) for words in commands_in(block)
    }
    assert faults <= {None}


def test_messages_name_existing_commands() -> None:
    pattern = re.compile(r"\borbat (corpus|annotate) ([a-z]+)\b")
    for path in module_files(ROOT).values():
        for group, name in pattern.findall(path.read_text(encoding="utf-8")):
            assert f"orbat {group} {name}" in COMMANDS, path


@pytest.mark.parametrize(
    "line",
    [
        "orbat corpus sum x",
        "orbat train nothing --dev d",
        "cat x | orbat tag m - --speed 3",
        "torchrun -m orbat train quick --nothing",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    (words,) = commands_in(line)
    assert fault_of(words)


def run_examples(
    page: str, orbat: Orbat, shortened: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Run the Python and `console` blocks of a page one after the other; return the variables.

    The commands of other blocks, such as `console doccano`, need a server and are not run.

    Args:
        page: the page.
        orbat: runs a command.
        shortened: called after each Python block, to shorten the files that it wrote.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    variables: dict[str, Any] = {}
    for info, block in fenced_blocks(text):
        if info == "python":
            exec(compile(block, page, "exec"), variables)
            shortened()
        elif info == "console":
            for arguments in commands_in(console_input(block)):
                outcome = orbat(*arguments)
                assert outcome.code == 0, (arguments, outcome.err)
    return variables


@pytest.mark.slow
def test_the_examples_of_the_python_api_run(
    orbat: Orbat,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = run_examples("API.md", orbat)
    assert variables["leaks"] == []
    assert 0.9 < variables["strict"].f1 < 1
    assert variables["packaged"].wheel.is_file()
    assert variables["report"].documents == 1
    assert (tmp_path / "tagged.jsonl").is_file()
    assert "error: missing-model: " in capsys.readouterr().out


@pytest.mark.slow
def test_the_walkthrough_runs(
    orbat: Orbat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def shorten_gold() -> None:
        """Keep the first gold documents, with which a model is selected and tested soon."""
        for path in (tmp_path / "dev.jsonl", tmp_path / "test.jsonl"):
            write_documents(path, list(read_documents(path))[:12])

    variables = run_examples("WALKTHROUGH.md", orbat, shorten_gold)
    assert variables["document"].spans
    for name in ("report.html", "dist/MODEL_CARD.md", "tagged.jsonl", "parts/train.jsonl"):
        assert (tmp_path / name).is_file()
