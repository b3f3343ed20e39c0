"""Rows of a data set: `save_to_disk`, files of Parquet, Arrow or JSON, a folder of the Hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....corpus.files import read_first_value, read_json_lines
from ....corpus.reading.arrow import check_batches
from ....corpus.reading.json_arrays import is_json_array, iterate_json_array
from ....corpus.reading.parquet import BATCH_ROWS, iterate_batches
from ....errors import InputError
from ..conversion_report import ConversionReport
from ..sources import open_source, report_unread
from .class_names import ClassNames

_KINDS = ((".parquet",), (".arrow",), (".jsonl", ".jsonl.gz", ".json", ".json.gz"))
"""Endings of names of files; a folder's files of the first of these kinds are read."""
_DESCRIPTIONS = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}
_SPLIT = re.compile(
    r"(?<![a-z])(train(?:ing)?|valid(?:ation)?|val|dev(?:elopment)?|test(?:ing)?)(?![a-z])", re.I
)
_LFS_POINTER = b"version https://git-lfs"


@dataclass
class Table:
    """Rows of one split or file.

    Attributes:
        part: tells the rows from those of other splits and files; "" for a single one.
        split: the name of the split; "" if none is named.
        rows: the position of each row and its columns.
    """

    part: str
    split: str
    rows: Iterator[tuple[str, dict[str, Any]]]


def open_tables(path: Path, names: ClassNames, report: ConversionReport) -> Iterator[Table]:
    """Yield the splits or files of a data set.

    Args:
        path: a file, a zip archive, a folder of `save_to_disk` or a folder of files.
        names: gets the names of classes.
        report: records the files that are not read.

    Raises:
        InputError: if there is no data set.
    """
    path = Path(path)
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        report_unread(path, path.rglob("*.arrow"), report)
        yield from _load_from_disk(path, names)
        return
    suffixes = [suffix for kind in _KINDS for suffix in kind]
    with open_source(path, suffixes, report) as files:
        if path.is_file():
            names.add_files(path.parent)
        else:
            for folder in sorted({parent for file, _ in files for parent in file.parents}):
                if folder.is_relative_to(path):
                    names.add_files(folder)
        chosen = _choose_files(path, files)
        read = {file for file, _ in chosen}
        report.leave_unread(name + file.suffix for file, name in files if file not in read)
        for file, name in chosen:
            folder_name, _, stem = name.rpartition("/")
            split = _find_split(stem) or _find_split(folder_name)
            # The shards of a split are one part.
            part = "/".join(filter(None, (folder_name.removeprefix("data").strip("/"), split)))
            for key, rows in _read_file(file, names):
                if key:
                    yield Table("/".join(filter(None, (name, key))), key, rows)
                else:
                    yield Table(part if split else name, split, rows)


def _choose_files(source: Path, files: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    if [file for file, _ in files] == [source]:
        return files
    visible = [
        (file, name or file.name.partition(".")[0])
        for file, name in files
        if file.name not in _DESCRIPTIONS
    ]
    for kind in _KINDS:
        if chosen := [item for item in visible if item[0].name.endswith(kind)]:
            return chosen
    raise InputError(f"{source}: no Parquet, Arrow or JSON file with rows; check --from")


def _find_split(name: str) -> str:
    match = _SPLIT.search(name)
    return match[1].lower() if match else ""


def _load_from_disk(path: Path, names: ClassNames) -> Iterator[Table]:
    import datasets
    import pyarrow

    try:
        for part in path.rglob("*.arrow"):
            with pyarrow.memory_map(str(part)) as file:
                check_batches(file, str(part))
        loaded = datasets.load_from_disk(str(path))
        for table in loaded.values() if isinstance(loaded, dict) else (loaded,):
            # Wrong offsets within damaged data would end the process.
            table.data.table.validate(full=True)
    # Arrow, fsspec and datasets each raise errors of their own for damaged folders.
    except Exception as error:
        raise _not_loaded(path, error) from error
    splits = loaded if isinstance(loaded, dict) else {"": loaded}
    for split, table in splits.items():
        names.add(table.features.to_dict())
        prefix = f"{path}: {split} row" if split else f"{path}: row"
        rows = ((f"{prefix} {number}", row) for number, row in enumerate(table, start=1))
        yield Table(split, split, rows)


Rows = Iterator[tuple[str, dict[str, Any]]]


def _read_file(path: Path, names: ClassNames) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of a file by split; the split is "" for files that name none."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if head.startswith(_LFS_POINTER):
        raise InputError(f"{path}: a Git LFS pointer without the data; fetch it with git lfs pull")
    if head.startswith(b"PAR1") or path.suffix == ".parquet":
        yield "", _read_parquet(path, names)
    elif head.startswith((b"ARROW1", b"\xff\xff\xff\xff")) or path.suffix == ".arrow":
        yield "", _read_arrow(path, names)
    elif head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{") or path.suffix == ".gz":
        yield from _read_json(path)
    else:
        raise InputError(f"{path}: no data set can be loaded; expected Parquet, Arrow or JSON")


def _read_parquet(path: Path, names: ClassNames) -> Rows:
    import datasets
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names.add(datasets.Features.from_arrow_schema(file.schema_arrow).to_dict())
            for batch in iterate_batches(file, str(path)):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", row
    # Arrow and datasets each raise errors of their own for damaged files.
    except Exception as error:
        raise _not_loaded(path, error) from error


def _read_arrow(path: Path, names: ClassNames) -> Rows:
    import datasets
    import pyarrow

    number = 0
    try:
        with pyarrow.memory_map(str(path)) as file:
            check_batches(file, str(path))
            is_file = file.read(6) == b"ARROW1"
            file.seek(0)
            reader = pyarrow.ipc.open_file(file) if is_file else pyarrow.ipc.open_stream(file)
            names.add(datasets.Features.from_arrow_schema(reader.schema).to_dict())
            batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
            for batch in batches:
                # Wrong offsets within damaged data would end the process.
                batch.validate(full=True)
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    for row in batch.slice(start, BATCH_ROWS).to_pylist():
                        number += 1
                        yield f"{path}: row {number}", row
    except Exception as error:
        raise _not_loaded(path, error) from error


def _not_loaded(path: Path, error: Exception) -> InputError:
    reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return InputError(f"{path}: no data set can be loaded ({reason})")


def _read_json(path: Path) -> Iterator[tuple[str, Rows]]:
    """Read JSON Lines, an array, or an object with arrays of rows such as `{"data": […]}`."""
    if is_json_array(path):
        yield "", _check(iterate_json_array(path))
        return
    first = read_first_value(path)
    arrays = {}
    if isinstance(first, dict):
        arrays = {
            key: value
            for key, value in first.items()
            if isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
        }
    if arrays and ((len(arrays) == 1 and "data" in arrays) or all(map(_find_split, arrays))):
        for key, items in arrays.items():
            located = ((f"{path}: {key}[{n}]", item) for n, item in enumerate(items))
            yield _find_split(key), _check(located)
        return
    yield "", _check(read_json_lines(path))


def _check(items: Iterator[tuple[str, Any]]) -> Rows:
    for where, item in items:
        if not isinstance(item, dict):
            raise InputError(f"{where}: not a JSON object with tokens and tags; check --from")
        yield where, item
