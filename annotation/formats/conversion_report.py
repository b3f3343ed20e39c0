"""The report of a conversion, and functions that several writers share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from ...corpus.document import Document
from ...corpus.labels import label_fault
from ...corpus.rejected import Rejected
from ...errors import InputError, did_you_mean
from ...ui import format_count

MAX_EXAMPLES = 3
"""How many rejected items a report keeps."""
_MAX_NAMES = 5
"""How many files a line names."""
_MAX_LABELS = 50
"""How many labels a line names."""
_MAX_COMPARED = 200
_TIMES_AS_FREQUENT = 10
_SIMILAR = 0.85
"""A label with a tenth of the spans of another one may be a slip, if so much of both is the same.
`CARDINAL` and `ORDINAL` are less alike, and more than this number of labels are not compared."""
OTHER_LABELS = "annotations of other labels"
_OVERLAPPING = "overlapping annotations"
_BY_FILE = re.compile(
    r"(?:readme|licen[cs]e|copying|citation)(?:[-_.].*)?|thumbs\.db|desktop\.ini"
    # Of brat, data sets of Hugging Face and UIMA.
    r"|(?:annotation|visual|tools|kb_shortcuts)\.conf|acl\.cfg"
    r"|dataset_infos?\.json|dataset_dict\.json|state\.json|typesystem\.xml",
    re.IGNORECASE,
)


@dataclass
class ConversionReport:
    """The result of a conversion.

    Attributes:
        documents: the number of documents written.
        dropped: the number of dropped items by kind, such as `relations`.
        rejections: the number of documents and annotations that contradict themselves or the text.
        malformed: the number of lines that are no annotations of the format.
        examples: the first of these and of the rejections.
        unread: the names of files of a folder or archive that were not read.
        labels: the number of spans of each label.
        other_labels: the number of spans that were dropped for each label that is not wanted.
        without_spans: the number of documents without spans.
        overlapping: the first ids of documents with spans that overlap.
        overlapping_documents: the number of such documents.
        read_as: how files of words and tags were read, with the number of files.
        single_documents: files of many sentences that are one document, each with the reason.
    """

    documents: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    rejections: int = 0
    examples: list[Rejected] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    malformed: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    other_labels: Counter[str] = field(default_factory=Counter)
    without_spans: int = 0
    overlapping: list[str] = field(default_factory=list)
    overlapping_documents: int = 0
    read_as: Counter[str] = field(default_factory=Counter)
    single_documents: list[str] = field(default_factory=list)

    def drop(self, kind: str, count: int = 1) -> None:
        """Record that items of a kind were dropped."""
        if count:
            self.dropped[kind] += count

    def drop_overlapping(self, doc_id: str, count: int) -> None:
        """Record that spans of a document were dropped because they overlap longer ones."""
        if count:
            self.drop(_OVERLAPPING, count)
            self.overlapping_documents += 1
            if len(self.overlapping) < MAX_EXAMPLES:
                self.overlapping.append(doc_id)

    def count(self, document: Document) -> None:
        """Count the spans of a document that is converted."""
        self.labels.update(span.label for span in document.spans)
        self.without_spans += not document.spans

    def reject(self, location: str, reason: str, *, is_malformed: bool = False) -> None:
        """Record a document or annotation that cannot be right, or a malformed line."""
        if is_malformed:
            self.malformed += 1
        else:
            self.rejections += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(Rejected(location, reason))

    def leave_unread(self, names: Iterable[str]) -> None:
        """Record files that were not read, but for those that only describe the others."""
        self.unread += (name for name in names if not describes_others(PurePath(name)))

    def lines(self) -> list[str]:
        """Return lines on the files that were not read, and on what was dropped."""
        lines = [f"dropped: {text}" for text in self.describe_dropped()]
        if not self.unread:
            return lines
        count = len(self.unread)
        names = _list_names(sorted(self.unread)[:_MAX_NAMES], count)
        return [f"not read: {format_count(count, 'file')} ({names})", *lines]

    def describe_dropped(self) -> list[str]:
        """Return the kinds of what was dropped, each with the count, labels and documents."""
        details = {OTHER_LABELS: f": {_list_counts(self.other_labels)}"}
        if self.overlapping_documents:
            names = _list_names(self.overlapping, self.overlapping_documents)
            number = format_count(self.overlapping_documents, "document")
            details[_OVERLAPPING] = f" in {number}: {names}"
        return [
            f"{kind} ({count:,}){details.get(kind, '')}"
            for kind, count in sorted(self.dropped.items())
        ]

    def reading_lines(self) -> list[str]:
        """Return lines on how files of words and tags were read."""
        files = self.read_as.total()
        lines = [
            f"read: {text}" + (f" ({format_count(count, 'file')})" if files > 1 else "")
            for text, count in self.read_as.most_common()
        ]
        # A few documents cannot be split into train, dev and test.
        return [*lines, *self.single_documents[:MAX_EXAMPLES]] if self.documents <= 3 else lines

    def label_lines(self) -> list[str]:
        """Return lines on the spans of each label, on labels that may be slips, and on documents
        without spans."""
        lines = [f"spans: {_list_counts(self.labels) or 'none'}"]
        if self.without_spans:
            lines.append(f"documents without spans: {self.without_spans:,} of {self.documents:,}")
        return [*lines, *describe_similar_labels(self.labels)]

    def rejection_lines(self) -> list[str]:
        """Return lines on what was rejected, with examples."""
        parts = []
        if self.malformed:
            parts.append(format_count(self.malformed, "malformed line"))
        if self.rejections:
            kind = format_count(
                self.rejections,
                "annotation or document that contradicts",
                "annotations or documents that contradict",
            )
            parts.append(f"{kind} the format or the text")
        if not parts:
            return []
        return [f"left out: {', '.join(parts)}, such as", *(f"  {one}" for one in self.examples)]

    def check(self) -> None:
        """Refuse the source if anything was rejected.

        Raises:
            InputError: naming the first one, and the number of the others.
        """
        count = self.rejections + self.malformed
        if not count:
            return
        more = f" ({count - 1} more like this)" if count > 1 else ""
        raise InputError(f"{self.examples[0]}{more}; correct it, or leave it out with --skip-bad")


def describe_similar_labels(labels: Mapping[str, int]) -> list[str]:
    """Return a line for each label that may be a slip: rare, and almost the name of another one.

    Args:
        labels: the number of spans of each label.
    """
    if len(labels) > _MAX_COMPARED:
        return []
    lines = []
    for label, count in labels.items():
        others = [
            other
            for other, more in labels.items()
            if more >= _TIMES_AS_FREQUENT * count
            or (other.casefold() == label.casefold() and more > count)
        ]
        if meant := did_you_mean(label, others, cutoff=_SIMILAR):
            lines.append(f"label '{label}' has {format_count(count, 'span')}{meant}")
    return lines[:MAX_EXAMPLES]


def _list_counts(counts: Counter[str]) -> str:
    """Return `A 12, B 3`, the most frequent ones first."""
    shown = [f"{name} {count:,}" for name, count in counts.most_common(_MAX_LABELS)]
    return _list_names(shown, len(counts))


def _list_names(shown: Sequence[str], count: int) -> str:
    """Return the first of a number of names, and how many more there are."""
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return ", ".join(shown) + more


def describes_others(path: PurePath) -> bool:
    """Return whether a file of this name holds no documents, but a license, settings and so on."""
    return _BY_FILE.fullmatch(path.name) is not None


def drop_meta(document: Document, report: ConversionReport, kept: Iterable[str] = ()) -> None:
    """Record that a document's metadata are dropped, unless all fields are among those kept."""
    if set(document.meta) - set(kept):
        report.drop("document metadata")


