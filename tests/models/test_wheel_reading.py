"""Wheel files that are not as they were built."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.errors import ModelError
from orbat.models.component import COMPONENT
from orbat.models.loading import load_model
from orbat.models.package_info import CODE_LICENSE, PackageInfo
from orbat.models.runtime import HASHES_FILE, MODEL_FILES, add_hashes
from orbat.models.wheels.building import build_wheel, write_package
from orbat.models.wheels.reading import read_wheel

MODEL = add_hashes({name: f"content of {name}".encode() * 100 for name in MODEL_FILES})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is complete; its model's files hold no model."""
    folder = tmp_path_factory.mktemp("wheel")
    info = PackageInfo()
    write_package(
        folder / "source",
        info,
        files={},
        card="",
        description="Test",
        meta={},
        colors={},
        license=CODE_LICENSE,
    )
    data = folder / "source" / info.package_name / f"{info.package_name}-{info.version}"
    for name, content in MODEL.items():
        (data / COMPONENT / name).write_bytes(content)
    return build_wheel(folder / "source", folder)


def read_entries(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_entries(path: Path, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def test_a_wheel_packed_by_another_method_is_refused(built: Path, tmp_path: Path) -> None:
    """Blocks of bzip2 and LZMA are unpacked whole, whatever size the wheel says that they have."""
    path = tmp_path / built.name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for name, content in read_entries(built).items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match="is not packed by deflate"):
        read_wheel(path)


def test_a_wheel_gives_the_files_that_were_packaged(built: Path) -> None:
    assert read_wheel(built) == MODEL


def test_every_file_of_a_wheel_is_compared_with_record(built: Path, tmp_path: Path) -> None:
    entries, copy = read_entries(built), tmp_path / built.name
    names = [name for name in entries if not name.endswith("/RECORD")]
    assert {"en_orbat_news/component.py", "en_orbat_news/tagger/tagger.py"} <= set(names)
    assert any(name.endswith(f"/{HASHES_FILE}") for name in names)
    for name in names:
        write_entries(copy, {**entries, name: entries[name] + b"#"})
        with pytest.raises(ModelError) as refusal:
            read_wheel(copy)
        assert str(refusal.value) == (
            f"{copy}: was changed after packaging ({name} is not as RECORD says); "
            "build or download it again"
        )


def without(entries: dict[str, bytes], end: str) -> dict[str, bytes]:
    return {name: content for name, content in entries.items() if not name.endswith(end)}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda e: without(e, "/component.py"), "en_orbat_news/component.py is missing"),
        (lambda e: without(e, "/RECORD"), "it has 0 files RECORD"),
        (lambda e: {**e, "x-1.dist-info/RECORD": b""}, "it has 2 files RECORD"),
        (lambda e: {**e, "en_orbat_news/more.py": b"1"}, "more.py is not as RECORD says"),
        (lambda e: {**e, "sitecustomize.py": b"1"}, "sitecustomize.py is not as RECORD says"),
        (lambda e: without(e, "/model.onnx"), "contains no orbat model"),
    ],
)
def test_missing_and_additional_files_are_named(
    built: Path,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], dict[str, bytes]],
    fault: str,
) -> None:
    copy = tmp_path / built.name
    write_entries(copy, change(read_entries(built)))
    with pytest.raises(ModelError, match=fault):
        load_model(copy)


@pytest.mark.parametrize("content", [b"a,b\n", b"\xff,,\n", b"a,,\na,,\n", b'"a\0b'])
def test_a_damaged_record_is_told(built: Path, tmp_path: Path, content: bytes) -> None:
    entries, copy = read_entries(built), tmp_path / built.name
    (name,) = (name for name in entries if name.endswith("/RECORD"))
    write_entries(copy, {**entries, name: content})
    with pytest.raises(ModelError, match="download it again"):
        read_wheel(copy)


def test_a_file_that_stands_twice_is_refused(built: Path, tmp_path: Path) -> None:
    """Tools differ in which of the two they take."""
    copy = tmp_path / built.name
    write_entries(copy, read_entries(built))
    with zipfile.ZipFile(copy, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("en_orbat_news/component.py", "import os")
    with pytest.raises(ModelError, match=r"it has two files en_orbat_news/component.py"):
        read_wheel(copy)


def test_a_wheel_that_grows_too_much_is_refused_before_it_is_unpacked(
    built: Path, tmp_path: Path
) -> None:
    entries, copy = read_entries(built), tmp_path / built.name
    content = bytes(100 * 2**20)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    (record,) = (name for name in entries if name.endswith("/RECORD"))
    rows = io.StringIO(entries[record].decode())
    line = io.StringIO()
    csv.writer(line).writerow(["en_orbat_news/zeros", f"sha256={digest}", len(content)])
    entries[record] = (rows.getvalue() + line.getvalue()).encode()
    write_entries(copy, {**entries, "en_orbat_news/zeros": content})
    assert copy.stat().st_size < 2**20
    with pytest.raises(ModelError, match="its files take more than 64 MB"):
        read_wheel(copy)


def test_no_flipped_bit_of_a_wheel_is_taken_for_the_model(built: Path, tmp_path: Path) -> None:
    """Each is told in one line, or hits a byte without meaning and the files are the same."""
    content, copy, rng = built.read_bytes(), tmp_path / built.name, random.Random(0)
    refused = 0
    for _ in range(300):
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        copy.write_bytes(changed)
        try:
            assert read_wheel(copy) == MODEL
        except ModelError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 250
