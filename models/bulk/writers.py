"""Writers of tagged documents: JSON Lines, Parquet and spaCy's DocBin."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, document_to_json, parse_document
from ...corpus.files import read_json_lines
from ...corpus.output.atomic import open_atomic

OUTPUT_SUFFIXES = (".jsonl", ".parquet", ".spacy")
"""File name extensions of the output formats."""
PARQUET_BATCH = 1000
"""Documents in one row group of a Parquet file."""
DOCBIN_DOCUMENTS = 10_000
"""Documents in one DocBin file, which spaCy loads into memory as a whole."""


def write_output(part: Path, output: Path) -> tuple[Path, ...]:
    """Convert tagged documents to the format that the output's extension names.

    Args:
        part: JSON Lines of tagged documents with unique ids. Moved if the output is JSON Lines.
        output: a path with one of :data:`OUTPUT_SUFFIXES`.

    Returns:
        The files written: several numbered ones for many documents in DocBin format.
    """
    match output.suffix:
        case ".parquet":
            _write_parquet(part, output)
        case ".spacy":
            return _write_docbins(part, output)
        case _:
            part.replace(output)
    return (output,)


def _write_parquet(part: Path, output: Path) -> None:
    """Write a table with the columns id, text, spans (list of structs) and meta (JSON).

    The values of a span, `norm`, are JSON as well, since each label has other fields.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    span = pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("label", pa.string()),
            ("score", pa.float64()),
            ("norm", pa.string()),
        ]
    )
    columns = [("id", pa.string()), ("text", pa.string()), ("spans", pa.list_(span))]
    schema = pa.schema([*columns, ("meta", pa.string())])
    with open_atomic(output) as file, ParquetWriter(file, schema) as writer:
        for documents in _read_batches(part, PARQUET_BATCH):
            rows = [_to_row(document) for document in documents]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _to_row(document: Document) -> dict[str, Any]:
    record = document_to_json(document)
    for span in record["spans"]:
        if "norm" in span:
            span["norm"] = json.dumps(span["norm"], ensure_ascii=False)
    return {**record, "meta": json.dumps(record["meta"])}


def _write_docbins(part: Path, output: Path) -> tuple[Path, ...]:
    """Write DocBin files OUT.spacy, OUT-2.spacy, … with the entities in `doc.ents`."""
    import spacy
    from spacy.tokens import DocBin

    from ...annotation.formats.docbin import to_doc

    nlp = spacy.blank("xx")
    paths = []
    for index, documents in enumerate(_read_batches(part, DOCBIN_DOCUMENTS)):
        path = output if not index else output.with_stem(f"{output.stem}-{index + 1}")
        docbin = DocBin(store_user_data=True)
        for document in documents:
            docbin.add(to_doc(nlp, document))
        with open_atomic(path) as file:
            file.write(docbin.to_bytes())
        paths.append(path)
    return tuple(paths)


def _read_batches(part: Path, size: int) -> Iterator[list[Document]]:
    """Yield the documents of a JSON Lines file in batches of `size`."""
    # read_documents would keep all ids in memory to find duplicates; these ids are unique.
    documents = (parse_document(record, where) for where, record in read_json_lines(part))
    while batch := list(itertools.islice(documents, size)):
        yield batch
