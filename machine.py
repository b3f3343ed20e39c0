"""What the machine has, and what this process took of it. Loads no library."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX INT8",
    "amx_bf16": "AMX BF16",
    "asimddp": "dot product",
    "bf16": "BF16",
    "i8mm": "INT8 matrices",
}
"""Instructions that make 8-bit weights or bf16 fast, by the flag of Linux."""


def count_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor_quota() -> float | None:
    """Return the processors that a container may use together; None for no limit."""
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def processor_name() -> str:
    """Return the name of the processor, or its architecture."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def processor_instructions() -> list[str] | None:
    """Return which instructions for 8-bit numbers and bf16 there are; None if it is not known."""
    flags = (_cpuinfo("flags") or _cpuinfo("Features")).split()
    return [name for flag, name in _INSTRUCTIONS.items() if flag in flags] if flags else None


def _cpuinfo(key: str) -> str:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    fields = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in fields if name.strip() == key), "")


def memory_bytes() -> tuple[int, int | None]:
    """Return the memory that this process may have, and how much of it is free, if that is known.

    A container may have less than the machine.
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = None
    try:
        fields = (line.split() for line in _MEMINFO.read_text().splitlines())
        free = next(int(value) * 1024 for name, value, *_ in fields if name == "MemAvailable:")
    except (OSError, ValueError, StopIteration):
        pass
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        if limit < total:
            total, free = limit, min(limit - used, free if free is not None else limit)
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        pass
    return total, free


def peak_memory_bytes() -> int:
    """Return the most memory that this process occupied, on Linux.

    That of :func:`resource.getrusage` begins with that of the process that started this one.

    Raises:
        OSError: if the system does not say.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


def free_disk_bytes(folder: Path) -> int:
    """Return how much may be written to the disk of a folder, or of the one that it will be in.

    Raises:
        OSError: if the folder cannot be read.
    """
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def find_gpus() -> Iterator[str]:
    """Yield the name, memory and driver of each GPU of NVIDIA, as nvidia-smi gives them."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run([program, *query], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return
    if found.returncode == 0:
        yield from filter(None, map(str.strip, found.stdout.splitlines()))
