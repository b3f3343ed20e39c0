"""The same documents in several files: paired by id, or by text where ids differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..corpus.document import Document
from ..errors import InputError

_SHOWN = 3
"""How many ids a message names."""


@dataclass
class TextMatches:
    """Documents that two files have under different ids.

    Attributes:
        count: the number of documents matched by their text.
        ambiguous: ids of the documents not matched, as their text occurs several times in a file.
    """

    count: int = 0
    ambiguous: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Forget all documents."""
        self.count = 0
        self.ambiguous = []

    def lines(self) -> list[str]:
        """Return what the user should know, in at most two lines."""
        lines = []
        if self.count:
            lines.append(f"{self.count} documents matched by their text, since their ids differ")
        if self.ambiguous:
            names = ", ".join(f"'{name}'" for name in self.ambiguous[:_SHOWN])
            more = len(self.ambiguous) - _SHOWN
            names += f" and {more} more" if more > 0 else ""
            lines.append(
                f"{len(self.ambiguous)} documents not matched by their text, since it occurs "
                f"several times in a file: {names}"
            )
        return lines


def match_ids(
    annotations: Mapping[str, Sequence[Document]],
) -> tuple[dict[str, Sequence[Document]], TextMatches]:
    """Give the documents of several annotators the same ids.

    A document without a counterpart of its id, or whose counterpart has another text, gets the id
    of the document with exactly its text in the files before, if there is one such document on
    both sides, or if all texts are the same, in the same order.

    Args:
        annotations: each annotator's documents; their texts may be missing.

    Returns:
        The documents by annotator, in the same order, and the number of new ids.
    """
    matches = TextMatches()
    texts: dict[str, str] = {}
    result: dict[str, Sequence[Document]] = {}
    for name, documents in annotations.items():
        matched = _match_to(texts, documents, matches) if result else documents
        for document in matched:
            texts[document.id] = texts.get(document.id) or document.text
        result[name] = matched
    return result, matches


def _match_to(
    texts: Mapping[str, str], documents: Sequence[Document], matches: TextMatches
) -> Sequence[Document]:
    """Match documents to texts by id."""
    if all(texts.values()) and [*texts.values()] == [document.text for document in documents]:
        # The same documents in the same order: texts that occur several times are certain too.
        pairs = list(zip(documents, texts, strict=True))
        matches.count += sum(document.id != doc_id for document, doc_id in pairs)
        return [replace(document, id=doc_id) for document, doc_id in pairs]
    paired = {d.id for d in documents if d.id in texts and not _differ(texts[d.id], d.text)}
    unpaired = [document for document in documents if document.id not in paired and document.text]
    if not unpaired:
        return documents
    ids_by_text: dict[str, list[str]] = {}
    for doc_id, text in texts.items():
        if doc_id not in paired:
            ids_by_text.setdefault(text, []).append(doc_id)
    times = Counter(document.text for document in unpaired)
    new_ids: dict[str, str] = {}
    for document in unpaired:
        ids = ids_by_text.get(document.text, ())
        if len(ids) == 1 and times[document.text] == 1:
            new_ids[document.id] = ids[0]
        elif ids:
            matches.ambiguous.append(document.id)
    matches.count += len(new_ids)
    return [replace(d, id=new_ids.get(d.id, d.id)) for d in documents]


def group_by_document(
    annotations: Mapping[str, Iterable[Document]],
) -> dict[str, dict[str, Document]]:
    """Group the documents of several annotators by document id, then by annotator.

    Args:
        annotations: each annotator's documents. They may hold different documents, and documents
            without their text.

    Raises:
        InputError: if two annotators have different texts under one id.
    """
    documents_by_id: dict[str, dict[str, Document]] = {}
    for name, documents in annotations.items():
        for document in documents:
            by_annotator = documents_by_id.setdefault(document.id, {})
            for other, known in by_annotator.items():
                if _differ(known.text, document.text):
                    raise InputError(
                        f"text of '{document.id}' differs between {other} and {name}; "
                        "compare annotations of the same text"
                    )
            by_annotator[name] = document
    return documents_by_id


def pair_documents(
    first: Iterable[Document],
    second: Iterable[Document],
    names: tuple[str, str],
    matches: TextMatches | None = None,
) -> Iterator[tuple[Document, Document]]:
    """Pair the documents of two sources by id, in the order of the first.

    Both sources are read in step; only documents that the other has not reached yet are kept in
    memory. From the first document on that has no counterpart of its id, all are, and are matched
    as :func:`match_ids` does. The second document of a pair has the id of the first.

    Args:
        first: documents of one source, such as gold.
        second: documents of the other, such as predictions.
        names: the sources' names for messages, such as their file names.
        matches: receives the number of documents matched by their text.

    Raises:
        InputError: if one source lacks a document of the other, or a text differs.
    """
    matches = matches if matches is not None else TextMatches()
    documents, remaining = iter(first), iter(second)
    waiting: dict[str, Document] = {}
    for document in documents:
        while document.id not in waiting and (other := next(remaining, None)) is not None:
            waiting[other.id] = other
        partner = waiting.get(document.id)
        if partner is None or _differ(document.text, partner.text):
            rest = [document, *documents], [*waiting.values(), *remaining]
            yield from _pair_all(*rest, names, matches)
            return
        del waiting[document.id]
        yield document, partner
    unpaired = next(iter(waiting.values()), None) or next(remaining, None)
    if unpaired is not None:
        raise InputError(_missing(unpaired.id, *reversed(names)))


def _pair_all(
    first: Sequence[Document],
    second: Sequence[Document],
    names: tuple[str, str],
    matches: TextMatches,
) -> Iterator[tuple[Document, Document]]:
    matched, found = match_ids({"first": first, "second": second})
    matches.count += found.count
    matches.ambiguous += found.ambiguous
    by_id = {document.id: document for document in matched["second"]}
    for document in first:
        partner = by_id.pop(document.id, None)
        if partner is None:
            raise InputError(_missing(document.id, *names, found.ambiguous))
        if _differ(document.text, partner.text):
            raise InputError(
                f"{names[1]}: text of '{document.id}' differs from {names[0]}; "
                "compare annotations of the same text"
            )
        yield document, partner
    for doc_id in by_id:
        raise InputError(_missing(doc_id, *reversed(names)))


def _differ(first: str, second: str) -> bool:
    return bool(first and second and first != second)


def _missing(doc_id: str, present: str, absent: str, ambiguous: Sequence[str] = ()) -> str:
    reason = ""
    if ambiguous:
        reason = f"; documents such as '{ambiguous[0]}' have a text that occurs several times"
    return (
        f"{absent}: document '{doc_id}' of {present} is missing; both need the same "
        f"documents{reason}"
    )
