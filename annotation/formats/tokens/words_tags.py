"""Pairs of files: words in one, tags in the other, one sentence per line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ....corpus.document import Document
from ....corpus.files import open_folder_atomic
from ....errors import InputError
from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ReadOptions
from ..write_options import WriteOptions
from .tokens import Sentence, Word, read_lines, rebuild, tagged_sentences


def read_word_files(
    folder: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read pairs of files, `words.txt` and `tags.txt` or `NAME.words.txt` and `NAME.tags.txt`.

    Each line holds the words or tags of one sentence, separated by spaces. A line that is blank
    in both files ends a document; without blank lines each line is a document.

    Args:
        folder: the folder of the pairs.
        options: not used.
        report: not used: nothing is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    word_files = sorted(Path(folder).glob("*words.txt"))
    if not word_files:
        raise InputError(f"{folder}: no words.txt or NAME.words.txt; name a folder with one")
    for path in word_files:
        name = path.name.removesuffix("words.txt")
        documents = _read_pair(path, path.with_name(f"{name}tags.txt"))
        doc_id = name.rstrip(".") or Path(folder).name
        for number, sentences in enumerate(documents, start=1):
            yield rebuild(f"{path}: document {number}", sentences, f"{doc_id}-{number}")


def _read_pair(word_file: Path, tag_file: Path) -> list[list[Sentence]]:
    """Return the sentences of each document in a pair of files."""
    word_lines, tag_lines = read_lines(word_file), read_lines(tag_file)
    if len(word_lines) != len(tag_lines):
        raise InputError(
            f"{tag_file}: {len(tag_lines)} lines, but {word_file.name} has {len(word_lines)}; "
            "give both the same lines"
        )
    documents: list[list[Sentence]] = [[]]
    for number, lines in enumerate(zip(word_lines, tag_lines, strict=True), start=1):
        where = f"{tag_file}:{number}"
        words, tags = (line.split() for line in lines)
        if len(words) != len(tags):
            raise InputError(
                f"{where}: {len(tags)} tags for {len(words)} words; give each word one tag"
            )
        if words:
            pairs = zip(words, tags, strict=True)
            documents[-1].append([Word(word, tag, where) for word, tag in pairs])
        elif number < len(word_lines):
            documents.append([])
    if len(documents) == 1:
        documents = [[sentence] for sentence in documents[0]]
    return [sentences for sentences in documents if sentences]


def write_word_files(
    folder: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a new folder with `words.txt` and `tags.txt`; return the document count."""
    count = 0
    with (
        open_folder_atomic(folder) as draft,
        (draft / "words.txt").open("wb") as words,
        (draft / "tags.txt").open("wb") as tags,
    ):
        for document in documents:
            count += 1
            for sentence in tagged_sentences(document, report, options.scheme):
                words.write((" ".join(token.text for token in sentence) + "\n").encode())
                tags.write((" ".join(token.tag for token in sentence) + "\n").encode())
            words.write(b"\n")
            tags.write(b"\n")
    return count
