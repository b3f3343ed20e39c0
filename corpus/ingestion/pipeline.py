"""Adds articles to a corpus: read, extract, deduplicate and store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ...ui import OnProgress, Progress, ignore_progress
from ..deduplication.duplicates import Duplicate
from ..document import Document
from ..files import check_output
from ..ray_cluster import Engine
from ..rejected import Rejected
from .preparation import prepare_locally, prepare_with_ray
from .sources import SourceOptions, is_url
from .storage.store import CorpusStore, Outcome
from .web.feeds import FeedLog


@dataclass(frozen=True)
class IngestionReport:
    """The result of :func:`add_to_corpus`.

    Attributes:
        added: number of new documents.
        updated: number of documents that were replaced by another version of them: the same id,
            and other labels or a corrected text.
        known: number of articles that the corpus contained already: the same id, text and labels.
        duplicates: documents that repeat another one; they are stored in a file of their own.
        rejected: articles that cannot be used.
        resumed: whether the run resumed an interrupted one.
        undecodable: new documents with bytes that are invalid in their encoding, each as one line.
        notices: lines about what was chosen or not read, such as files that were passed over.
    """

    added: int
    updated: int
    known: int
    duplicates: tuple[Duplicate, ...]
    rejected: tuple[Rejected, ...]
    resumed: bool
    undecodable: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def add_to_corpus(
    sources: Iterable[str | Path],
    output: Path,
    *,
    options: SourceOptions | None = None,
    engine: Engine = "local",
    on_progress: OnProgress = ignore_progress,
) -> IngestionReport:
    """Add the articles of all sources to a corpus, and replace documents by corrected versions.

    Documents keep their positions, and adding the same articles twice has no effect;
    :meth:`.storage.store.CorpusStore.add` says what is a version of a document. Articles that
    cannot be used are reported, and the run continues. The files are replaced atomically at the
    end; an interrupted run resumes when started again.

    Args:
        sources: see :func:`orbat.corpus.ingestion.sources.read_articles`.
        output: the corpus, JSON Lines; it need not exist.
        options: see :class:`SourceOptions`. Without a feed log, ``OUT.feeds.json`` is used.
        engine: `ray` processes files on the Ray cluster at RAY_ADDRESS or, without it, on all
            cores of this machine.
        on_progress: called after each article.

    Raises:
        InputError: if a source does not exist, is the corpus or a folder around it, the corpus
            cannot be read, or no article can be used; the corpus is then unchanged.
    """
    output, sources = Path(output), list(sources)
    check_output(output, *(source for source in sources if not is_url(source)))
    options = options or SourceOptions()
    notices: list[str] = []
    given = options.on_notice

    def on_notice(notice: str) -> None:
        notices.append(notice)
        given(notice)

    duplicates: list[Duplicate] = []
    rejected: list[Rejected] = []
    undecodable: list[str] = []
    known = 0
    with CorpusStore(output) as store:
        feed_log = options.feed_log or FeedLog(output.with_suffix(".feeds.json"))
        options = replace(options, feed_log=feed_log, on_notice=on_notice)
        prepare = prepare_with_ray if engine == "ray" else prepare_locally
        for count, article in enumerate(prepare(sources, options, store.contains), 1):
            on_progress(Progress("Adding articles", count))
            if isinstance(article, Rejected):
                rejected.append(article)
                continue
            stored = None
            if article.document is not None:
                stored = store.add(article.document, article.key, article.signature)
            if stored is None or stored.outcome == Outcome.KNOWN:
                known += 1
                continue
            undecodable += _describe_undecodable(stored.document)
            if stored.duplicate is not None:
                duplicates.append(stored.duplicate)
        resumed = store.interrupted
        added, updated = store.finish()
        if rejected and not (added or updated or known or duplicates):
            raise rejected[0].to_error()
        feed_log.save()
    return IngestionReport(
        added,
        updated,
        known,
        tuple(duplicates),
        tuple(rejected),
        resumed,
        tuple(undecodable),
        tuple(notices),
    )


def _describe_undecodable(document: Document) -> list[str]:
    """Return one line about the bytes that could not be decoded, or none."""
    provenance = document.meta.get("provenance", {})
    count = provenance.get("undecodable") if isinstance(provenance, dict) else None
    if not count:
        return []
    places = f"{count} place is" if count == 1 else f"{count} places are"
    return [f"{document.id}: {places} not valid {provenance.get('encoding')} and became U+FFFD"]
