"""Writing files with one word per line: CoNLL-2003 with four columns, IOB with two, scored tags.

Tjong Kim Sang and De Meulder (2003), https://www.clips.uantwerpen.be/conll2003/ner/.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ....corpus.document import Document
from ....corpus.output.atomic import open_atomic
from ..conversion_report import ConversionReport, refuse_spaces, refuse_tags
from ..write_options import WriteOptions
from .columns import DOCUMENT_START
from .tokens import separate_tokens, tagged_sentences, to_tokens


def write_conll(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a CoNLL-2003 file, part of speech and chunk as `-X-`; return the document count."""
    return write_columns(path, documents, report, options.scheme, " -X- -X- ")


def write_columns(
    path: Path,
    documents: Iterable[Document],
    report: ConversionReport,
    scheme: str,
    separator: str,
) -> int:
    """Write words in columns, and return the number of documents.

    Documents begin with `-DOCSTART-`, unless each of them is one sentence: files of sentences,
    such as WNUT's, have no such lines, and other programs compare them line by line.

    Args:
        path: the file.
        documents: the documents.
        report: records what is dropped.
        scheme: the tagging scheme, `bio` or `bilou`.
        separator: the characters between a word and its tag.
    """
    count, are_sentences = 0, True
    with open_atomic(path) as file, tempfile.TemporaryFile() as unmarked:
        for document in documents:
            count += 1
            sentences = tagged_sentences(document, report, scheme)
            are_sentences = are_sentences and len(sentences) == 1
            file.write(f"{DOCUMENT_START}{separator}O\n\n".encode())
            for sentence in sentences:
                lines = [f"{token.text}{separator}{token.tag}\n" for token in sentence]
                block = "".join([*lines, "\n"]).encode()
                file.write(block)
                if are_sentences:
                    unmarked.write(block)
        if are_sentences:
            unmarked.seek(0)
            file.seek(0)
            file.truncate()
            shutil.copyfileobj(unmarked, file)
    return count


def write_iob(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a file of two columns, separated by a tab; return the document count."""
    return write_columns(path, documents, report, options.scheme, "\t")


def write_predictions(path: Path, pairs: Iterable[tuple[Document, Document]]) -> Counter[str]:
    """Write each token with its gold and its predicted tag, as conlleval reads them.

    The three columns are separated by a space, and a blank line ends each sentence. Tags are BIO.
    Tokens are those of the gold's source where it has them (`meta.tokens`), and words otherwise,
    split where a span of either side starts or ends.

    Args:
        path: the file.
        pairs: gold and predicted documents with the same text.

    Returns:
        How many spans the tags show differently, by side and reason.

    Raises:
        InputError: if a label contains a space, or is read as a tag.
    """
    reports = {"gold": ConversionReport(), "predictions": ConversionReport()}
    tokens = ConversionReport()
    with open_atomic(path) as file:
        for pair in pairs:
            for document in pair:
                refuse_spaces(document, "tags")
                refuse_tags(document)
            gold = pair[0]
            sentences = separate_tokens(gold, [span for d in pair for span in d.spans], tokens)
            columns = [
                to_tokens(gold, sentences, document.spans, report, "bio")
                for document, report in zip(pair, reports.values(), strict=True)
            ]
            for sentence in zip(*columns, strict=True):
                lines = [f"{a.text} {a.tag} {b.tag}\n" for a, b in zip(*sentence, strict=True)]
                file.write("".join([*lines, "\n"]).encode())
    counts = tokens.dropped
    for side, report in reports.items():
        counts.update({f"{kind}, in the {side}": n for kind, n in report.dropped.items()})
    return counts
