"""Adding articles to a corpus file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from corpus.document import Document
from corpus.duplicates import Duplicate, DuplicateFinder, drop_duplicates
from corpus.errors import InputError
from corpus.files import read_documents, sha256_text, write_documents
from corpus.sources import read_sources


@dataclass(frozen=True)
class IngestionReport:
    """What one run of :func:`add_to_corpus` did.

    Attributes:
        added: number of new documents.
        total: number of documents now in the corpus.
        duplicates: documents left out, each with the one that it repeats.
    """

    added: int
    total: int
    duplicates: tuple[Duplicate, ...]


def add_to_corpus(sources: Iterable[Path], output: Path) -> IngestionReport:
    """Clean the articles of `sources` and add those that are new to the corpus at `output`.

    Documents already in the corpus stay as they are and come first, so that adding the same
    articles twice changes nothing. The corpus is rewritten atomically.

    Raises:
        InputError: for input that cannot be read; the corpus is then untouched.
    """
    output = Path(output)
    if output.is_dir():
        raise InputError(f"{output}: is a folder; name a .jsonl file")
    old = list(read_documents(output)) if output.exists() else []
    finder = DuplicateFinder()
    for document in old:
        finder.meet(document)
    kept, dropped = drop_duplicates(read_sources(sources), finder)
    taken = {document.id for document in old}
    new = []
    for document in kept:
        if document.id in taken:
            renamed = f"{document.id}-{sha256_text(document.text)[:8]}"
            document = Document(renamed, document.text, document.spans, document.meta)
        taken.add(document.id)
        new.append(document)
    if new or not output.exists():
        write_documents(output, old + new)
    return IngestionReport(len(new), len(old) + len(new), tuple(dropped))
