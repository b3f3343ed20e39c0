"""Tagging any number of articles: in bounded memory, each exactly once, whatever is interrupted.

While it runs, three files stand beside the output:
.OUT.part     tagged documents, JSON Lines
.OUT.faults   why what had to be set aside was, JSON Lines
.OUT.state    an SQLite database: how many articles are done, how long the other two then were,
              and hashes of the ids given
A killed run leaves them; the next run cuts both files back to the last state and goes on.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from ..corpus.document import Document, document_to_json, parse_document, unused_id
from ..corpus.files import open_atomic, read_json_lines
from ..corpus.ingestion.readers import RawArticle
from ..corpus.ingestion.sources import find_articles, find_files, make_document
from ..errors import InputError

if TYPE_CHECKING:
    from .loading import Model

CHUNK_ARTICLES = 256
CHUNK_BYTES = 4 * 2**20
"""Articles, and bytes of them, tagged between two states: what a kill can cost."""
DOCBIN_DOCUMENTS = 10_000
"""Documents in one DocBin file, which is read into memory whole."""
FORMATS = (".jsonl", ".parquet", ".spacy")
Engine = Literal["local", "ray"]
_Made = tuple[list[Document], list[dict[str, str]]]
"""Documents, and why the articles that became none were set aside."""


@dataclass(frozen=True)
class TaggingReport:
    """What bulk tagging did.

    Attributes:
        documents: tagged documents in the output.
        rejected: articles that could not be used.
        resumed: articles that an interrupted run had done already.
        outputs: the files written.
        rejected_file: the reasons of the rejected articles, if there are any.
    """

    documents: int
    rejected: int
    resumed: int
    outputs: tuple[Path, ...]
    rejected_file: Path | None


def rejected_path(output: Path) -> Path:
    """Return where the articles that had to be set aside are told."""
    return output.with_suffix(".rejected.jsonl")


def tag_files(
    model: Model,
    sources: Sequence[Path],
    output: Path,
    *,
    engine: Engine = "local",
    report: Callable[[int], None] = lambda count: None,
) -> TaggingReport:
    """Tag every article of the sources; ids and texts stay as they are, of web pages the article.

    Args:
        model: the model.
        sources: files and folders; see :func:`corpus.sources.find_articles`.
        output: `.jsonl` for records, `.parquet` for a table of them (spans as a list of structs,
            meta as JSON), `.spacy` for spaCy's DocBin, several numbered files if there are many
            documents.
        engine: `ray` tags on the Ray cluster that RAY_ADDRESS names, or on all cores of this
            machine, each in a process of its own. Articles are read and written here; workers must
            see the model under the same name. What a lost worker had is tagged again by another.
        report: called with the number of articles done so far.

    Raises:
        InputError: for a source that does not exist, an output of unknown kind, an interrupted run
            of another model or other sources at this output, and where no article can be used.
    """
    output = Path(output)
    if output.is_dir() or output.suffix not in FORMATS:
        raise InputError(f"{output}: name a file that ends in {', '.join(FORMATS)}")
    with OutputTransaction(output, _identity(model, sources)) as draft:
        resumed = draft.articles
        articles = itertools.islice(find_articles(sources), resumed, None)
        made = (_make_documents(part, draft) for part in _parts(articles))
        for tagged, faults in _tag_by_ray(model, made) if engine == "ray" else _tag(model, made):
            draft.append(tagged, faults)
            report(draft.articles)
        if not draft.documents:
            fault = draft.first_fault() or f"{sources[0]}: holds no article"
            draft.discard()
            raise InputError(fault)
        outputs = _write(draft.part, output)
        faults_file = draft.finish()
        return TaggingReport(draft.documents, draft.faults, resumed, outputs, faults_file)


def count_articles(sources: Iterable[Path]) -> int | None:
    """Return how many articles the sources hold; None where only reading them would tell."""
    total = 0
    for path in find_files(sources):
        name = path.name.lower()
        if name.endswith(".jsonl"):
            with path.open("rb") as file:
                blocks = iter(lambda: file.read(2**20), b"")
                total += sum(block.count(b"\n") for block in blocks)
        elif name.endswith(".parquet"):
            from pyarrow import ArrowException
            from pyarrow.parquet import read_metadata

            try:
                total += read_metadata(path).num_rows
            except (OSError, ArrowException):
                return None
        elif name.endswith((".txt", ".html", ".htm", ".pdf")):
            total += 1
        else:
            return None
    return total


def _identity(model: Model, sources: Sequence[Path]) -> str:
    files = [
        (str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns)
        for path in find_files(sources)
    ]
    return hashlib.sha256(json.dumps([model.identity, files]).encode()).hexdigest()


def _parts(
    articles: Iterable[RawArticle | InputError],
) -> Iterator[list[RawArticle | InputError]]:
    part: list[RawArticle | InputError] = []
    size = 0
    for article in articles:
        part.append(article)
        if isinstance(article, RawArticle):
            record = article.record if isinstance(article.record, dict) else {}
            size += len(article.content) + len(str(record.get("text", "")))
        if len(part) == CHUNK_ARTICLES or size >= CHUNK_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _make_documents(articles: Iterable[RawArticle | InputError], draft: OutputTransaction) -> _Made:
    documents, faults = [], []
    for article in articles:
        try:
            if isinstance(article, InputError):
                raise article
            document = make_document(article, clean=False)
            named = isinstance(article.record, dict) and "id" in article.record
            if named and draft.has(document.id):
                raise InputError(f"{article.where}: id '{document.id}' stands more than once")
        except InputError as error:
            faults.append({"reason": str(error)})
            continue
        document = replace(document, id=unused_id(document, draft.has))
        draft.take(document.id)
        documents.append(document)
    return documents, faults


def _tag(model: Model, made: Iterable[_Made]) -> Iterator[_Made]:
    for documents, faults in made:
        yield list(model.tag(documents)), faults


def _tag_by_ray(model: Model, made: Iterable[_Made]) -> Iterator[_Made]:
    """Tag on a Ray cluster, in order; only so much is under way as keeps its processors busy."""
    import logging

    import ray

    if not ray.is_initialized():
        # Unless told of a cluster: a file left by a dead one would keep us waiting for it.
        address = os.environ.get("RAY_ADDRESS", "local")
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
    tag = ray.remote(num_cpus=1, max_retries=-1)(_tag_there)
    under_way: deque[tuple[Any, list[dict[str, str]]]] = deque()
    for documents, faults in made:
        under_way.append((tag.remote(model.name, model.identity, documents), faults))
        if len(under_way) > 2 * max(1, int(ray.cluster_resources().get("CPU", 1))):
            first, its_faults = under_way.popleft()
            yield ray.get(first), its_faults
    for first, its_faults in under_way:
        yield ray.get(first), its_faults


def _tag_there(name: str, identity: str, documents: list[Document]) -> list[Document]:
    model = _model_there(name)
    if model.identity != identity:
        raise InputError(f"{name}: a worker finds another model of this name")
    return list(model.tag(documents))


@cache
def _model_there(name: str) -> Model:
    from .loading import load_model

    return load_model(name, workers=1)


class OutputTransaction:
    """The files of a run that has not ended.

    Args:
        output: the file that it is to become.
        identity: of the model and the sources.

    Raises:
        InputError: if those of another run stand there, or they cannot be written.
    """

    def __init__(self, output: Path, identity: str) -> None:
        self.output = output
        self.part, self._faults, self._state_path = self._paths = tuple(
            output.with_name(f".{output.name}.{end}") for end in ("part", "faults", "state")
        )
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            self._state = sqlite3.connect(self._state_path, isolation_level=None)
            self._state.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._state.execute("BEGIN EXCLUSIVE")
            self._state.execute("CREATE TABLE IF NOT EXISTS ids (hash INTEGER PRIMARY KEY)")
            self._state.execute(
                "CREATE TABLE IF NOT EXISTS state (identity TEXT, articles INTEGER, "
                "documents INTEGER, faults INTEGER, part INTEGER, faults_size INTEGER)"
            )
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"{output}: cannot be written ({error}); is another run writing it?"
            ) from error
        row = self._state.execute("SELECT * FROM state").fetchone()
        if row is not None and not all(path.is_file() for path in self._paths):
            # Killed at the very end, when the output stood already.
            self._state.execute("DELETE FROM state")
            self._state.execute("DELETE FROM ids")
            row = None
        if row is None:
            row = (identity, 0, 0, 0, 0, 0)
            self._state.execute("INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)", row)
        if row[0] != identity:
            self._state.close()
            raise InputError(
                f"{output}: an interrupted run of another model or other sources stands here; "
                f"delete {self._state_path} or name another output"
            )
        self._taken: set[str] = set()
        _, self.articles, self.documents, self.faults, *sizes = row
        self._files = [_cut(path, size) for path, size in zip(self._paths, sizes, strict=False)]
        self._commit()

    def __enter__(self) -> OutputTransaction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()
        self._state.close()

    def has(self, identity: str) -> bool:
        """Tell whether an id has been given."""
        if identity in self._taken:
            return True
        found = self._state.execute("SELECT 1 FROM ids WHERE hash = ?", (_hash(identity),))
        return found.fetchone() is not None

    def take(self, identity: str) -> None:
        """Give an id to a document that is yet to be appended."""
        self._taken.add(identity)

    def append(self, documents: Iterable[Document], faults: Sequence[dict[str, str]]) -> None:
        """Keep what has become of some articles, and the state after them."""
        lines = [document_to_json(document) for document in documents]
        for line in lines:
            self._taken.discard(line["id"])
            self._state.execute("INSERT INTO ids VALUES (?)", (_hash(line["id"]),))
        for file, rows in zip(self._files, (lines, faults), strict=True):
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.articles += len(lines) + len(faults)
        self.documents += len(lines)
        self.faults += len(faults)
        self._commit()

    def _commit(self) -> None:
        sizes = [file.tell() for file in self._files]
        self._state.execute(
            "UPDATE state SET articles = ?, documents = ?, faults = ?, part = ?, faults_size = ?",
            (self.articles, self.documents, self.faults, *sizes),
        )
        self._state.execute("COMMIT")
        self._state.execute("BEGIN EXCLUSIVE")

    def first_fault(self) -> str | None:
        """Return why the first article was set aside."""
        with self._faults.open(encoding="utf-8") as file:
            line = file.readline()
        return json.loads(line)["reason"] if line else None

    def finish(self) -> Path | None:
        """Remove the draft, and return where the faults are told."""
        faults = rejected_path(self.output)
        if self.faults:
            self._faults.replace(faults)
        else:
            faults.unlink(missing_ok=True)
        self.discard()
        return faults if self.faults else None

    def discard(self) -> None:
        """Remove the draft."""
        # The state goes first: what is left of the others is then worth nothing.
        for path in (self._state_path, self.part, self._faults):
            path.unlink(missing_ok=True)


def _cut(path: Path, size: int) -> Any:
    file = path.open("r+b" if size else "wb")
    if path.stat().st_size < size:
        raise InputError(f"{path}: shorter than it was; delete it and its .state and start anew")
    file.truncate(size)
    file.seek(size)
    return file


def _hash(identity: str) -> int:
    digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _write(part: Path, output: Path) -> tuple[Path, ...]:
    """Turn the tagged documents into the output."""
    match output.suffix:
        case ".parquet":
            _write_parquet(part, output)
        case ".spacy":
            return _write_docbins(part, output)
        case _:
            part.replace(output)
    return (output,)


def _write_parquet(part: Path, output: Path) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    span = pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("label", pa.string()),
            ("score", pa.float64()),
        ]
    )
    columns = [("id", pa.string()), ("text", pa.string()), ("spans", pa.list_(span))]
    schema = pa.schema([*columns, ("meta", pa.string())])
    with open_atomic(output) as file, ParquetWriter(file, schema) as writer:
        for documents in _batches(part, 1000):
            rows = [document_to_json(document) for document in documents]
            rows = [{**row, "meta": json.dumps(row.get("meta", {}))} for row in rows]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _write_docbins(part: Path, output: Path) -> tuple[Path, ...]:
    import spacy
    from spacy.tokens import DocBin

    from ..annotation.formats.docbin import to_doc

    # Makes room for the confidence on spans.
    from . import component  # noqa: F401

    nlp = spacy.blank("xx")
    written = []
    for number, documents in enumerate(_batches(part, DOCBIN_DOCUMENTS)):
        path = output if not number else output.with_stem(f"{output.stem}-{number + 1}")
        box = DocBin(store_user_data=True)
        for document in documents:
            doc = to_doc(nlp, document)
            for span, entity in zip(document.spans, doc.ents, strict=True):
                entity._.confidence = span.score
            box.add(doc)
        with open_atomic(path) as file:
            file.write(box.to_bytes())
        written.append(path)
    return tuple(written)


def _batches(part: Path, size: int) -> Iterator[list[Document]]:
    # Their ids are known to differ, and so many need not be held in memory.
    documents = (parse_document(record, where) for where, record in read_json_lines(part))
    while batch := list(itertools.islice(documents, size)):
        yield batch
