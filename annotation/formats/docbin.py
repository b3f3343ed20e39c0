"""spaCy's `DocBin` (https://spacy.io/api/docbin)."""

from __future__ import annotations

import itertools
import json
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...corpus.document import NORM_FIELDS, Document
from ...corpus.output.atomic import open_atomic
from ...corpus.reading.bounded import check_packing
from ...errors import InputError, first_line
from .conversion_report import ConversionReport
from .imported import ImportedDocument, ImportedSpan, ReadOptions
from .source_tokens import Offsets, find_source_tokens, split_lines
from .sources import open_source
from .span_groups import SpanGroups
from .tokens.tokens import split_at_spans
from .write_options import WriteOptions

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span, SpanGroup


SPAN_ATTRIBUTES = {"norm": "norm", "score": "confidence", "annotator": "annotator", "note": "note"}
"""The custom attribute of spaCy (`span._.NAME`) that holds a field of a span."""
_USER_DATA = ("id", "meta")


def to_doc(nlp: Language, document: Document, report: ConversionReport | None = None) -> Doc:
    """Convert a document to a spaCy `Doc` with exactly the same text.

    Tokens and sentences are those of the source where the document has them (`meta.tokens`), else
    those of the pipeline's tokenizer. Spans are in `doc.ents`; tokens are split where a span starts
    or ends. The id of a span's entity is in `span.kb_id_`. Its other fields are in `span._.norm`,
    `span._.confidence` (the score), `span._.annotator` and `span._.note`, which spaCy shows after
    `Span.set_extension("confidence", default=None)` and so on. The document's id, and the metadata
    as JSON, are in `doc.user_data`.

    Args:
        nlp: a pipeline, for its vocabulary and tokenizer.
        document: the document.
        report: counts the source's tokens that are split, or do not fit the text.
    """
    report = report or ConversionReport()
    sentences = find_source_tokens(document, report)
    if sentences is None:
        doc = _tokenize(nlp, document)
    else:
        doc = _with_tokens(nlp, document, split_at_spans(sentences, document.spans, report))
    doc.user_data |= {"id": document.id, "meta": json.dumps(dict(document.meta))}
    doc.ents = tuple(
        doc.char_span(s.start, s.end, label=s.label, kb_id=(s.norm or {}).get("id") or "")
        for s in document.spans
    )
    for span in document.spans:
        for field, name in SPAN_ATTRIBUTES.items():
            if (value := getattr(span, field)) is not None:
                value = dict(value) if field == "norm" else value
                doc.user_data[_attribute_key(name, span.start, span.end)] = value
    return doc


def _tokenize(nlp: Language, document: Document) -> Doc:
    from spacy.tokens import Doc

    borders = sorted({offset for span in document.spans for offset in (span.start, span.end)})
    words: list[str] = []
    spaces: list[bool] = []
    # nlp.make_doc would refuse texts of more than a million characters.
    for token in nlp.tokenizer(document.text):
        end = token.idx + len(token)
        inner = borders[bisect_right(borders, token.idx) : bisect_left(borders, end)]
        cuts = [token.idx, *inner, end]
        words += [document.text[a:b] for a, b in itertools.pairwise(cuts)]
        spaces += [False] * (len(cuts) - 2) + [bool(token.whitespace_)]
    return Doc(nlp.vocab, words=words, spaces=spaces)


def _with_tokens(nlp: Language, document: Document, sentences: list[list[Offsets]]) -> Doc:
    """Return a `Doc` of given tokens; white space between them, but one space, is a token too."""
    from spacy.tokens import Doc

    text, end = document.text, 0
    words: list[str] = []
    spaces: list[bool] = []
    for start, stop in (*itertools.chain.from_iterable(sentences), (len(text), len(text))):
        gap = text[end:start]
        if words and gap.startswith(" "):
            spaces[-1], gap = True, gap[1:]
        added = [piece for piece in (gap, text[start:stop]) if piece]
        words += added
        spaces += [False] * len(added)
        end = stop
    lengths = (len(word) + space for word, space in zip(words, spaces, strict=True))
    first = {sentence[0][0] for sentence in sentences}
    sent_starts = [start in first for start in itertools.accumulate(lengths, initial=0)][:-1]
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=sent_starts)


def _attribute_key(name: str, start: int, end: int) -> tuple[str, str, int, int]:
    """Return the key of `doc.user_data` under which spaCy keeps `span._.NAME`."""
    return ("._.", name, start, end)


