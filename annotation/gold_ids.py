"""Unique ids of gold documents that were read from several files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..corpus.document import Document
from ..errors import InputError


def with_unique_ids(
    files: Sequence[tuple[Path, Sequence[Document]]], option: str
) -> tuple[list[Document], list[str]]:
    """Return the documents of files in order, and lines about ids that were changed.

    Files of words and tags number their documents, so that files of one name have the same ids. The
    documents of all files that share ids get in front what tells the paths apart, such as the
    folder. This does not depend on the order of the files.

    Args:
        files: paths, and the documents of each, whose ids are unique.
        option: the option that names the files, for messages.

    Raises:
        InputError: if most of the documents that share an id have the same text, because they are
            the same documents, or if changed ids are not unique either.
    """
    owners: dict[str, list[int]] = {}
    texts: dict[str, set[str]] = {}
    for number, (_, documents) in enumerate(files):
        for document in documents:
            owners.setdefault(document.id, []).append(number)
            texts.setdefault(document.id, set()).add(document.text)
    shared = [doc_id for doc_id, numbers in owners.items() if len(numbers) > 1]
    same = [doc_id for doc_id in shared if len(texts[doc_id]) < len(owners[doc_id])]
    if 2 * len(same) > len(shared):
        raise InputError(
            f"{files[owners[same[0]][-1]][0]}: duplicate id '{same[0]}' (also in another {option} "
            "file); keep one of them"
        )
    numbers = sorted({number for doc_id in shared for number in owners[doc_id]})
    names = dict(zip(numbers, distinct_names([files[n][0] for n in numbers]), strict=True))
    unique = [
        replace(document, id=f"{names[number]}/{document.id}") if number in names else document
        for number, (_, documents) in enumerate(files)
        for document in documents
    ]
    if not shared:
        return unique, []
    repeated = next((i for i, n in Counter(d.id for d in unique).items() if n > 1), None)
    if repeated is not None:
        raise InputError(
            f"{option}: two documents get the id '{repeated}', as ids occur in several files; "
            "rename one of the files"
        )
    prefixes = ", ".join(f"{name}/" for name in names.values())
    line = (
        f"ids that occur in several {option} files: {len(shared):,}; all ids of these files begin "
        f"with {prefixes} now"
    )
    return unique, [line]


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return for each of several paths the parts that tell it from the others.

    These are the fewest parts at its end that no other path ends in, without those that all end
    in: `a` and `b` for `a/train.conll` and `b/train.conll`.
    """
    absolute = [path.resolve() for path in paths]
    bare = [path if path.is_dir() else path.with_suffix("") for path in absolute]
    chosen = bare if len(set(bare)) == len(set(absolute)) else absolute
    length = 1
    while len({path.parts[-length:] for path in chosen}) < len(set(chosen)):
        length += 1
    ends = [path.parts[-length:] for path in chosen]
    while ends and min(map(len, ends)) > 1 and len({end[-1] for end in ends}) == 1:
        ends = [end[:-1] for end in ends]
    return ["/".join(end) for end in ends]
