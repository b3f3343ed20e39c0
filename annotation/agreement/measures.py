"""Inter-annotator agreement: F1 of spans, kappa and alpha over tokens, and disagreements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from ...corpus.document import Document, Span
from ...errors import InputError
from ...evaluation.bootstrap import RESAMPLES, Floats
from ...evaluation.document_pairs import TextMatches, group_by_document
from ...evaluation.metrics import Score, ScoreTable
from ...evaluation.span_alignment import ErrorKind
from ..adjudication.annotation_sets import (
    AnnotationSet,
    confirmed_documents,
    documents_by_annotator,
)
from .coefficients import (
    Coefficient,
    TokenClasses,
    coefficients_by_label,
    cohen_kappa,
    krippendorff_alpha,
)
from .disagreements import Disagreement, find_disagreements

DISAGREEMENT_KINDS = (
    *(ErrorKind.BOUNDARY, ErrorKind.LABEL, ErrorKind.BOUNDARY_AND_LABEL),
    *(ErrorKind.MISSED, ErrorKind.SPURIOUS),
)


@dataclass(frozen=True)
class PairAgreement:
    """Agreement of two annotators on the documents that both annotated.

    Attributes:
        first: name of the first annotator.
        second: name of the second annotator.
        documents: number of documents that both annotated.
        strict: F1 of spans by start, end and label; of all labels together (None) and by label.
            It does not depend on which annotator is taken as gold.
        partial: F1 with half a point for an overlap, likewise.
        kappa: Cohen's kappa over tokens, each with the label that covers it or none; of all
            labels together (None), and of each label against all other classes. Undefined
            without texts, or where either annotator uses one class only.
        differing: ids of the documents in which the annotators differ.
        disagreements: all differences, in order of the documents.
    """

    first: str
    second: str
    documents: int
    strict: Mapping[str | None, Score]
    partial: Mapping[str | None, Score]
    kappa: Mapping[str | None, Coefficient]
    differing: tuple[str, ...]
    disagreements: tuple[Disagreement, ...]

    def count_kinds(self) -> dict[ErrorKind, int]:
        """Return the number of disagreements of each kind.

        The first annotator is the reference: `MISSED` spans are those that only the first has.
        """
        counts = Counter(disagreement.kind for disagreement in self.disagreements)
        return {kind: counts[kind] for kind in DISAGREEMENT_KINDS}

    def confusions(self) -> list[tuple[str | None, str | None, list[Disagreement]]]:
        """Return the disagreements by the labels of both sides, the most frequent first."""
        groups: dict[tuple[str | None, str | None], list[Disagreement]] = {}
        for disagreement in self.disagreements:
            labels = (_label(disagreement.first), _label(disagreement.second))
            groups.setdefault(labels, []).append(disagreement)
        ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
        return [(first, second, disagreements) for (first, second), disagreements in ordered]


@dataclass(frozen=True)
class Agreement:
    """Agreement of two or more annotators.

    Attributes:
        annotators: their names.
        pairs: agreement of each two annotators who share a document.
        alpha: Krippendorff's alpha over the tokens of documents that two or more annotated; of
            all labels together (None), and of each label against all other classes.
        documents: number of documents that two or more annotated.
        single: number of documents that only one annotated.
        unconfirmed: number of documents skipped because fewer than two annotators have confirmed
            them.
        partial: number of documents compared without an annotator who has not confirmed them.
        matches: the documents matched by their text, as their ids differ.
    """

    annotators: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    alpha: Mapping[str | None, Coefficient]
    documents: int
    single: int
    unconfirmed: int = 0
    partial: int = 0
    matches: TextMatches = field(default_factory=TextMatches)


def compare_annotators(
    annotation_sets: Sequence[AnnotationSet], *, unconfirmed: bool = False
) -> Agreement:
    """Measure the agreement between annotation sets. See :func:`measure_agreement`.

    Documents are the same if their ids are, else if their texts are.

    Args:
        annotation_sets: two or more.
        unconfirmed: include annotations that are not confirmed.

    Raises:
        InputError: if there are fewer than two sets, two have the same name, no two share a
            document that both have confirmed, or a text differs between them.
    """
    documents, matches = documents_by_annotator(annotation_sets)
    annotations, skipped, partial = confirmed_documents(documents, unconfirmed=unconfirmed)
    if skipped and not _share(annotations) and _share(documents):
        raise InputError(
            f"{' and '.join(annotations)} have both confirmed no document; let them confirm some, "
            "or pass --unconfirmed"
        )
    agreement = measure_agreement(annotations)
    return replace(agreement, unconfirmed=skipped, partial=partial, matches=matches)


def _share(annotations: Mapping[str, Sequence[Document]]) -> bool:
    """Return whether any document is in two of the sets."""
    counts = Counter(document.id for documents in annotations.values() for document in documents)
    return max(counts.values(), default=0) > 1


def measure_agreement(
    annotations: Mapping[str, Sequence[Document]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """Measure the agreement of annotators on the documents that they share.

    Intervals are percentile bootstrap intervals over documents.

    Args:
        annotations: each annotator's documents by the annotator's name, two annotators at least.
        resamples: number of bootstrap resamples.
        seed: random seed of the resampling.

    Raises:
        InputError: if no two annotators share a document, or a text differs between them.
    """
    documents_by_id = group_by_document(annotations)
    shared = [by_name for by_name in documents_by_id.values() if len(by_name) > 1]
    if not shared:
        raise InputError(
            f"{' and '.join(annotations)} share no document; give annotations of the same documents"
        )
    labels = sorted(
        {span.label for by_name in shared for d in by_name.values() for span in d.spans}
    )
    coincidences: list[Floats] = []
    confusions: dict[tuple[str, str], list[Floats]] = {}
    pairs: dict[tuple[str, str], list[tuple[Document, Document]]] = {}
    for by_name in shared:
        matrices = _confusions(by_name, labels)
        coincidences.append(
            sum(
                ((matrix + matrix.T) / (len(by_name) - 1) for matrix in matrices.values()),
                np.zeros((len(labels) + 1, len(labels) + 1)),
            )
        )
        for names, matrix in matrices.items():
            confusions.setdefault(names, []).append(matrix)
            pairs.setdefault(names, []).append((by_name[names[0]], by_name[names[1]]))
    order = list(combinations(annotations, 2))
    return Agreement(
        tuple(annotations),
        tuple(
            _measure_pair(names, pairs[names], confusions[names], labels, resamples, seed)
            for names in sorted(pairs, key=order.index)
        ),
        coefficients_by_label(
            coincidences, labels, krippendorff_alpha, resamples=resamples, seed=seed
        ),
        len(shared),
        len(documents_by_id) - len(shared),
    )


def _confusions(
    by_name: Mapping[str, Document], labels: Sequence[str]
) -> dict[tuple[str, str], Floats]:
    """Return, for one document, the confusion matrix over tokens of each two annotators."""
    text = next((document.text for document in by_name.values() if document.text), "")
    classes = TokenClasses(labels)
    tokens = {name: classes.of_tokens(text, document) for name, document in by_name.items()}
    return {
        (first, second): classes.confusion(tokens[first], tokens[second])
        for first, second in combinations(by_name, 2)
    }


def _measure_pair(
    names: tuple[str, str],
    pairs: Sequence[tuple[Document, Document]],
    confusions: Sequence[Floats],
    labels: Sequence[str],
    resamples: int,
    seed: int,
) -> PairAgreement:
    table = ScoreTable(labels)
    for first, second in pairs:
        table.add(first, second)
    schemes = table.evaluate(resamples=resamples, seed=seed).schemes
    strict, partial = (
        {None: schemes[name].micro, **schemes[name].labels} for name in ("strict", "partial")
    )
    disagreements = tuple(
        disagreement for pair in pairs for disagreement in find_disagreements(*pair)
    )
    return PairAgreement(
        *names,
        len(pairs),
        strict,
        partial,
        coefficients_by_label(confusions, labels, cohen_kappa, resamples=resamples, seed=seed),
        tuple(dict.fromkeys(disagreement.doc_id for disagreement in disagreements)),
        disagreements,
    )


def _label(span: Span | None) -> str | None:
    return None if span is None else span.label
