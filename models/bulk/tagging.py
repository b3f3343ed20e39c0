"""Tagging any number of articles in bounded memory, resumable after interruptions."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...corpus.files import check_output, sha256_file
from ...corpus.ingestion.readers import count_articles, find_files
from ...corpus.ingestion.sources import SourceOptions, read_articles
from ...corpus.ray_cluster import Engine
from ...corpus.rejected import Rejected
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from ..model import Model
from .chunks import Chunk, read_chunks
from .entity_table import check_table, write_table
from .transaction import OutputTransaction
from .writers import OUTPUT_SUFFIXES, write_output


@dataclass(frozen=True)
class TaggingReport:
    """The result of :func:`tag_files`.

    Attributes:
        documents: tagged documents in the output.
        rejected: articles that could not be used.
        resumed: articles that an interrupted run had already done.
        outputs: the files written.
        rejected_file: JSON Lines with location and reason of each rejected article; None if
            there is none.
        table: the table of entities; None if none was asked for.
        notices: lines about what was chosen or not read, such as files that were passed over.
    """

    documents: int
    rejected: int
    resumed: int
    outputs: tuple[Path, ...]
    rejected_file: Path | None
    table: Path | None = None
    notices: tuple[str, ...] = ()


def tag_files(
    model: Model,
    sources: Sequence[Path],
    output: Path,
    *,
    table: Path | None = None,
    text_column: str | None = None,
    engine: Engine = "local",
    copies: Collection[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> TaggingReport:
    """Tag every article in files and folders.

    Ids and texts are not changed; of a web page, the article is extracted. Articles that cannot be
    used are listed in a file beside the output. A call with the same model, sources and output
    resumes an interrupted run, and each article is tagged once.

    Args:
        model: the model; see :meth:`Model.with_threshold` for a threshold.
        sources: files and folders; see :func:`orbat.corpus.ingestion.sources.read_articles`.
        output: `.jsonl` for records, `.parquet` for a table of them (spans as a list of structs,
            meta as JSON), `.spacy` for spaCy's DocBin, in several numbered files if there are many
            documents.
        table: `.csv` or `.parquet` for a table with one row per entity as well; see
            :func:`~.entity_table.write_table`.
        text_column: the field or column of records that holds the text; None for `text` or another
            usual name.
        engine: `local`, or `ray` for the Ray cluster that RAY_ADDRESS names; without one, Ray uses
            all cores of this machine. Articles are read and written in this process. Workers load
            the model by its name or path, which must exist on their machines.
        copies: the sources that are temporary copies, such as of standard input. By their content,
            not by path and time, a call is known to have the same sources as the interrupted one.
        on_progress: called after each chunk of articles.

    Raises:
        InputError: if a source does not exist, the format of the output is unknown, Ray is to tag
            with a model that answers at an address, an interrupted run of another model, threshold
            or other sources has this output, or no article can be used.
        ModelError: if a Ray worker finds another model under the name.
    """
    output = Path(output)
    if output.is_dir() or output.suffix not in OUTPUT_SUFFIXES:
        raise InputError(f"{output}: name a file that ends in {', '.join(OUTPUT_SUFFIXES)}")
    for path in find_files(sources):
        check_output(output, path)
        check_output(table, path)
    if table is not None:
        check_table(table, output)
    if engine == "ray" and model.address is not None:
        raise InputError(f"{model.name}: answers at an address; tag on this machine, not on Ray")
    total = count_articles(sources)
    with OutputTransaction(
        output, _fingerprint(model, sources, text_column, copies)
    ) as transaction:
        resumed = transaction.articles
        notices: list[str] = []
        options = SourceOptions(text_column=text_column, on_notice=notices.append)
        articles = itertools.islice(read_articles(sources, options), resumed, None)
        chunks = read_chunks(articles, transaction)
        for chunk in _tag_chunks(model, chunks, engine):
            transaction.append(chunk.documents, chunk.rejected)
            on_progress(Progress("Tagging", transaction.articles, total))
        if not transaction.documents:
            rejected = transaction.first_rejected()
            transaction.discard()
            raise (rejected or Rejected(str(sources[0]), "contains no article")).to_error()
        if table is not None:
            write_table(transaction.part, table, model.normalizer.fields)
        outputs = write_output(transaction.part, output)
        rejected_file = transaction.finish()
        return TaggingReport(
            transaction.documents,
            transaction.rejected,
            resumed,
            outputs,
            rejected_file,
            table,
            tuple(notices),
        )


def _tag_chunks(model: Model, chunks: Iterable[Chunk], engine: Engine) -> Iterator[Chunk]:
    if engine == "ray":
        from .ray_engine import tag_on_ray

        yield from tag_on_ray(model, chunks)
        return
    for chunk in chunks:
        yield Chunk(list(model.tag(chunk.documents)), chunk.rejected)


def _fingerprint(
    model: Model, sources: Sequence[Path], text_column: str | None, copies: Collection[Path]
) -> str:
    """Return a hash of the model, its thresholds, the text's column and the sources.

    The sources are described by their paths, sizes and times, copies by their content.
    """
    files = [
        (sha256_file(path), 0, 0)
        if path in copies
        else (str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns)
        for path in find_files(sources)
    ]
    described = json.dumps(
        [model.fingerprint, dict(model.thresholds), text_column, files], sort_keys=True
    )
    return hashlib.sha256(described.encode()).hexdigest()
