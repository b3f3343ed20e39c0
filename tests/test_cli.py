"""The command line as a whole: help, version, order of the commands, errors."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from orbat import __version__, cli, demo
from orbat.errors import ServerError
from tests.conftest import Orbat

ORDER = ["corpus", "annotate", "train", "sweep", "evaluate", "package", "tag", "demo"]


def test_help_lists_the_commands_in_the_order_of_the_work(orbat: Orbat) -> None:
    outcome = orbat("-h")
    assert outcome.out == orbat("--help").out
    lines = [line.strip("│ ").split(" ")[0] for line in outcome.out.splitlines()]
    assert [name for name in lines if name in ORDER] == ORDER


def test_every_command_has_the_short_help_option(orbat: Orbat) -> None:
    assert "Usage: orbat annotate push" in orbat("annotate", "push", "-h").out


def test_the_version_is_printed(orbat: Orbat) -> None:
    assert orbat("--version").out == f"orbat {__version__}\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ServerError("http://x: not reachable"), "error: http://x: not reachable"),
        (PermissionError(13, "denied", "a.jsonl"), "error: [Errno 13] denied: 'a.jsonl'"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            "error: torch is not installed; install orbat with its extra 'all'",
        ),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(
    error: Exception,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as exit_info:
        cli.main([])
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"{line}\n"


def test_an_unexpected_error_is_one_line_that_names_a_log_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("who\nknows")

    monkeypatch.setattr(demo, "run_demo", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["demo", "--output", "secret"])
    assert exit_info.value.code == 70
    (log,) = tmp_path.iterdir()
    message = capsys.readouterr().err
    assert message == (
        f"error: unexpected KeyError: 'who\\nknows'; please report it with {log} "
        "(read it first: it may quote your data)\n"
    )
    written = log.read_text()
    assert written.startswith(f"orbat {__version__}, Python ")
    assert "Traceback (most recent call last)" in written
    assert "in fail" in written
    assert "secret" not in written
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_a_log_file_the_traceback_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EOFError("cut")

    monkeypatch.setattr(demo, "run_demo", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["demo"])
    assert exit_info.value.code == 70
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert message.splitlines()[-1].startswith(
        "error: unexpected UnexpectedEndError: the data end too early: cut; please report it"
    )


def test_a_demo_does_not_overwrite_other_folders(orbat: Orbat, tmp_path: Path) -> None:
    outcome = orbat("demo", "--output", tmp_path)
    assert outcome.code == 2
    assert "was not written by a demo" in outcome.err


@pytest.mark.parametrize(
    ("command", "interrupted", "line"),
    [
        (
            ("corpus", "add", "a.jsonl", "--output", "out.jsonl"),
            "orbat.corpus.ingestion.pipeline.add_to_corpus",
            "the articles added so far are kept, and the corpus is unchanged; the same command "
            "goes on",
        ),
        (
            ("corpus", "stats", "a.jsonl"),
            "orbat.corpus.analysis.statistics.measure_statistics",
            "files are written whole or not at all; run the command again",
        ),
        (
            # While the options are read: the library's own way to end prints nothing.
            ("corpus", "stats", "a.jsonl"),
            "orbat.cli.Commands.parse_args",
            "files are written whole or not at all; run the command again",
        ),
    ],
)
def test_an_interrupted_command_says_how_to_go_on(
    command: tuple[str, ...],
    interrupted: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"id": "a", "text": "Kidal."}\n')
    monkeypatch.setattr(interrupted, lambda *_, **__: signal.raise_signal(signal.SIGINT))
    with pytest.raises(SystemExit) as exit_info:
        cli.main([*command])
    assert exit_info.value.code == 130
    assert capsys.readouterr().err.strip() == f"interrupted: {line}"


def test_the_options_of_long_commands_are_in_groups() -> None:
    def long_commands(command: Any, name: str) -> Iterator[tuple[str, list[Any]]]:
        for inner in getattr(command, "commands", {}).items():
            yield from long_commands(inner[1], f"{name} {inner[0]}")
        options = [p for p in command.params if p.param_type_name == "option"]
        if len(options) > 12:
            yield name, options

    found = dict(long_commands(typer.main.get_command(cli.app), "orbat"))
    assert {"orbat train", "orbat evaluate", "orbat annotate convert"} <= set(found)
    for name, options in found.items():
        assert len({option.rich_help_panel for option in options}) > 1, name
