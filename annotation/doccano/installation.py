"""Install doccano into a Python environment of its own, because its pins conflict with orbat's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs
from filelock import FileLock

from ...corpus.files import sha256_file
from ...errors import ServerError

DOCCANO_VERSION = "1.8.4"
CONSTRAINTS = Path(__file__).parent / "doccano-constraints.txt"
"""All packages of the environment with their versions: the newest with which doccano works.

Those of Django, gunicorn, waitress and django-cors-headers are newer than doccano's metadata allow,
which names series that get no security fixes any more.
"""
POSTGRESQL_DRIVER = ("psycopg2-binary", "2.9.13")
"""Name and version of what doccano needs for PostgreSQL, and nobody else."""
PYTHON = (3, 11)
_STAMP = "orbat-constraints.sha256"
"""File of an environment with the hash of the constraints that it was made of."""

ANALYTICS = "https://www.google-analytics.com"
"""Where doccano's pages report to: an editor in them sends the server's name by default."""

OnMessage = Callable[[str], None]
"""Called with a line about a step that takes a while."""


def default_environment() -> Path:
    """Return the folder of doccano's environment: inside the virtual environment of orbat."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "doccano"
    return Path(platformdirs.user_cache_dir("orbat")) / "doccano"


def find_python() -> str:
    """Return a Python interpreter that doccano's pinned requirements support.

    Raises:
        ServerError: if there is none.
    """
    if sys.version_info[:2] == PYTHON:
        return sys.executable
    name = "python{}.{}".format(*PYTHON)
    python = shutil.which(name)
    if python is None:
        current = "{}.{}".format(*sys.version_info[:2])
        raise ServerError(
            f"doccano {DOCCANO_VERSION} cannot be installed on Python {current}; install {name}, "
            f"or run doccano {DOCCANO_VERSION} in a container and pass --url"
        )
    return python


def install(environment: Path, on_message: OnMessage) -> None:
    """Install doccano, unless it is installed with the current constraints.

    Of several processes, one installs and the others wait for it.

    Args:
        environment: folder of the environment; replaced if it is out of date.
        on_message: called before the installation.

    Raises:
        ServerError: if doccano cannot be installed.
    """
    environment.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{environment}.lock"):
        if not is_current(environment):
            on_message(
                f"Installing doccano {DOCCANO_VERSION} in {environment} (once, about a minute)"
            )
            _create_environment(environment)
            (environment / _STAMP).write_text(sha256_file(CONSTRAINTS))
        _remove_analytics(environment)
        _hide_uploads(environment)


def is_current(environment: Path) -> bool:
    """Return whether doccano is installed in an environment with the current constraints."""
    stamp = environment / _STAMP
    return stamp.is_file() and stamp.read_text() == sha256_file(CONSTRAINTS)


def install_postgresql_driver(environment: Path, on_message: OnMessage) -> None:
    """Add the driver for PostgreSQL to an installed doccano, unless it has it.

    Args:
        environment: folder of the environment.
        on_message: called before the installation.

    Raises:
        ServerError: if the driver cannot be installed.
    """
    name, version = POSTGRESQL_DRIVER
    installed = f"lib/python*/site-packages/{name.replace('-', '_')}-{version}.dist-info/RECORD"
    with FileLock(f"{environment}.lock"):
        if not any(environment.glob(installed)):
            on_message(f"Installing the driver for PostgreSQL in {environment} (once)")
            _run(environment, _pip(environment, "--only-binary", name, f"{name}=={version}"))


def find_backend(environment: Path) -> Path:
    """Return the folder of doccano's modules in its environment."""
    return next(environment.glob("lib/python*/site-packages/backend"))


def _create_environment(environment: Path) -> None:
    python = find_python()
    shutil.rmtree(environment, ignore_errors=True)
    _run(environment, [python, "-m", "venv", str(environment)])
    # Debian's pip would install source packages by their setup.py, without a list of their files.
    arguments = ("--no-deps", "--use-pep517", "--requirement", str(CONSTRAINTS))
    _run(environment, _pip(environment, *arguments))


def _pip(environment: Path, *arguments: str) -> list[str]:
    python = str(environment / "bin" / "python")
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]


def _run(environment: Path, command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, env=clean_environ())
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {result.returncode}"
        raise ServerError(
            f"doccano {DOCCANO_VERSION} cannot be installed in {environment}: {reason}"
        )


def _remove_analytics(environment: Path) -> None:
    """Replace the address of the analytics service in doccano's pages by an empty one."""
    for path in environment.glob("lib/python*/site-packages/backend/**/_nuxt/*.js"):
        script = path.read_text(encoding="utf-8")
        if ANALYTICS in script:
            path.write_text(script.replace(ANALYTICS, "data:,"), encoding="utf-8")


def _hide_uploads(environment: Path) -> None:
    """Let nobody else read the uploads that earlier versions of orbat left among doccano's code."""
    for folder in environment.glob("lib/python*/site-packages/backend/filepond-temp-uploads"):
        with suppress(PermissionError):  # in an environment of another user, they are that one's
            folder.chmod(0o700)


def clean_environ() -> dict[str, str]:
    """Return the process environment without variables that point Python to orbat's packages."""
    exclude = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {key: value for key, value in os.environ.items() if key not in exclude}
