"""Pairs of files: words in one, tags in the other, one sentence per line."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ....corpus.document import Document
from ....corpus.output.atomic import open_folder_atomic
from ....errors import InputError
from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ReadOptions
from ..sources import report_unread
from ..write_options import WriteOptions
from .columns import read_lines, split_blanks
from .reading_notes import SchemeFinder
from .rebuilding import Sentence, Word, rebuild
from .tags import find_style
from .tokens import tagged_sentences


def read_word_files(
    folder: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read pairs of files, `words.txt` and `tags.txt` or `NAME.words.txt` and `NAME.tags.txt`.

    Each line holds the words or tags of one sentence, separated by spaces. A line that is blank
    in both files ends a document; without blank lines each line is a document.

    Args:
        folder: the folder of the pairs.
        options: not used.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    word_files = sorted(Path(folder).glob("*words.txt"))
    if not word_files:
        raise InputError(f"{folder}: no words.txt or NAME.words.txt; name a folder with one")
    report_unread(folder, (*word_files, *map(_tag_file, word_files)), report)
    for path in word_files:
        doc_id = path.name.removesuffix("words.txt").rstrip(".") or Path(folder).name
        pair = _Pair(path, _tag_file(path))
        scheme = SchemeFinder(pair.style)
        for number, sentences in enumerate(pair.documents(), start=1):
            yield rebuild(
                *(f"{path}: document {number}", sentences, report, pair.style),
                doc_id=f"{doc_id}-{number}",
                scheme=scheme,
            )
        report.read_as[f"words and tags in files of their own, {scheme.describe()}"] += 1
        scheme.count_changes(report)


def _tag_file(word_file: Path) -> Path:
    return word_file.with_name(f"{word_file.name.removesuffix('words.txt')}tags.txt")


class _Pair:
    """A file of words and a file of their tags.

    Attributes:
        style: how the tags are written.

    Raises:
        InputError: if the files do not belong together, or hold no tags.
    """

    def __init__(self, word_file: Path, tag_file: Path) -> None:
        self._word_file = word_file
        self._tag_file = tag_file
        # Blank lines separate documents; without them, each line is a document.
        self._has_blanks = False
        tags: Counter[str] = Counter()
        for word_line, tag_line in self._lines():
            tags.update(split_blanks(tag_line))
            self._has_blanks |= not (word_line.strip() or tag_line.strip())
        style = find_style(tags, is_chosen=True)
        if style is None:
            example = next(iter(tags), "")[:40]
            raise InputError(f"{tag_file}: '{example}' is no tag such as O and B-PER; check --from")
        self.style = style

    def _lines(self) -> Iterator[tuple[str, str]]:
        pairs = itertools.zip_longest(read_lines(self._word_file), read_lines(self._tag_file))
        for word_line, tag_line in pairs:
            if word_line is None or tag_line is None:
                longer, shorter = self._word_file, self._tag_file
                if word_line is None:
                    longer, shorter = shorter, longer
                number = (word_line or tag_line).number
                raise InputError(
                    f"{longer}:{number}: a line that {shorter.name} does not have; give both the "
                    "same lines"
                )
            yield word_line.text, tag_line.text

    def documents(self) -> Iterator[list[Sentence]]:
        """Yield the sentences of each document."""
        document: list[Sentence] = []
        for number, (word_line, tag_line) in enumerate(self._lines(), start=1):
            where = f"{self._tag_file}:{number}"
            words, tags = split_blanks(word_line), split_blanks(tag_line)
            if len(words) != len(tags):
                raise InputError(
                    f"{where}: {len(tags)} tags for {len(words)} words; give each word one tag"
                )
            if words:
                pairs = zip(words, tags, strict=True)
                document.append(Sentence([Word(word, tag, where) for word, tag in pairs]))
            if document and (not words or not self._has_blanks):
                yield document
                document = []
        if document:
            yield document


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
