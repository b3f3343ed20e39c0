"""What a sample of gold can bear: how far held-out models agree with it when they are certain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..corpus.document import Document
from ..errors import InputError
from ..evaluation.calibration import MIN_SPANS, Calibrator
from .label_issues import LabelIssue, Prediction


@dataclass(frozen=True)
class AuditSample:
    """Gold documents compared with models that were not trained on them.

    Attributes:
        documents: number of documents.
        words: number of words that are in a span of gold or of the models.
        agreement: share of these words to which both give the same label.
        calibrator: maps a model's certainty to the share of words with this certainty on which
            gold agrees. Models of few documents are certain of much that is wrong.
        highest: the highest certainty.
    """

    documents: int
    words: int
    agreement: float
    calibrator: Calibrator
    highest: float

    def calibrate(self, issues: Sequence[LabelIssue]) -> list[LabelIssue]:
        """Return the issues with calibrated error probabilities, in the same order."""
        # No certainty is believed that the models never had in a label.
        raw = np.array([min(issue.error_probability, self.highest) for issue in issues])
        calibrated = self.calibrator.apply(raw).tolist()
        return [
            replace(issue, error_probability=probability)
            for issue, probability in zip(issues, calibrated, strict=True)
        ]

    def note(self) -> str:
        """Return one line on what the sample can bear."""
        agree = f"{self.agreement:.0%} of the words in spans"
        return (
            f"models that were not trained on a document agree with its gold on {agree} "
            f"({self.words:,} words in {self.documents:,} documents), which calibrates the error "
            "probabilities"
        )


def measure_sample(gold: Iterable[Document], predictions: Iterable[Prediction]) -> AuditSample:
    """Measure how far held-out models agree with gold.

    Args:
        gold: documents with gold spans.
        predictions: for the same documents in the same order, by models that were not trained on
            them.

    Raises:
        InputError: if the sample is too small to tell the errors of gold from those of the models.
    """
    certainties, agreements = [], []
    documents = 0
    for document, (predicted, probabilities) in zip(gold, predictions, strict=True):
        documents += 1
        expected = probabilities.classes(document.spans)
        found = probabilities.classes(predicted.spans)
        marked = np.flatnonzero((expected > 0) | (found > 0))
        certainties.append(probabilities.values[marked, found[marked]])
        agreements.append(expected[marked] == found[marked])
    words = sum(map(len, agreements))
    if words < MIN_SPANS:
        raise InputError(
            f"{documents} documents are too few to audit: gold and models have {words} words in "
            f"spans, and {MIN_SPANS} are needed; label more documents"
        )
    scores = np.concatenate(certainties)
    agree = np.concatenate(agreements)
    calibrator = _fit(scores, agree)
    if calibrator is None:
        raise InputError(
            f"{documents} documents are too few to audit: models that were not trained on them "
            f"agree with gold on {int(agree.sum())} of {len(agree)} words in spans, and are not "
            "less certain of the others; label more documents, or choose a better --recipe"
        )
    return AuditSample(documents, len(agree), float(agree.mean()), calibrator, scores.max())


def _fit(scores: np.ndarray, agree: np.ndarray) -> Calibrator | None:
    """Return the calibrator; None if words of which models are certain are mostly wrong."""
    if not agree.any():
        return None
    if agree.all():
        # Nothing contradicts the models, so that nothing is left to calibrate.
        agree = np.append(agree, False)
        scores = np.append(scores, scores.min())
    calibrator = Calibrator("temperature").fit(scores, agree)
    low, high = calibrator.apply(np.array([0.5, 0.99])).tolist()
    return calibrator if high > low else None
