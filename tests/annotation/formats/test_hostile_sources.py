"""Sources that were made to break a reader or to fill the memory: refused in one line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.formats import registry
from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ImportedDocument
from orbat.annotation.formats.registry import Format
from orbat.errors import InputError

BOMB_BYTES = 70 * 2**20
DEEP = b"[" * 90_000


def bomb_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl", bytes(BOMB_BYTES))
    return out.getvalue()


def bomb_parquet() -> bytes:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    out = io.BytesIO()
    rows = ["x" * (BOMB_BYTES // 8)] * 8
    write_table(pa.table({"tokens": rows}), out, use_dictionary=False, compression="zstd")
    return out.getvalue()


def bomb_arrow(codec: str, *, is_stream: bool, is_dictionary: bool = False) -> bytes:
    import pyarrow as pa

    out = io.BytesIO()
    column = pa.array(["x" * BOMB_BYTES])
    table = pa.table({"tokens": column.dictionary_encode() if is_dictionary else column})
    options = pa.ipc.IpcWriteOptions(compression=codec)
    new = pa.ipc.new_stream if is_stream else pa.ipc.new_file
    with new(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return out.getvalue()


def read(path: Path, format_name: str, *, skip_bad: bool = False) -> tuple[list[str], Any]:
    report = ConversionReport()
    found = [d.id for d in read_format(path, format_name, report, skip_bad=skip_bad)]
    return found, report


@pytest.mark.parametrize(
    ("format_name", "name", "content", "message"),
    [
        ("jsonl", "a.zip", bomb_zip(), "are packed into"),
        ("docbin", "a.spacy", zlib.compress(bytes(BOMB_BYTES)), "are packed into"),
        ("datasets", "a.parquet", bomb_parquet(), "are packed into"),
        ("datasets", "a.arrow", bomb_arrow("zstd", is_stream=False), "are packed into"),
        ("datasets", "a.arrow", bomb_arrow("lz4", is_stream=True), "are packed into"),
        (
            *("datasets", "a.arrow"),
            *(bomb_arrow("zstd", is_stream=True, is_dictionary=True), "are packed into"),
        ),
        ("doccano", "a.jsonl", b'{"text": ' + DEEP, "nested too deeply"),
        ("labelstudio", "a.json", b'[{"data": ' + DEEP, "nested too deeply"),
        ("prodigy", "a.jsonl", b'{"text": "a", "n": ' + b"1" * 4301 + b"}", "too many digits"),
        ("spacy", "a.json", b'{"paragraphs":\n' + DEEP, "nested more than 100 levels"),
        ("cas-json", "a.json", b'{"%TYPES": ' + DEEP, "nested more than 100 levels"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_hostile_sources_are_refused(
    tmp_path: Path, format_name: str, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        read(path, format_name)
    assert name in str(raised.value)


def test_whatever_a_reader_raises_names_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        yield ImportedDocument("a.x: 1", "a", "Gen. Doe spoke.")
        raise LookupError("lost")

    monkeypatch.setitem(registry.FORMATS, "x", Format(fail, None, ""))
    with pytest.raises(InputError, match=r"a\.x: cannot be read \(LookupError: lost\)"):
        read(tmp_path / "a.x", "x", skip_bad=True)


@pytest.mark.parametrize("value", [1, "x", None, [], {}, [1], {"a": 1}, [[]], {"a": {"b": 1}}, 1e9])
@pytest.mark.parametrize(
    ("format_name", "record"),
    [
        ("labelstudio", {"id": 1, "data": {"text": "a"}, "annotations": [{"result": []}]}),
        ("doccano", {"id": 1, "text": "a", "entities": [{"id": 1}], "Comments": []}),
        ("prodigy", {"text": "a", "spans": [{"start": 0}], "tokens": [], "answer": "accept"}),
        ("jsonl", {"id": "a", "text": "a", "spans": [], "meta": {}}),
        ("datasets", {"id": 1, "tokens": ["a"], "ner_tags": ["O"]}),
        ("spacy", {"paragraphs": [{"raw": "a", "sentences": [{"tokens": []}]}]}),
    ],
)
def test_fields_of_any_type_end_in_one_line(
    tmp_path: Path, format_name: str, record: dict[str, Any], value: Any
) -> None:
    path = tmp_path / "a.jsonl"
    for field in record:
        path.write_text(json.dumps({**record, field: value}) + "\n")
        try:
            read(path, format_name)
        except InputError as error:
            assert "Error" not in str(error)
            assert "\n" not in str(error)


def test_an_archive_for_which_there_is_no_room_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", json.dumps({"text": "x" * 5000}))
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        with contextlib.suppress(BaseException):
            with pytest.raises(InputError, match=r"cannot be written .*; make room"):
                read(path, "jsonl")
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
