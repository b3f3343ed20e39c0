"""Agreement as a JSON object, as tables and as a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...evaluation.metrics import ALL_LABELS, Score
from ...evaluation.span_alignment import ErrorKind
from ...ui import DataTable, format_interval
from .coefficients import Coefficient
from .disagreements import Disagreement, describe
from .measures import Agreement, PairAgreement

SHOWN_EXAMPLES = 5
"""Examples given in JSON for each pair of labels."""


def agreement_to_json(agreement: Agreement) -> dict[str, Any]:
    """Return agreement as a JSON object; two annotators' figures are repeated at the top level."""
    pairs = [_pair_to_json(pair) for pair in agreement.pairs]
    return {
        **(pairs[0] if len(agreement.annotators) == 2 else {}),
        "annotators": list(agreement.annotators),
        "documents": agreement.documents,
        "annotated_by_one": agreement.single,
        "matched_by_text": agreement.matches.count,
        "alpha": _coefficients_to_json(agreement.alpha),
        "pairs": pairs,
    }


def _pair_to_json(pair: PairAgreement) -> dict[str, Any]:
    kappa = _coefficients_to_json(pair.kappa)
    return {
        "first": pair.first,
        "second": pair.second,
        "documents": pair.documents,
        "differing": list(pair.differing),
        "strict": _scores_to_json(pair.strict),
        "partial": _scores_to_json(pair.partial),
        "kappa": kappa["value"],
        "kappa_interval": [kappa["low"], kappa["high"]],
        "kappa_labels": kappa["labels"],
        "disagreements": pair.count_kinds(),
        "confusions": [
            {
                "first": first,
                "second": second,
                "count": len(disagreements),
                "examples": list(map(_example_to_json, disagreements[:SHOWN_EXAMPLES])),
            }
            for first, second, disagreements in pair.confusions()
        ],
    }


def _example_to_json(disagreement: Disagreement) -> dict[str, Any]:
    first, second = disagreement.first, disagreement.second
    return {
        "document": disagreement.doc_id,
        "first": first and [first.start, first.end],
        "second": second and [second.start, second.end],
        "context": disagreement.context,
    }


def _scores_to_json(scores: Mapping[str | None, Score]) -> dict[str, Any]:
    def to_json(score: Score) -> dict[str, Any]:
        return {
            "f1": score.f1,
            "low": score.low,
            "high": score.high,
            "both": score.credit,
            "first_only": score.gold - score.credit,
            "second_only": score.predicted - score.credit,
        }

    return {
        "micro": to_json(scores[None]),
        "labels": {label: to_json(score) for label, score in scores.items() if label is not None},
    }


def _coefficients_to_json(coefficients: Mapping[str | None, Coefficient]) -> dict[str, Any]:
    labels = {label: vars(value) for label, value in coefficients.items() if label is not None}
    return {**vars(coefficients[None]), "labels": labels}


def agreement_tables(agreement: Agreement) -> list[DataTable]:
    """Return agreement as tables for the terminal and for HTML pages."""
    tables = [table for pair in agreement.pairs for table in _pair_tables(pair)]
    if len(agreement.annotators) > 2:
        rows = tuple(
            (label or ALL_LABELS, alpha.value, format_interval(alpha.low, alpha.high))
            for label, alpha in agreement.alpha.items()
        )
        title = f"All {len(agreement.annotators)} annotators: Krippendorff's alpha over tokens"
        tables.insert(0, DataTable(title, ("label", "alpha", "95 % interval"), rows))
    return tables


def agreement_summary(agreement: Agreement) -> str:
    """Return the number of documents that were compared, and why others were skipped."""
    summary = f"{agreement.documents} documents have two or more annotators."
    if agreement.single:
        summary += f" {agreement.single} with one annotator were skipped."
    if agreement.unconfirmed:
        summary += f" {agreement.unconfirmed} that fewer than two have confirmed were skipped."
    if agreement.partial:
        summary += f" {agreement.partial} were compared without those who have not confirmed them."
    return " ".join([summary, *(f"{line}." for line in agreement.matches.lines())])


def _pair_tables(pair: PairAgreement) -> list[DataTable]:
    return [_strict_table(pair), _partial_table(pair), _kind_table(pair), _confusion_table(pair)]


def _strict_table(pair: PairAgreement) -> DataTable:
    return DataTable(
        f"Agreement of {pair.first} and {pair.second}",
        (
            *("label", "strict F1", "95 % interval", "both"),
            *(f"{pair.first} only", f"{pair.second} only"),
        ),
        tuple(
            (
                *(label or ALL_LABELS, score.f1, format_interval(score.low, score.high)),
                *(score.credit, score.gold - score.credit, score.predicted - score.credit),
            )
            for label, score in pair.strict.items()
        ),
        note=f"{pair.documents} documents, {len(pair.differing)} differ; intervals over documents",
    )


def _partial_table(pair: PairAgreement) -> DataTable:
    return DataTable(
        f"Partial overlap and tokens: {pair.first} and {pair.second}",
        ("label", "partial F1", "95 % interval", "kappa", "95 % interval"),
        tuple(
            (
                *(label or ALL_LABELS, score.f1, format_interval(score.low, score.high)),
                *(kappa.value, format_interval(kappa.low, kappa.high)),
            )
            for label, score in pair.partial.items()
            for kappa in (pair.kappa[label],)
        ),
        note="partial F1 gives half a point for an overlap; Cohen's kappa is over tokens",
    )


def _kind_table(pair: PairAgreement) -> DataTable:
    only = {ErrorKind.MISSED: f"{pair.first} only", ErrorKind.SPURIOUS: f"{pair.second} only"}
    return DataTable(
        f"Kinds of disagreement: {pair.first} and {pair.second}",
        ("kind", "spans"),
        tuple(
            (only.get(kind, str(kind)), count)
            for kind, count in pair.count_kinds().items()
            if count
        ),
        bar_column=1,
    )


def _confusion_table(pair: PairAgreement) -> DataTable:
    return DataTable(
        f"Confused labels: {pair.first} and {pair.second}",
        (pair.first, pair.second, "times", "document", "example"),
        tuple(
            (*_sides(first, second), len(group), group[0].doc_id, describe(group[0]))
            for first, second, group in pair.confusions()
        ),
    )


def _sides(first: str | None, second: str | None) -> tuple[str, str]:
    if first == second:
        return f"{first}", "other boundaries"
    return first or "none", second or "none"
