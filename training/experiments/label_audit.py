"""Label audits: likely errors in gold, found with cross-validation, and their review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...annotation.audit_sample import AuditSample, measure_sample
from ...annotation.doccano.client import DoccanoClient
from ...annotation.label_issues import LabelIssue, find_label_issues, review_documents
from ...annotation.session.push import Pushed, push
from ...annotation.word_probabilities import write_probabilities
from ...corpus.document import Document
from ...corpus.labels import LabelSet
from ...ui import OnProgress, ignore_progress
from ..recipe import AnyRecipe
from .cross_validation import out_of_fold_predictions


@dataclass(frozen=True)
class LabelAudit:
    """The result of a label audit.

    Attributes:
        issues: the likely errors in gold, most likely first.
        sample: how far the models agree with the gold, and with how much of it.
        labels: the label set.
        probabilities: the file of the label probabilities of every word (JSON Lines).
    """

    issues: tuple[LabelIssue, ...]
    sample: AuditSample
    labels: LabelSet
    probabilities: Path

    def push_for_review(
        self,
        client: DoccanoClient,
        folder: Path,
        annotators: Sequence[str],
        *,
        guidelines: str = "",
        on_progress: OnProgress = ignore_progress,
    ) -> Pushed:
        """Push the documents with issues to annotators, each document to one of them.

        The documents keep their gold spans, and doccano shows the issues beside the text.

        Args:
            client: an administrator's connection.
            folder: the session folder; created if it does not exist.
            annotators: account names.
            guidelines: Markdown, shown in doccano.
            on_progress: called as documents are uploaded.

        Raises:
            InputError: if there is no issue, or the session has another label set or server.
            ServerError: if the server fails, or does not store the documents unchanged.
        """
        return push(
            client,
            folder,
            review_documents(self.issues),
            annotators,
            self.labels,
            overlap=0,
            guidelines=guidelines,
            on_progress=on_progress,
        )


def audit_labels(
    recipe: AnyRecipe,
    documents: Sequence[Document],
    labels: LabelSet,
    work: Path,
    *,
    folds: int = 5,
    top: int | None = None,
    on_progress: OnProgress = ignore_progress,
) -> LabelAudit:
    """Find likely label errors in gold, with models that were not trained on the document.

    Trains one model for each fold; see :func:`.cross_validation.out_of_fold_predictions`. A second
    call uses the finished runs. The issues are ranked as in
    :func:`orbat.annotation.label_issues.find_label_issues`, and their probabilities are calibrated
    on the sample itself; see :class:`orbat.annotation.audit_sample.AuditSample`.

    Args:
        recipe: how to train the models.
        documents: documents with gold spans.
        labels: the label set.
        work: folder for the runs, and for the label probabilities of every word in `words.jsonl`.
        folds: number of folds, at least two.
        top: the maximum number of issues; None for all.
        on_progress: called after each fold.

    Raises:
        InputError: if there are too few documents to train on, or to judge the gold by.
        ModelError: if models of the recipe's kind give no probabilities.
    """
    predictions = out_of_fold_predictions(
        recipe, documents, labels, work, folds=folds, on_progress=on_progress
    )
    path = Path(work) / "words.jsonl"
    write_probabilities(path, documents, (probabilities for _, probabilities in predictions))
    sample = measure_sample(documents, predictions)
    issues = sample.calibrate(find_label_issues(documents, predictions, top=top))
    return LabelAudit(tuple(issues), sample, labels, path)
