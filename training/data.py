"""Training data: documents to train on, and to select the best epoch on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..annotation.gold_files import GoldReader, find_gold_format
from ..corpus.deduplication.duplicates import DuplicateFinder
from ..corpus.document import Document
from ..corpus.ingestion.readers import find_files
from ..corpus.ingestion.sources import SourceOptions, read_sources
from ..corpus.labels import LabelSet, assign_labels
from ..errors import InputError
from ..evaluation.false_alarms.rates import describe_few_annotated
from .run_folder import read_manifest, run_documents
from .unlabeled.pool import UnlabeledPool, make_pool


@dataclass(frozen=True)
class TrainingData:
    """Documents with gold spans, unlabeled articles, and the files that they were read from.

    Attributes:
        train: documents to train on.
        dev: documents to select the best epoch on.
        train_files: files of `train`; their hashes go into the manifest.
        dev_files: files of `dev`.
        unlabeled: articles without gold spans, to learn from the tags that teachers give them.
        unlabeled_files: files of `unlabeled`.
        held_out: documents that `unlabeled` must not repeat, such as test documents.
        held_out_files: files of `held_out`.
        notices: lines about what was chosen or not read of the articles.
        guidelines: the guidelines of the annotation (Markdown), which language models that teach
            are told; "" for none.
    """

    train: Sequence[Document]
    dev: Sequence[Document]
    train_files: Sequence[Path] = ()
    dev_files: Sequence[Path] = ()
    unlabeled: Sequence[Document] = ()
    unlabeled_files: Sequence[Path] = ()
    held_out: Sequence[Document] = ()
    held_out_files: Sequence[Path] = ()
    notices: Sequence[str] = ()
    guidelines: str = ""

    @classmethod
    def from_files(
        cls,
        train: Sequence[Path],
        dev: Sequence[Path],
        labels: LabelSet | None,
        unlabeled: Sequence[Path] = (),
        held_out: Sequence[Path] = (),
        *,
        reader: GoldReader | None = None,
    ) -> TrainingData:
        """Read gold documents and unlabeled articles.

        Args:
            train: files and folders to train on, in any format that
                :func:`orbat.annotation.formats.conversion.convert` reads.
            dev: files and folders to select the best epoch on.
            labels: the label set; spans of other labels are refused. None allows any.
            unlabeled: files and folders of articles, as :func:`orbat.add_to_corpus` reads them;
                their texts are not changed.
            held_out: files and folders of documents that unlabeled articles must not repeat, such
                as test documents: gold of any format, or articles.
            reader: reads `train` and `dev`; None finds the format of each.

        Raises:
            InputError: if a file cannot be used, or two files of a part have the same documents.
        """
        reader, names = reader or GoldReader(), labels.names if labels else None
        gold = (
            reader.read_files(train, names, part="train"),
            reader.read_files(dev, names, part="dev"),
        )
        notices = reader.notices
        return cls(
            *gold,
            train,
            dev,
            *_read_articles(unlabeled, notices),
            *_read_held_out(held_out, notices),
            notices=notices,
        )

    @classmethod
    def from_run(
        cls,
        run: Path,
        labels: LabelSet | None,
        train: Sequence[Path] | None = None,
        dev: Sequence[Path] | None = None,
        unlabeled: Sequence[Path] = (),
        held_out: Sequence[Path] = (),
        *,
        reader: GoldReader | None = None,
    ) -> TrainingData:
        """Read the documents of a run folder. It does not keep unlabeled articles.

        Args:
            run: a finished run.
            labels: the label set; None allows any labels.
            train: files to train on instead of the run's documents.
            dev: files to select the best epoch on instead of the run's documents.
            unlabeled: see :meth:`from_files`.
            held_out: see :meth:`from_files`.
            reader: see :meth:`from_files`.

        Raises:
            InputError: as :meth:`from_files`, and if the run learned from unlabeled articles and
                none are named.
            ModelError: if the folder is not a finished run, or its documents were changed.
        """
        run = Path(run)
        learned = read_manifest(run)["documents"].get("unlabeled", [])
        if learned and not unlabeled:
            raise InputError(
                f"{run}: was trained with {len(learned):,} unlabeled articles, which it does not "
                "keep; name their files with --unlabeled"
            )
        reader, names = reader or GoldReader(), labels.names if labels else None
        gold = (
            reader.read_files(train, names, part="train") if train else run_documents(run, "train"),
            reader.read_files(dev, names, part="dev") if dev else run_documents(run, "dev"),
        )
        notices = reader.notices
        return cls(
            *gold,
            train or [run / "data" / "train.jsonl"],
            dev or [run / "data" / "dev.jsonl"],
            *_read_articles(unlabeled, notices),
            *_read_held_out(held_out, notices),
            notices=notices,
        )

    @cached_property
    def pool(self) -> UnlabeledPool | None:
        """The unlabeled articles that can be used; None if no articles were given."""
        return (
            make_pool(self.unlabeled, self.train, self.dev, self.held_out)
            if self.unlabeled
            else None
        )

    def check(self) -> None:
        """Refuse data without training documents, dev documents or training spans.

        Unlabeled articles are refused if none of them can be used.

        Raises:
            InputError: naming what is missing.
        """
        for name, documents in (("training", self.train), ("dev", self.dev)):
            if not documents:
                raise InputError(f"no {name} documents; give at least one")
        if not any(document.spans for document in self.train):
            raise InputError("the training documents have no spans; label some first")
        if self.pool is not None and not self.pool.documents:
            raise InputError(
                f"no unlabeled article can be used ({self.pool.describe_left_out()}); name others"
            )

    def assign_labels(self) -> LabelSet:
        """Return a label set of the labels of all spans, with colors and keys.

        Raises:
            InputError: if there is no span, or a label's name cannot be used.
        """
        self.check()
        return assign_labels(
            span.label
            for documents in (self.train, self.dev)
            for document in documents
            for span in document.spans
        )

    def warnings(self, labels: LabelSet) -> list[str]:
        """Return warnings about data that can be trained on, one line each.

        These are lines about what was chosen or not read of the articles, and four problems:
        documents that are nearly all without spans; labels without any training span, which the
        model will never predict; dev documents that repeat training documents exactly or nearly,
        which makes dev scores too high; and unlabeled articles that are left out.
        """
        warnings = list(self.notices)
        for kind, documents in (("training", self.train), ("dev", self.dev)):
            without = sum(not document.spans for document in documents)
            warnings += describe_few_annotated(without, len(documents), kind)
        if absent := self.absent_labels(labels):
            warnings.append(
                f"no training document has a span of {', '.join(absent)}; "
                "the model will never predict these labels"
            )
        if repeated := self.find_leakage():
            document, source = repeated[0]
            warnings.append(
                f"{len(repeated)} dev documents repeat training documents (first '{document}' "
                f"and '{source}'); dev scores will be too high"
            )
        if self.pool is not None and self.pool.left_out:
            warnings.append(f"unlabeled articles left out: {self.pool.describe_left_out()}")
        return warnings

    def absent_labels(self, labels: LabelSet) -> list[str]:
        """Return the labels that no training document has a span of."""
        known = {span.label for document in self.train for span in document.spans}
        return [name for name in labels.names if name not in known]

    def find_leakage(self) -> list[tuple[str, str]]:
        """Return the ids of dev documents that repeat training documents, exactly or nearly.

        Returns:
            Pairs of dev document id and training document id.
        """
        finder, trained = DuplicateFinder(), dict[str, str]()
        # Other documents of the two parts may have the same ids.
        for number, document in enumerate(self.train):
            key = f"train {number}"
            if finder.add_or_match(replace(document, id=key)) is None:
                trained[key] = document.id
        matches = [(d.id, finder.add_or_match(replace(d, id=f"dev {d.id}"))) for d in self.dev]
        return [(d, trained[m.of]) for d, m in matches if m is not None and m.of in trained]


def _read_articles(
    sources: Sequence[Path], notices: list[str]
) -> tuple[list[Document], list[Path]]:
    """Return the articles of files and folders, and the files; add notices about their reading.

    Raises:
        InputError: if a source is missing, an article cannot be read or there is none.
    """
    if not sources:
        return [], []
    options = SourceOptions(on_notice=notices.append)
    documents = list(read_sources(sources, clean=False, options=options))
    if not documents:
        raise InputError(f"{sources[0]}: contains no article; name files of articles")
    return documents, [path for path in find_files(sources) if path.is_file()]


def _read_held_out(
    sources: Sequence[Path], notices: list[str]
) -> tuple[list[Document], list[Path]]:
    """Return held-out documents and their files as :func:`_read_articles`, and gold likewise.

    Words and tags in columns would else be read as the text of one article.
    """
    reader, gold, rest = GoldReader(flatten="longest"), list[Document](), list[Path]()
    for source in sources:
        documents = _read_other_gold(reader, source)
        if documents is None:
            rest.append(source)
        else:
            gold += documents
    notices += reader.notices
    articles, files = _read_articles(rest, notices)
    return [*gold, *articles], [*(path for path in sources if path not in rest), *files]


def _read_other_gold(reader: GoldReader, source: Path) -> list[Document] | None:
    """Return the documents of gold in another format; None if `source` is read as articles."""
    try:
        name = find_gold_format(source)
    except InputError:
        return None
    if name == "jsonl":
        return None
    try:
        return list(reader.read(source))
    except InputError:
        # Data sets of the same formats, such as Parquet, hold articles.
        if name == "datasets":
            return None
        raise
