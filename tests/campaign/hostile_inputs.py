"""Reads damaged inputs of a group one after another, and prints what came of each as a JSON line.

    python -m tests.campaign.hostile_inputs GROUP SEED EACH FIRST

EACH is the number of inputs for each reader of the group, FIRST the number of the first one to try.
Run in a process of its own: an input that takes too long ends the process, and the next one goes on
after it. The inputs of a seed are the same in every run.
"""

from __future__ import annotations

import errno
import json
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from orbat.errors import OrbatError
from orbat.machine import peak_memory_bytes
from tests.campaign.figures import MAX_SECONDS
from tests.damage import Files, damage_files

_MAX_WAIT_SECONDS = 300
"""When an input ends the process that takes no processor time, but waits for ever."""
Pack = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Reader:
    """A way into orbat.

    Attributes:
        name: its name.
        files: a valid source.
        suffix: the ending of its name.
        read: reads a source as the commands do.
        pack: packs each damaged file, if the source is compressed.
    """

    name: str
    files: Files
    suffix: str
    read: Callable[[Path], object]
    pack: Pack = bytes


def write_source(path: Path, files: Files, pack: Pack) -> None:
    """Write a source in the place of the last one."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    for name, content in files.items():
        file = path / name if name else path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pack(content))


def find_fault(read: Callable[[Path], object], path: Path) -> str:
    """Return the traceback, or the message that is not one line; "" if all is well."""
    try:
        read(path)
    except OrbatError as error:
        return "" if str(error).strip() and "\n" not in str(error) else f"message: {error!r}"
    except Exception:
        return traceback.format_exc()
    return ""


def try_reader(reader: Reader, folder: Path, seed: int, number: int) -> dict[str, object]:
    """Read a source that is damaged in a way that the seed and number determine."""
    random = Random(f"{seed} {reader.name} {number}")
    path = folder / f"source{reader.suffix}"
    write_source(path, damage_files(reader.files, random), reader.pack)
    signal.setitimer(signal.ITIMER_PROF, 3 * MAX_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, _MAX_WAIT_SECONDS)
    began = time.process_time()
    fault = find_fault(reader.read, path)
    seconds = time.process_time() - began
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    peak = peak_memory_bytes()
    return {"reader": reader.name, "seconds": seconds, "fault": fault, "memory": peak}


def close_network() -> None:
    """Let no connection be made: a damaged address may be that of someone."""

    def refuse(*_: object) -> NoReturn:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    def resolve(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        return numeric(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)

    numeric = socket.getaddrinfo
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = resolve


def main(group: str, seed: int, each: int, first: int) -> None:
    """Try the inputs of a group from the first one on."""
    from tests.campaign.readers import GROUPS

    close_network()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "samples").mkdir()
        readers = GROUPS[group](folder / "samples")
        for reader in readers:  # also loads the libraries
            write_source(folder / f"source{reader.suffix}", reader.files, reader.pack)
            reader.read(folder / f"source{reader.suffix}")
        print(json.dumps([reader.name for reader in readers]), flush=True)
        for number in range(first, each * len(readers)):
            reader = readers[number % len(readers)]
            print(json.dumps(try_reader(reader, folder, seed, number)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
