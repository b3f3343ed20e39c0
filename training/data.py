"""Training data: documents to train on, and to select the best epoch on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpus.deduplication.duplicates import DuplicateFinder
from ..corpus.document import Document
from ..corpus.files import read_documents
from ..corpus.labels import LabelSet
from ..errors import InputError
from .run_folder import run_documents


@dataclass(frozen=True)
class TrainingData:
    """Documents with gold spans, and the files that they were read from.

    Attributes:
        train: documents to train on.
        dev: documents to select the best epoch on.
        train_files: files of `train`; their hashes go into the manifest.
        dev_files: files of `dev`.
    """

    train: Sequence[Document]
    dev: Sequence[Document]
    train_files: Sequence[Path] = ()
    dev_files: Sequence[Path] = ()

    @classmethod
    def from_files(
        cls, train: Sequence[Path], dev: Sequence[Path], labels: LabelSet
    ) -> TrainingData:
        """Read gold documents from JSON Lines files.

        Args:
            train: files to train on.
            dev: files to select the best epoch on.
            labels: the label set; spans of other labels are refused.

        Raises:
            InputError: if a file cannot be used, or two files of a part share a document id.
        """
        return cls(
            _read_gold(train, labels, "--train"), _read_gold(dev, labels, "--dev"), train, dev
        )

    @classmethod
    def from_run(
        cls,
        run: Path,
        labels: LabelSet,
        train: Sequence[Path] | None = None,
        dev: Sequence[Path] | None = None,
    ) -> TrainingData:
        """Read the documents of a run folder.

        Args:
            run: a finished run.
            labels: the label set.
            train: files to train on instead of the run's documents.
            dev: files to select the best epoch on instead of the run's documents.

        Raises:
            InputError: as :meth:`from_files`, or if the run's documents were changed.
            ModelError: if the folder is not a finished run.
        """
        run = Path(run)
        return cls(
            _read_gold(train, labels, "--train") if train else run_documents(run, "train"),
            _read_gold(dev, labels, "--dev") if dev else run_documents(run, "dev"),
            train or [run / "data" / "train.jsonl"],
            dev or [run / "data" / "dev.jsonl"],
        )

    def check(self) -> None:
        """Refuse data without training documents, dev documents or training spans.

        Raises:
            InputError: naming what is missing.
        """
        for name, documents in (("training", self.train), ("dev", self.dev)):
            if not documents:
                raise InputError(f"no {name} documents; give at least one")
        if not any(document.spans for document in self.train):
            raise InputError("the training documents have no spans; label some first")

    def warnings(self, labels: LabelSet) -> list[str]:
        """Return warnings about data that can be trained on, one line each.

        Two problems are reported: labels without any training span, which the model will never
        predict, and dev documents that repeat training documents exactly or nearly, which makes
        dev scores too high.
        """
        warnings = []
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
        finder = DuplicateFinder()
        trained = {document.id for document in self.train if finder.add_or_match(document) is None}
        duplicates = (finder.add_or_match(document) for document in self.dev)
        return [(match.id, match.of) for match in duplicates if match and match.of in trained]


def _read_gold(paths: Iterable[Path], labels: LabelSet, option: str) -> list[Document]:
    documents: dict[str, Document] = {}
    for path in paths:
        for document in read_documents(path, labels.names):
            if document.id in documents:
                raise InputError(
                    f"{path}: duplicate id '{document.id}' (also in another {option} file); "
                    "keep one of them"
                )
            documents[document.id] = document
    return list(documents.values())
