"""`orbat doctor`: whether what orbat needs is there, and how to mend what is not.

It asks for the versions of packages, and imports none of the large ones.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any, Literal

from . import __version__, machine

_OTHER_EXTRAS = {"all", "dev", "benchmarks"}
"""Extras that are for the development of orbat, or hold others."""
_MIN_FREE_DISK, _MIN_FREE_MEMORY = 2 * 2**30, 2**30
_BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("firefox", "microsoft-edge", "safari"),
)
_GPU = "GPU"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        state: `missing` is what a part of orbat needs that may not be used here; `broken` is what
            keeps from working what is installed.
        found: what was found.
        mend: what to do; "" if nothing is to be done.
    """

    name: str
    state: Literal["ok", "missing", "broken"]
    found: str
    mend: str = ""


def check_installation(home: Path | None = None) -> list[Check]:
    """Look at packages, machine, doccano and programs; changes nothing.

    Args:
        home: the folder of a local doccano's data; None for the default one.
    """
    return [
        *(*_check_packages(), *_check_machine(), _check_hub()),
        *(*_check_doccano(home), *_check_programs()),
    ]


def checks_to_json(checks: list[Check]) -> dict[str, Any]:
    """Return the checks as a JSON object."""
    return {
        "ok": all(check.state != "broken" for check in checks),
        "checks": [asdict(check) for check in checks],
    }


def _check_packages() -> Iterator[Check]:
    yield Check("orbat", "ok", f"{__version__} in {Path(__file__).parent}")
    yield Check("Python", "ok", f"{platform.python_version()}, {platform.platform()}")
    try:
        metadata = distribution("orbat")
        from packaging.requirements import Requirement
    except (PackageNotFoundError, ImportError) as error:
        yield Check(
            *("packages", "missing", f"not compared with what orbat needs ({error})"),
            "pip install '.[all]' in the checkout",
        )
        return
    parsed = [Requirement(line) for line in metadata.requires or []]
    extras = dict.fromkeys(metadata.metadata.get_all("Provides-Extra") or [])
    shown: set[str] = set()
    for extra in ("", *(name for name in extras if name not in _OTHER_EXTRAS)):
        wanted = list(_requirements_of(extra, parsed))
        absent, wrong, found = [], [], []
        for requirement in wanted:
            try:
                installed = version(requirement.name)
            except PackageNotFoundError:
                absent.append(requirement.name)
                continue
            found.append(f"{requirement.name} {installed}")
            if not requirement.specifier.contains(installed, prereleases=True):
                wrong.append(f"{requirement.name} {installed} is not {requirement.specifier}")
        name = f"packages of [{extra}]" if extra else "packages"
        mend = f"pip install 'orbat[{extra}]'" if extra else "pip install orbat"
        if wrong or (absent and not extra):
            yield Check(name, "broken", "; ".join([*wrong, *(f"no {n}" for n in absent)]), mend)
        elif absent:
            yield Check(name, "missing", f"no {', '.join(absent)}", mend)
        else:
            new = [package for package in found if package not in shown]
            shown.update(new)
            yield Check(name, "ok", ", ".join(new) or "those of other extras")


def _requirements_of(extra: str, requirements: list[Any]) -> Iterator[Any]:
    """Yield the requirements of an extra, with those of the extras that it names."""
    for requirement in requirements:
        marker = requirement.marker
        if marker is None:
            applies = not extra
        else:
            applies = (
                bool(extra)
                and marker.evaluate({"extra": extra})
                and (not marker.evaluate({"extra": ""}))
            )
        if not applies:
            continue
        if requirement.name == "orbat":
            for other in requirement.extras:
                yield from _requirements_of(other, requirements)
        else:
            yield requirement


