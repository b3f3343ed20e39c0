"""The report of a conversion, and functions that several writers share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from ...corpus.document import Document
from ...corpus.labels import label_fault
from ...corpus.rejected import Rejected
from ...errors import InputError

MAX_EXAMPLES = 3
"""How many rejected items a report keeps."""
_MAX_NAMES = 5
"""How many files a line names."""
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
        examples: the first of these.
        unread: the names of files of a folder or archive that were not read.
    """

    documents: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    rejections: int = 0
    examples: list[Rejected] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def drop(self, kind: str, count: int = 1) -> None:
        """Record that items of a kind were dropped."""
        if count:
            self.dropped[kind] += count

    def reject(self, location: str, reason: str) -> None:
        """Record a document or annotation that cannot be right."""
        self.rejections += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(Rejected(location, reason))

    def leave_unread(self, names: Iterable[str]) -> None:
        """Record files that were not read, but for those that only describe the others."""
        self.unread += (name for name in names if not describes_others(PurePath(name)))

    def lines(self) -> list[str]:
        """Return lines on the files that were not read, and on what was dropped."""
        lines = [f"dropped: {count} {kind}" for kind, count in sorted(self.dropped.items())]
        if not self.unread:
            return lines
        count = len(self.unread)
        more = f" and {count - _MAX_NAMES} more" if count > _MAX_NAMES else ""
        names = ", ".join(sorted(self.unread)[:_MAX_NAMES]) + more
        return [f"not read: {count} file{'s' if count > 1 else ''} ({names})", *lines]

    def check(self) -> None:
        """Refuse the source if anything was rejected.

        Raises:
            InputError: naming the first one, and the number of the others.
        """
        if not self.rejections:
            return
        more = f" ({self.rejections - 1} more like this)" if self.rejections > 1 else ""
        raise InputError(f"{self.examples[0]}{more}; correct it, or leave it out with --skip-bad")


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
