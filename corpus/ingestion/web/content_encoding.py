"""Bodies of HTTP responses as archives store them: packed, and in chunks."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

from ....errors import InputError
from ...reading.bounded import MAX_ARTICLE_BYTES

_PLAIN_ENCODINGS = ("", "identity", "none", "utf-8", "utf8")
"""Values of Content-Encoding under which a body is not packed; the last are errors of sites."""

_GZIP_PART_BYTES = 4096


def join_chunks(body: bytes) -> bytes:
    """Return a body of the transfer encoding `chunked`; what is not in chunks stays as it is."""
    from warcio.bufferedreaders import ChunkedDataReader

    reader = ChunkedDataReader(io.BytesIO(body))
    return b"".join(iter(lambda: reader.read(2**16), b""))


def unpack(body: bytes, content_encoding: str, location: str) -> bytes:
    """Undo the content encodings of a body (RFC 9110, 8.4).

    A body that is not packed, although its header says so, stays as it is: tools that store pages
    often unpack them and keep the header.

    Args:
        body: the body, without its transfer encoding.
        content_encoding: the header, with encodings in the order in which they were applied.
        location: the source, for messages.

    Raises:
        InputError: if an encoding is unknown, its package is missing, the body is damaged or
            exceeds :data:`MAX_ARTICLE_BYTES`.
    """
    for name in reversed([part.strip().lower() for part in content_encoding.split(",")]):
        if name in _PLAIN_ENCODINGS:
            continue
        if name not in _DECODERS:
            raise InputError(f"{location}: unknown Content-Encoding '{name}'; unpack it first")
        if _is_markup(body):
            continue
        try:
            body = _DECODERS[name](body)
        except ModuleNotFoundError as error:
            raise InputError(
                f"{location}: packed with {name}; install {error.name} (pip install {error.name})"
            ) from error
        # Each package has an error class of its own, derived from one of these.
        except Exception as error:
            raise InputError(
                f"{location}: not valid {name} data ({error}); fetch it again"
            ) from error
        if len(body) > MAX_ARTICLE_BYTES:
            raise InputError(f"{location}: larger than {MAX_ARTICLE_BYTES >> 20} MB; split it")
    return body


def _is_markup(body: bytes) -> bool:
    """Return whether a body is readable as it is: it begins with a tag, after white space."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"\0" not in body[:1024]


def _unpack_gzip(body: bytes) -> bytes:
    """Unpack one or more gzip members; a truncated one as far as it goes."""
    unpacked = bytearray()
    position = 0
    member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    while position < len(body) and len(unpacked) <= MAX_ARTICLE_BYTES:
        if member.eof:
            member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        # Little at a time: what follows a member is copied, and a body may have millions.
        part = body[position : position + _GZIP_PART_BYTES]
        try:
            unpacked += member.decompress(part)
        except zlib.error:
            # Bytes after the last member are ignored, as browsers do.
            if not unpacked:
                raise
            break
        position += len(part) - len(member.unused_data)
    return bytes(unpacked)


def _unpack_deflate(body: bytes) -> bytes:
    """Unpack zlib data or, as some servers send them, raw deflate data."""
    try:
        return zlib.decompressobj().decompress(body, MAX_ARTICLE_BYTES + 1)
    except zlib.error:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, MAX_ARTICLE_BYTES + 1)


def _unpack_brotli(body: bytes) -> bytes:
    import brotli

    decompressor = brotli.Decompressor()
    unpacked = bytearray(decompressor.process(body, output_buffer_limit=2**20))
    while len(unpacked) <= MAX_ARTICLE_BYTES and not decompressor.is_finished():
        more = decompressor.process(b"", output_buffer_limit=2**20)
        if not more:
            raise ValueError("truncated")
        unpacked += more
    return bytes(unpacked)


def _unpack_zstd(body: bytes) -> bytes:
    import zstandard

    source = io.BytesIO(body)
    with zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True) as reader:
        return bytes(reader.read(MAX_ARTICLE_BYTES + 1))


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _unpack_gzip,
    "x-gzip": _unpack_gzip,
    "deflate": _unpack_deflate,
    "br": _unpack_brotli,
    "zstd": _unpack_zstd,
}
