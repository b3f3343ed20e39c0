"""spaCy's `DocBin` (https://spacy.io/api/docbin)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...corpus.document import Document, Span
from ...corpus.files import open_atomic
from ...errors import InputError
from .conversion_report import ConversionReport, assemble, count_lost_marks

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


def to_doc(nlp: Language, document: Document) -> Doc:
    """Return a document as spaCy's, its text to the character.

    Spans are in `doc.ents`; tokens are cut where one begins or ends. Id and meta, as JSON, are
    in `doc.user_data`.
    """
    from spacy.tokens import Doc

    borders = {place for span in document.spans for place in (span.start, span.end)}
    words: list[str] = []
    spaces: list[bool] = []
    for token in nlp.make_doc(document.text):
        end = token.idx + len(token)
        cuts = [token.idx, *sorted(b for b in borders if token.idx < b < end), end]
        words += [document.text[a:b] for a, b in itertools.pairwise(cuts)]
        spaces += [False] * (len(cuts) - 2) + [bool(token.whitespace_)]
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    doc.user_data |= {"id": document.id, "meta": json.dumps(dict(document.meta))}
    doc.ents = tuple(doc.char_span(s.start, s.end, label=s.label) for s in document.spans)
    return doc


def write_docbin(path: Path, documents: Iterable[Document], losses: ConversionReport) -> int:
    """Write a DocBin for spaCy's training and pipes; count the documents."""
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("xx")
    box = DocBin(store_user_data=True)
    for document in documents:
        count_lost_marks(document, losses)
        box.add(to_doc(nlp, document))
    with open_atomic(path) as file:
        file.write(box.to_bytes())
    return len(box)


def read_docbin(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a DocBin: `doc.ents` become spans.

    Ids and meta are those of :func:`to_doc` where it made the file; else documents are numbered.
    Span groups are left out.

    Args:
        path: the file.
        losses: counts what is left out.

    Raises:
        InputError: if it is none.
    """
    import spacy
    from spacy.tokens import DocBin

    try:
        docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    # zlib, msgpack and numpy each raise errors of their own for bytes that are no DocBin.
    except Exception as error:
        raise InputError(f"{path}: not a DocBin ({error}); write one with to_disk") from error
    for number, doc in enumerate(docs, start=1):
        losses["spans of span groups"] += sum(len(group) for group in doc.spans.values())
        spans = [Span(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        identity = doc.user_data.get("id", f"{Path(path).stem}-{number}")
        meta = json.loads(doc.user_data.get("meta", "{}"))
        yield assemble(identity, doc.text, spans, meta, losses)