def drop_span_fields(
    document: Document, report: ConversionReport, kept: Iterable[str] = ()
) -> None:
    """Record which of the spans' annotators, scores, notes and norms are dropped."""
    for name in {"annotator", "score", "note", "norm"} - set(kept):
        report.drop(f"span {name}s", sum(getattr(s, name) is not None for s in document.spans))


def refuse_spaces(document: Document, subject: str) -> None:
    """Refuse a document with a label that contains a space, for formats that split at spaces.

    Raises:
        InputError: naming document and label.
    """
    for span in document.spans:
        if len(span.label.split()) != 1:
            raise InputError(
                f"document '{document.id}': {subject} cannot contain spaces, but label "
                f"'{span.label}' does; rename it"
            )


def refuse_tags(document: Document) -> None:
    """Refuse a document with a label that would be read as another tag, for formats of tags.

    Raises:
        InputError: naming document and label.
    """
    for label in {span.label for span in document.spans}:
        if fault := label_fault(label):
            raise InputError(f"document '{document.id}': label {fault}")


def file_name(doc_id: str) -> str:
    """Return a document id as a relative path without suffix; unsafe characters become `_`."""
    parts = [re.sub(r"[^\w.@+=,-]", "_", part)[:100] for part in doc_id.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)


def unused_name(name: str, used: set[str]) -> str:
    """Return a file name that differs from those used, and add it to them.

    Names that differ only in case are the same file on some systems.
    """
    while name.lower() in used:
        name += "-again"
    used.add(name.lower())
    return name
