"""How large the batches of an Arrow file are when they are unpacked, before that is done.

pyarrow says it of no batch, but the file does: https://arrow.apache.org/docs/format/Columnar.html.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .bounded import check_packing

if TYPE_CHECKING:
    from pyarrow import NativeFile

_MAGIC = b"ARROW1\0\0"
"""Before the stream in a file with an index behind it."""
_HEADER, _DICTIONARY_DATA, _BUFFERS, _COMPRESSION = 2, 1, 2, 3
"""Numbers of fields in the tables Message, DictionaryBatch and RecordBatch."""


def check_batches(file: NativeFile, location: str) -> None:
    """Refuse a file with a batch that is packed to fill the memory; return to its beginning.

    Args:
        file: the open file, in Arrow's format for files or for streams.
        location: its name, for messages.

    Raises:
        InputError: if it has one.
        Exception: if the file is damaged, one of pyarrow or of struct.
    """
    from pyarrow.ipc import MessageReader

    file.seek(len(_MAGIC) if file.read(len(_MAGIC)) == _MAGIC else 0)
    for message in MessageReader.open_stream(file):
        if message.type in ("record batch", "dictionary"):
            metadata, body = message.metadata.to_pybytes(), message.body
            batch = _follow(metadata, _field(metadata, _follow(metadata, 0), _HEADER))
            if message.type == "dictionary":
                batch = _follow(metadata, _field(metadata, batch, _DICTIONARY_DATA))
            if _field(metadata, batch, _COMPRESSION):
                starts = _buffers(metadata, _follow(metadata, _field(metadata, batch, _BUFFERS)))
                unpacked = sum(_unpacked_size(memoryview(body), start) for start in starts)
                check_packing(body.size, unpacked, location)
    file.seek(0)


def _buffers(metadata: bytes, vector: int) -> list[int]:
    """Return where the buffers begin in the body that are not empty."""
    (count,) = struct.unpack_from("<I", metadata, vector)
    pairs = struct.iter_unpack("<qq", metadata[vector + 4 : vector + 4 + 16 * count])
    return [start for start, length in pairs if length > 0]


def _unpacked_size(body: memoryview, start: int) -> int:
    """Return the size of a buffer when it is unpacked; -1 stands for one that is not packed."""
    (size,) = struct.unpack_from("<q", body, start)
    return max(int(size), 0)


def _field(data: bytes, table: int, number: int) -> int:
    """Return the place of a field of a FlatBuffers table, or 0 if the table lacks it."""
    (back,) = struct.unpack_from("<i", data, table)
    fields = table - back
    (size,) = struct.unpack_from("<H", data, fields)
    slot = 4 + 2 * number
    (offset,) = struct.unpack_from("<H", data, fields + slot) if slot < size else (0,)
    return table + offset if offset else 0


def _follow(data: bytes, place: int) -> int:
    """Return the place to which the offset at a place leads."""
    (offset,) = struct.unpack_from("<I", data, place)
    return place + int(offset)
