"""Tag files from the command line: the records of their articles as JSON Lines.

A model wheel contains a copy of this file as `__main__.py`: `python -m PACKAGE FILE…`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..training.tagger.thresholds import DIGITS
from .runtime import HASHES_FILE, load_normalizer, load_packaged, read_files

LINES_SUFFIXES = (".jsonl", ".ndjson", ".jl")
"""File name extensions of JSON Lines; other files are one text each."""
_JSON_START = re.compile(r'\s*(?:\[\s*)?\{\s*"[^"\n]*"\s*:')
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal or change the direction of text."""

Record = dict[str, Any]
"""A document without spans: `id`, `text` and `meta`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 2 for an error that the user can fix.

    Args:
        arguments: the options and files; None for those of the process.
    """
    package = Path(__file__).parent
    parser = argparse.ArgumentParser(
        prog=f"python -m {package.name}",
        description="Find the entities in texts and write one JSON record a line.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a text in UTF-8, or JSON Lines (.jsonl, .ndjson, .jl) with the field 'text'; - for "
        "JSON Lines or one text from standard input",
    )
    parser.add_argument("--version", action="version", version=version(package.name))
    names = parser.parse_args(arguments).files
    try:
        for name in names:
            if name != "-" and not Path(name).is_file():
                raise ValueError(f"{name}: no such file; check the path")
        (hashes,) = package.glob(f"{package.name}-*/*/{HASHES_FILE}")
        records = itertools.chain.from_iterable(map(_read, names))
        for record in tag(hashes.parent, records):
            print(_escape(json.dumps(record, ensure_ascii=False)), flush=True)
    except BrokenPipeError:
        # The reader has enough; without this, Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        print(f"error: {_escape(' '.join(str(error).splitlines()))}", file=sys.stderr)
        return 2
    return 0


def tag(model: Path, records: Iterable[Record]) -> Iterator[Record]:
    """Yield documents with their spans, as `orbat tag` writes them.

    Args:
        model: the folder of a packaged model's files.
        records: documents without spans.

    Raises:
        ValueError: if the model is damaged.
    """
    files = read_files(model)
    tagger, normalizer = load_packaged(files), load_normalizer(files)
    stream, again = itertools.tee(records)
    for record, mentions in zip(stream, tagger.pipe(r["text"] for r in again), strict=True):
        spans = []
        for mention, norm in zip(mentions, normalizer(record["text"], mentions), strict=True):
            span: Record = {"start": mention.start, "end": mention.end, "label": mention.label}
            if mention.score is not None:
                span["score"] = round(mention.score, DIGITS)
            if norm is not None:
                span["norm"] = norm.to_json()
            spans.append(span)
        yield {"id": record["id"], "text": record["text"], "spans": spans, "meta": record["meta"]}


def _read(name: str) -> Iterator[Record]:
    """Yield the documents of a file or of standard input.

    Raises:
        ValueError: naming the file, the line and what is wrong.
    """
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: not UTF-8 text (byte {error.start}); convert it") from error
    is_lines = name.lower().endswith(LINES_SUFFIXES) or (name == "-" and text.lstrip()[:1] == "{")
    stem = "stdin" if name == "-" else Path(name).stem
    if not is_lines:
        if _JSON_START.match(text):
            raise ValueError(f"{name}: JSON, not text; give JSON Lines, in a file named .jsonl")
        yield {"id": stem, "text": text, "meta": {}}
        return
    # Not splitlines(): texts may contain other line separators of Unicode.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _parse(line, f"{name}:{number}", f"{stem}-{number}")


def _escape(text: str) -> str:
    r"""Return a text, such as JSON, with control characters as escapes such as `\u009b`."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _parse(line: str, location: str, default_id: str) -> Record:
    try:
        value = json.loads(line)
        is_writable = _SURROGATE.search(json.dumps(value, ensure_ascii=False)) is None
    except ValueError as error:
        raise ValueError(f"{location}: not JSON ({error}); write one record per line") from error
    except RecursionError as error:
        raise ValueError(f"{location}: nested too deeply; flatten it") from error
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise ValueError(f"{location}: field 'text' is missing or not a string")
    surrogate = _SURROGATE.search(value["text"])
    if surrogate is not None:
        raise ValueError(
            f"{location}: field 'text' contains an unpaired surrogate at character "
            f"{surrogate.start()}; replace it with U+FFFD"
        )
    name, meta = value.get("id", default_id), value.get("meta", {})
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{location}: field 'id' must be a string that is not empty")
    if not isinstance(meta, dict):
        raise ValueError(f"{location}: field 'meta' must be an object")
    if not is_writable:
        raise ValueError(f"{location}: contains an unpaired surrogate; replace it with U+FFFD")
    return {"id": name, "text": value["text"], "meta": meta}


if __name__ == "__main__":
    sys.exit(main())