def write_docbin(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a `DocBin` for spaCy's training; return the document count.

    Raises:
        InputError: if the documents are too many for one file.
    """
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("xx")
    doc_bin = DocBin(store_user_data=True)
    for document in documents:
        doc_bin.add(to_doc(nlp, document, report))
    try:
        content = doc_bin.to_bytes()
    # MessagePack holds at most 4 GiB in one value.
    except ValueError as error:
        raise InputError(f"{path}: too large for one DocBin; write fewer documents") from error
    with open_atomic(path) as file:
        file.write(content)
    return len(doc_bin)


def read_docbin(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read the `doc.ents` of a `DocBin` as spans.

    Ids, metadata and the spans' fields are read from where :func:`to_doc` writes them; other
    documents are numbered. spaCy reads a file as a whole; its documents are made one at a time.

    Args:
        path: a file, folder or zip archive.
        options: `layer` is the key of a span group to read instead of the entities. The scores that
            spaCy's span categorizer stores with it are read as well.
        report: records what is dropped.

    Raises:
        InputError: if a file is not a `DocBin`.
    """
    groups = SpanGroups(options.layer, report)
    with open_source(path, (".spacy",), report) as files:
        for file, part in files:
            for number, doc in enumerate(_iterate_docs(file), start=1):
                where = f"{file}: document {number}"
                spans = groups.choose(
                    [_read_span(doc, ent) for ent in doc.ents],
                    {key: _read_group(doc, group) for key, group in doc.spans.items()},
                )
                report.drop("text categories", len(doc.cats))
                report.drop("other user data", sum(not _is_known(key) for key in doc.user_data))
                meta = _read_meta(doc.user_data.get("meta"))
                doc_id = doc.user_data.get("id")
                yield ImportedDocument(
                    *(where, doc_id, doc.text, spans, meta),
                    part=part,
                    sentences=_read_sentences(doc),
                )
    groups.check(path)


def _iterate_docs(path: Path) -> Iterator[Doc]:
    import spacy
    from spacy.tokens import DocBin

    try:
        _check_size(path)
        yield from DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    # For other bytes zlib, msgpack and numpy each raise errors of their own.
    except Exception as error:
        raise InputError(
            f"{path}: not a DocBin that spaCy {spacy.__version__} reads ({first_line(error)}); "
            "write one with to_disk"
        ) from error


def _check_size(path: Path) -> None:
    """Refuse a file that would fill the memory when spaCy unpacks it as a whole."""
    size, unpack = 0, zlib.decompressobj()
    with path.open("rb") as file:
        while block := file.read(2**16):
            while block:
                size += len(unpack.decompress(block, 2**20))
                block = unpack.unconsumed_tail
                check_packing(file.tell(), size, str(path))


def _read_sentences(doc: Doc) -> list[list[Offsets]] | None:
    """Return the tokens of each sentence, or line; None for those that :func:`to_doc` made."""
    meta = doc.user_data.get("meta")
    if isinstance(meta, str) and isinstance(_read_meta(meta), dict):
        return None
    if not doc.has_annotation("SENT_START"):
        return split_lines(doc.text, _offsets(doc))
    return [_offsets(sentence) for sentence in doc.sents]


def _offsets(tokens: Doc | Span) -> list[Offsets]:
    return [(token.idx, token.idx + len(token)) for token in tokens if not token.is_space]


def _read_span(doc: Doc, span: Span) -> ImportedSpan:
    values = {
        field: doc.user_data.get(_attribute_key(name, span.start_char, span.end_char))
        for field, name in SPAN_ATTRIBUTES.items()
    }
    norm, score = values["norm"], values["score"]
    # Other programs use the same names for values of other types.
    is_norm = isinstance(norm, dict) and set(norm) == NORM_FIELDS
    is_score = isinstance(score, int | float) and not isinstance(score, bool)
    texts = {name: values[name] for name in ("annotator", "note") if isinstance(values[name], str)}
    return ImportedSpan(
        *(span.start_char, span.end_char, span.label_),
        score=score if is_score else None,
        norm=_to_json(norm) if is_norm else None,
        **texts,
    )


def _read_group(doc: Doc, group: SpanGroup) -> list[ImportedSpan]:
    spans = [_read_span(doc, span) for span in group]
    scores = group.attrs.get("scores", ())
    if len(scores) == len(spans):
        for span, score in zip(spans, scores, strict=True):
            span.score = float(score)
    return spans


def _is_known(key: Any) -> bool:
    if isinstance(key, tuple):
        return len(key) > 1 and key[0] == "._." and key[1] in SPAN_ATTRIBUTES.values()
    return key in _USER_DATA


def _read_meta(value: Any) -> Any:
    """Return metadata as :func:`to_doc` writes them, or as others do."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return _to_json(value)


def _to_json(value: Any) -> Any:
    """Return a value with lists for tuples, which MessagePack gives, and strings as keys."""
    if isinstance(value, dict):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return value
