"""spaCy's `DocBin` (https://spacy.io/api/docbin)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...corpus.document import NORM_FIELDS, Document
from ...corpus.files import open_atomic
from ...errors import InputError
from .conversion_report import ConversionReport, drop_span_fields
from .imported import ImportedDocument, ImportedSpan, ReadOptions
from .write_options import WriteOptions

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


def to_doc(nlp: Language, document: Document) -> Doc:
    """Convert a document to a spaCy `Doc` with exactly the same text.

    Spans are in `doc.ents`; tokens are split where a span starts or ends. The values of a span are
    in `span._.norm`, and the id of its entity in `span.kb_id_`. The document's id, and the metadata
    as JSON, are in `doc.user_data`.
    """
    from spacy.tokens import Doc

    borders = {offset for span in document.spans for offset in (span.start, span.end)}
    words: list[str] = []
    spaces: list[bool] = []
    # nlp.make_doc would refuse texts of more than a million characters.
    for token in nlp.tokenizer(document.text):
        end = token.idx + len(token)
        cuts = [token.idx, *sorted(b for b in borders if token.idx < b < end), end]
        words += [document.text[a:b] for a, b in itertools.pairwise(cuts)]
        spaces += [False] * (len(cuts) - 2) + [bool(token.whitespace_)]
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    doc.user_data |= {"id": document.id, "meta": json.dumps(dict(document.meta))}
    doc.ents = tuple(
        doc.char_span(s.start, s.end, label=s.label, kb_id=(s.norm or {}).get("id") or "")
        for s in document.spans
    )
    for span in document.spans:
        if span.norm is not None:
            doc.user_data[_norm_key(span.start, span.end)] = dict(span.norm)
    return doc


def _read_norm(doc: Doc, start: int, end: int) -> Any:
    """Return the values of a span; None if it has none, or those of another program."""
    norm = doc.user_data.get(_norm_key(start, end))
    if not isinstance(norm, dict) or set(norm) != NORM_FIELDS:
        return None
    # MessagePack has given tuples for lists.
    return json.loads(json.dumps(norm))


def _norm_key(start: int, end: int) -> tuple[str, str, int, int]:
    """Return the key of `doc.user_data` under which spaCy keeps `span._.norm`."""
    return ("._.", "norm", start, end)


def write_docbin(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a `DocBin` for spaCy's training; return the document count."""
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("xx")
    doc_bin = DocBin(store_user_data=True)
    for document in documents:
        drop_span_fields(document, report, ("norm",))
        doc_bin.add(to_doc(nlp, document))
    with open_atomic(path) as file:
        file.write(doc_bin.to_bytes())
    return len(doc_bin)


def read_docbin(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read the `doc.ents` of a `DocBin` as spans.

    Ids and metadata are read from `doc.user_data`, where :func:`to_doc` writes them; other
    documents are numbered. Span groups are dropped.

    Args:
        path: the file.
        options: not used.
        report: records what is dropped.

    Raises:
        InputError: if the file is not a `DocBin`.
    """
    import spacy
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    # For other bytes zlib, msgpack and numpy each raise errors of their own.
    except Exception as error:
        raise InputError(f"{path}: not a DocBin ({error}); write one with to_disk") from error
    for number, doc in enumerate(docs, start=1):
        report.drop("spans of span groups", sum(len(group) for group in doc.spans.values()))
        spans = [
            ImportedSpan(
                ent.start_char,
                ent.end_char,
                ent.label_,
                norm=_read_norm(doc, ent.start_char, ent.end_char),
            )
            for ent in doc.ents
        ]
        meta = json.loads(doc.user_data.get("meta", "{}"))
        yield ImportedDocument(
            f"{path}: document {number}", doc.user_data.get("id"), doc.text, spans, meta
        )