def _check_machine() -> Iterator[Check]:
    count, quota = machine.count_processors(), machine.processor_quota()
    limit = f", {quota:g} of them together" if quota is not None and quota < count else ""
    yield Check("processors", "ok", f"{count}{limit}: {machine.processor_name()}")
    instructions = machine.processor_instructions()
    if instructions is None:
        yield Check("instructions", "ok", "not known on this system")
    else:
        yield Check("instructions", "ok", ", ".join(instructions) or "none for 8-bit numbers")
    threads = os.environ.get("OMP_NUM_THREADS")
    yield Check("threads", "ok", f"OMP_NUM_THREADS={threads}" if threads else "one per processor")
    yield _check_gpu()
    total, free = machine.memory_bytes()
    found = f"{total / 2**30:.1f} GiB" + (f", {free / 2**30:.1f} free" if free is not None else "")
    if free is not None and free < _MIN_FREE_MEMORY:
        yield Check("memory", "broken", found, "end other programs; training needs more")
    else:
        yield Check("memory", "ok", found)
    for name, folder in (("disk", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        size = machine.free_disk_bytes(folder)
        found = f"{size / 2**30:.1f} GiB free for {folder}"
        if size < _MIN_FREE_DISK:
            yield Check(name, "broken", found, "make room: runs and wheels need up to 2 GiB")
        elif not os.access(folder, os.W_OK):
            yield Check(name, "broken", f"{folder} cannot be written", "choose another folder")
        else:
            yield Check(name, "ok", found)


def _check_gpu() -> Check:
    gpus = list(machine.find_gpus())
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = ""
    if gpus and torch.endswith("+cpu"):
        mend = "install a torch with CUDA (https://pytorch.org), or train on the processors"
        return Check(_GPU, "missing", f"{'; '.join(gpus)}, but torch {torch} is for CPUs", mend)
    if gpus:
        return Check(_GPU, "ok", "; ".join(gpus))
    return Check(_GPU, "missing", "no NVIDIA GPU; models are trained on the processors")


def _check_hub() -> Check:
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    cache = os.environ.get("HF_HUB_CACHE") or Path(home) / "hub"
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    state = "HF_HUB_OFFLINE is set: only the cache is used" if offline else "asked for named models"
    return Check("Hugging Face Hub", "ok", f"{state}; cache {cache}")


def _check_doccano(home: Path | None) -> Iterator[Check]:
    if importlib.util.find_spec("httpx") is None or importlib.util.find_spec("psutil") is None:
        yield Check("doccano", "missing", "not looked for", "pip install 'orbat[annotate]'")
        return
    from .annotation.doccano.installation import DOCCANO_VERSION, find_python, is_current
    from .annotation.doccano.server import DoccanoServer
    from .errors import OrbatError

    server = DoccanoServer(home)
    if is_current(server.environment):
        yield Check("doccano", "ok", f"{DOCCANO_VERSION} in {server.environment}")
    else:
        kind = "outdated" if server.environment.exists() else "not installed"
        mend = "orbat annotate up installs it, once"
        try:
            find_python()
        except OrbatError as error:
            mend = str(error)
        yield Check("doccano", "missing", f"{kind} in {server.environment}", mend)
    try:
        url = server.url
        if not server.home.exists():
            yield Check("doccano's home", "ok", f"{server.home}, which annotate up will make")
        elif not os.access(server.home, os.R_OK | os.W_OK | os.X_OK):
            mend = "run orbat as its owner, or name another folder with --home"
            yield Check("doccano's home", "broken", f"{server.home} cannot be used", mend)
        else:
            state = f"running at {url}" if url else "not running"
            yield Check("doccano's home", "ok", f"{server.home}, {state}")
        address = server.settings.database_url or os.environ.get("DATABASE_URL", "")
    except OrbatError as error:
        yield Check("doccano's home", "broken", str(error), f"restore {server.home}")
        return
    yield _check_database(address)


def _check_database(address: str) -> Check:
    """Check the database of annotations; a server of PostgreSQL may be on another machine."""
    from .annotation.doccano.database import show_database

    if address:
        return Check("PostgreSQL", "ok", f"used: {show_database(address)}")
    program = shutil.which("postgres") or shutil.which("psql")
    if program:
        return Check("PostgreSQL", "ok", f"{program}; not used: doccano has SQLite")
    mend = "none for SQLite; for large teams install postgresql, and set DATABASE_URL"
    return Check("PostgreSQL", "missing", "not on this machine; doccano has SQLite", mend)


def _check_programs() -> Iterator[Check]:
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None and Path("/Applications/Safari.app").exists():
        browser = "/Applications/Safari.app"
    if browser:
        yield Check("browser", "ok", browser)
    else:
        mend = "none where nobody annotates; else install Chromium or Firefox"
        yield Check("browser", "missing", "none on this machine", mend)
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if nginx:
        yield Check("nginx", "ok", nginx)
    else:
        mend = "none for one machine; for a team over TLS install nginx"
        yield Check("nginx", "missing", "not on this machine", mend)
