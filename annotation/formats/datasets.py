"""Hugging Face data sets of tokens and tags (https://huggingface.co/docs/datasets)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...corpus.document import Document
from ...errors import InputError
from ..folders import new_folder
from .conversion_report import ConversionReport, assemble, count_lost_marks
from .tokens import Token, Word, read_spans, rebuild, to_sentences


def write_datasets(
    folder: Path,
    documents: Iterable[Document],
    losses: ConversionReport,
    labels: Iterable[str] | None,
) -> int:
    """Write a data set with `tokens` and `ner_tags` (BIO) for `datasets.load_from_disk`.

    Beside them stand id, text, the tokens' starts in it, and meta as JSON, so that nothing of the
    text is lost.

    Args:
        folder: must not be there yet.
        documents: what to write.
        losses: counts what is left out.
        labels: names and order of the classes; None takes those that occur, by name.

    Returns:
        The number of documents.
    """
    from datasets import ClassLabel, Dataset, Features, List, Value

    rows: list[dict[str, Any]] = []
    for document in documents:
        count_lost_marks(document, losses)
        tokens = [token for sentence in to_sentences(document) for token in sentence]
        rows.append(
            {
                "id": document.id,
                "text": document.text,
                "tokens": [token.text for token in tokens],
                "starts": [token.start for token in tokens],
                "ner_tags": [token.tag for token in tokens],
                "meta": json.dumps(dict(document.meta), ensure_ascii=False),
            }
        )
    found = {tag[2:] for row in rows for tag in row["ner_tags"] if tag != "O"}
    names = ["O", *(f"{prefix}-{label}" for label in labels or sorted(found) for prefix in "BI")]
    features = Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "tokens": List(Value("string")),
            "starts": List(Value("int32")),
            "ner_tags": List(ClassLabel(names=names)),
            "meta": Value("string"),
        }
    )
    with new_folder(folder) as draft, _quiet():
        Dataset.from_list(rows, features=features).save_to_disk(draft)
    return len(rows)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's own progress bar off; the caller shows one."""
    import datasets

    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def read_datasets(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a data set of tokens and tags: a folder of `save_to_disk`, or a Parquet file.

    Columns: `tokens` or `words`; `ner_tags`, `tags` or `labels`, as `ClassLabel` or names. With
    `text` and `starts` beside them the text is kept, else it is the tokens with spaces between.
    The splits of a data set dictionary are read one behind the other, named in `meta.split`.

    Args:
        path: the folder or file.
        losses: counts what is left out.

    Raises:
        InputError: if there is no such data set or column.
    """
    import datasets
    import pyarrow.parquet

    path = Path(path)
    try:
        loaded = (
            datasets.load_from_disk(str(path))
            if path.is_dir()
            # from_parquet copies into a cache, and logs what it cannot read.
            else datasets.Dataset(pyarrow.parquet.read_table(path))
        )
    # Arrow, fsspec and datasets raise errors of their own for what is no data set.
    except Exception as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(f"{path}: no data set can be loaded ({reason})") from error
    splits = loaded if isinstance(loaded, dict) else {"": loaded}
    for name, split in splits.items():
        meta = {"split": name} if name else {}
        for number, row in enumerate(_rows(split, path), start=1):
            identity = str(row.get("id") or f"{'-'.join(filter(None, (path.stem, name)))}-{number}")
            where = f"{path}: {name} row {number}".replace("  ", " ")
            yield _from_row(identity, row, meta, where, losses)


def _rows(split: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Yield rows with `tokens` and `ner_tags` under these names, tags as texts."""
    columns = {}
    for name, choices in (("tokens", ("tokens", "words")), ("ner_tags", _TAG_COLUMNS)):
        found = next((each for each in choices if each in split.column_names), None)
        if found is None:
            raise InputError(
                f"{path}: no column {' or '.join(choices)}; there are "
                f"{', '.join(split.column_names)}"
            )
        columns[name] = found
    tags = getattr(split.features[columns["ner_tags"]], "feature", None)
    names: Sequence[str] | None = getattr(tags, "names", None)
    for row in split:
        own = row[columns["ner_tags"]]
        if names is None and any(not isinstance(tag, str) for tag in own):
            raise InputError(
                f"{path}: column {columns['ner_tags']} holds numbers without names; make it a "
                "ClassLabel"
            )
        marks = [names[tag] for tag in own] if names is not None else own
        yield {**row, "tokens": row[columns["tokens"]], "ner_tags": marks}


_TAG_COLUMNS = ("ner_tags", "tags", "labels")


def _from_row(
    identity: str, row: dict[str, Any], meta: dict[str, Any], where: str, losses: ConversionReport
) -> Document:
    words, tags = row["tokens"], row["ner_tags"]
    if len(words) != len(tags):
        raise InputError(f"{where}: {len(tags)} tags for {len(words)} tokens; give each its own")
    if "text" not in row or "starts" not in row:
        sentence = [Word(word, tag, where) for word, tag in zip(words, tags, strict=True)]
        rebuilt = rebuild(identity, [sentence], losses)
        return Document(identity, rebuilt.text, rebuilt.spans, meta)
    text = row["text"]
    tokens = [Token(*each) for each in zip(row["starts"], words, tags, strict=True)]
    for token in tokens:
        if text[token.start : token.end] != token.text:
            raise InputError(
                f"{where}: token '{token.text[:40]}' does not stand at {token.start} of its text"
            )
    spans = read_spans(tokens, [where] * len(tokens))
    return assemble(identity, text, spans, {**json.loads(row.get("meta") or "{}"), **meta}, losses)
