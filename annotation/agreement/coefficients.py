"""Chance-corrected agreement over tokens: Cohen's kappa and Krippendorff's alpha.

Both are computed from matrices that count how often two annotators give a token two classes.
Class 0 is a token outside all spans; the others are the labels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...corpus.document import Document
from ...evaluation.bootstrap import Floats, bootstrap

_TOKEN = re.compile(r"\w+|[^\w\s]")

Statistic = Callable[[Floats], Floats]
"""Maps matrices, *Shape:* (n, classes, classes), to coefficients, *Shape:* (n,)."""


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement with its 95 % interval over documents; None where undefined."""

    value: float | None
    low: float | None
    high: float | None


_UNDEFINED = Coefficient(None, None, None)


class TokenClasses:
    """Maps the tokens of a document to classes.

    Args:
        labels: the labels, classes 1, 2 and so on.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._class_of = {label: index for index, label in enumerate(labels, 1)}
        self._size = len(labels) + 1

    def of_tokens(self, text: str, document: Document) -> NDArray[np.int64]:
        """Return the class of each token.

        Args:
            text: the text, as the document itself may lack it.
            document: the document with one annotator's spans.

        Returns:
            *Shape:* (tokens,)
        """
        starts = np.array([match.start() for match in _TOKEN.finditer(text)], dtype=np.int64)
        classes = np.zeros(len(starts), dtype=np.int64)
        for span in document.spans:
            first, last = np.searchsorted(starts, (span.start, span.end))
            classes[first:last] = self._class_of[span.label]
        return classes

    def confusion(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
        """Count the pairs of classes that two annotators give to the same tokens.

        Args:
            first: the first annotator's classes. *Shape:* (tokens,)
            second: the second annotator's. *Shape:* (tokens,)

        Returns:
            *Shape:* (classes, classes)
        """
        cells = np.bincount(first * self._size + second, minlength=self._size**2)
        return cells.reshape(self._size, self._size).astype(np.float64)


def coefficients_by_label(
    matrices: Sequence[Floats],
    labels: Sequence[str],
    statistic: Statistic,
    *,
    resamples: int,
    seed: int,
) -> dict[str | None, Coefficient]:
    """Compute a coefficient of all labels together, and of each label against all other classes.

    Args:
        matrices: one matrix for each document, *Shape:* (1 + labels, 1 + labels).
        labels: the labels, in the order of the classes.
        statistic: :func:`cohen_kappa` or :func:`krippendorff_alpha`.
        resamples: number of bootstrap resamples.
        seed: random seed of the resampling.

    Returns:
        The coefficients by label; None is all labels together.
    """
    flat = np.array(matrices).reshape(len(matrices), -1)
    size = len(labels) + 1

    def of_all_labels(totals: Floats) -> Floats:
        whole = totals.reshape(-1, size, size)
        parts = [whole, *(_one_against_rest(whole, index) for index in range(1, size))]
        return np.stack([statistic(part) for part in parts], axis=1)

    values = of_all_labels(flat.sum(axis=0, keepdims=True))[0]
    by_document = flat.reshape(-1, size, size)
    labeled = (by_document.sum(axis=1) + by_document.sum(axis=2) > 0).sum(axis=0).tolist()
    holders = [len(matrices), *labeled[1:]]
    intervals = bootstrap(flat, of_all_labels, holders=holders, resamples=resamples, seed=seed)
    return {
        label: _UNDEFINED if np.isnan(value) else Coefficient(float(value), *interval)
        for label, value, interval in zip([None, *labels], values, intervals, strict=True)
    }


def cohen_kappa(matrices: Floats) -> Floats:
    """Return Cohen's (1960) kappa; NaN where an annotator uses one class only.

    Args:
        matrices: counts of class pairs. *Shape:* (n, classes, classes)

    Returns:
        *Shape:* (n,)
    """
    total = matrices.sum(axis=(1, 2))
    observed = np.trace(matrices, axis1=1, axis2=2)
    expected = np.einsum("nij,nki->n", matrices, matrices)
    kappa = _divide(observed * total - expected, total * total - expected)
    varied = ((matrices.sum(axis=1) > 0).sum(axis=1) > 1) & ((matrices.sum(axis=2) > 0).sum(1) > 1)
    return np.where(varied, kappa, np.nan)


def krippendorff_alpha(matrices: Floats) -> Floats:
    """Return Krippendorff's (2011) alpha for nominal data.

    Args:
        matrices: coincidence matrices. *Shape:* (n, classes, classes)

    Returns:
        *Shape:* (n,)
    """
    sizes = matrices.sum(axis=2)
    total = sizes.sum(axis=1)
    observed = total - np.trace(matrices, axis1=1, axis2=2)
    expected = total * total - (sizes * sizes).sum(axis=1)
    return 1 - _divide((total - 1) * observed, expected)


def _one_against_rest(matrices: Floats, index: int) -> Floats:
    """Fold matrices, *Shape:* (n, classes, classes), to one class and all others."""
    both = matrices[:, index, index]
    first = matrices[:, index].sum(axis=1) - both
    second = matrices[:, :, index].sum(axis=1) - both
    neither = matrices.sum(axis=(1, 2)) - both - first - second
    return np.stack([neither, second, first, both], axis=1).reshape(-1, 2, 2)


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(
        numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0
    )
