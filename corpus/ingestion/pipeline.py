"""Adding articles to a corpus."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ...errors import InputError
from ..document import Document, document_to_json, parse_document
from ..duplicates import Duplicate, Sketch, sketch
from .readers import RawArticle, read_file
from .sources import (
    DATASET,
    SourceOptions,
    find_articles,
    find_files,
    is_address,
    make_document,
)
from .store import CorpusStore, raw_key
from .web.feeds import FeedLog

Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class IngestionReport:
    """What one run of :func:`add_to_corpus` did.

    Attributes:
        added: number of new documents.
        known: number of articles that the corpus had already.
        duplicates: documents kept apart, each with the one that it repeats.
        left_out: one line for each article that cannot be used: where, why, and the mend.
        resumed: whether an earlier run had been interrupted and its work was taken over.
    """

    added: int
    known: int
    duplicates: tuple[Duplicate, ...]
    left_out: tuple[str, ...]
    resumed: bool


@dataclass(frozen=True)
class Prepared:
    """An article made a document and sketched; a known one's key alone; or what is wrong."""

    key: str
    document: Document | None = None
    sketched: Sketch | None = None
    fault: str = ""


def add_to_corpus(
    sources: Iterable[str | Path],
    output: Path,
    *,
    options: SourceOptions | None = None,
    engine: Engine = "local",
    report: Callable[[int], None] = lambda count: None,
) -> IngestionReport:
    """Clean the articles of `sources` and add those that are new to the corpus at `output`.

    What cannot be used is left out and told; the rest goes on. Documents already in the corpus
    stay as they are and come first, so that adding the same articles twice changes nothing. The
    files are written atomically at the end; a killed run is gone on with by running it again.

    Args:
        sources: see :func:`corpus.sources.find_articles`.
        output: the corpus, JSON Lines.
        options: how sources are read. Feeds are remembered beside the corpus unless it says where.
        engine: `ray` cleans and sketches on the Ray cluster that RAY_ADDRESS names, or on all cores
            of this machine.
        report: called with the number of articles read so far.

    Raises:
        InputError: for a source that does not exist, a corpus that cannot be read, and where no
            article at all can be used; the corpus is then untouched.
    """
    output = Path(output)
    options = options or SourceOptions()
    log = options.feed_log or FeedLog(output.with_suffix(".feeds.json"))
    options = replace(options, feed_log=log)
    duplicates: list[Duplicate] = []
    left_out: list[str] = []
    known = 0
    with CorpusStore(output) as store:
        prepare_all = _prepare_by_ray if engine == "ray" else _prepare_here
        for count, each in enumerate(prepare_all(sources, options, store.knows), 1):
            report(count)
            if each.fault:
                left_out.append(each.fault)
                continue
            kept = None
            if each.document is not None:
                kept = store.add(each.document, each.key, each.sketched)
            if kept is None:
                known += 1
            elif kept[1] is not None:
                duplicates.append(kept[1])
        resumed = store.interrupted
        added = store.finish()
    if left_out and not (added or known or duplicates):
        raise InputError(left_out[0])
    log.save()
    return IngestionReport(added, known, tuple(duplicates), tuple(left_out), resumed)


def prepare(
    raw: RawArticle | InputError,
    licence: str | None = None,
    knows: Callable[[str], bool] = lambda key: False,
) -> Prepared:
    """Clean and sketch one article that is not known; what is wrong with it becomes its fault."""
    if isinstance(raw, InputError):
        return Prepared("", fault=str(raw))
    key = _key(raw)
    if knows(key):
        return Prepared(key)
    try:
        document = make_document(raw, licence=licence)
    except InputError as error:
        return Prepared("", fault=str(error))
    return Prepared(key, document, sketch(document.text))


def _key(raw: RawArticle) -> str:
    content = raw.content
    if isinstance(raw.record, dict):
        content = str(raw.record.get("text")).encode("utf-8", "surrogatepass")
    return raw_key(hashlib.sha256(content).hexdigest(), raw.facts)


def _prepare_here(
    sources: Iterable[str | Path], options: SourceOptions, knows: Callable[[str], bool]
) -> Iterator[Prepared]:
    for raw in find_articles(sources, options):
        yield prepare(raw, options.licence, knows)


def _prepare_by_ray(
    sources: Iterable[str | Path], options: SourceOptions, knows: Callable[[str], bool]
) -> Iterator[Prepared]:
    """Read, clean and sketch files on a Ray cluster, in order; all else here.

    A file is the unit of work: workers must see it under the same path.
    """
    import ray

    if not ray.is_initialized():
        # Unless told of a cluster: a file left by a dead one would keep us waiting for it.
        address = os.environ.get("RAY_ADDRESS", "local")
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    here = [s for s in sources if is_address(s) or str(s).startswith(DATASET)]
    files = list(find_files(Path(s) for s in sources if s not in here))
    if files:
        ray.data.DataContext.get_current().execution_options.preserve_order = True
        ray.data.DataContext.get_current().enable_progress_bars = False
        rows = ray.data.from_items([{"path": str(path.resolve())} for path in files])
        licence, column = options.licence, options.text_column
        prepared = rows.flat_map(lambda row: _prepare_file(Path(row["path"]), column, licence))
        for row in prepared.iter_rows():
            if row["fault"]:
                yield Prepared("", fault=row["fault"])
            elif knows(row["key"]):
                yield Prepared(row["key"])
            else:
                document = parse_document(json.loads(row["document"]), row["key"])
                yield Prepared(row["key"], document, Sketch(row["words"], bytes(row["signature"])))
    yield from _prepare_here(here, options, knows)


def _prepare_file(path: Path, text_column: str, licence: str | None) -> list[dict[str, Any]]:
    """Return what a file holds as rows that Arrow can carry."""
    rows = []
    for raw in read_file(path, text_column):
        each = prepare(raw, licence)
        line = json.dumps(document_to_json(each.document)) if each.document else ""
        words, signature = ("", b"")
        if each.sketched:
            words, signature = each.sketched.key, each.sketched.signature
        rows.append(
            {
                "key": each.key,
                "document": line,
                "words": words,
                "signature": signature,
                "fault": each.fault,
            }
        )
    return rows
