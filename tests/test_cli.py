"""The command line as a whole: help, version, order of the commands, errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat import __version__, cli
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


def test_a_demo_does_not_overwrite_other_folders(orbat: Orbat, tmp_path: Path) -> None:
    outcome = orbat("demo", "--output", tmp_path)
    assert outcome.code == 2
    assert "was not written by a demo" in outcome.err
