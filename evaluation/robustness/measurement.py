"""Robustness of a tagger: its scores on the same gold documents, written in other ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...corpus.document import Document
from ...ui import OnProgress, Progress, ignore_progress
from ..bootstrap import RESAMPLES
from ..comparison.significance import Difference, adjust_differences, measure_differences
from ..metrics import Score, ScoreTable, score_to_json
from .transformations import TRANSFORMATIONS

AS_WRITTEN = "as written"


@dataclass(frozen=True)
class VersionScores:
    """Strict scores on one version of the documents.

    Attributes:
        name: `as written`, or the name of the transformation.
        changed: number of documents whose text the transformation changes.
        score: all labels together.
        labels: each label.
        difference: F1 of all labels together minus that on the documents as written; None for
            these themselves.
    """

    name: str
    changed: int
    score: Score
    labels: Mapping[str, Score]
    difference: Difference | None = None


@dataclass(frozen=True)
class Robustness:
    """Strict scores on several versions of the same documents, those as written first."""

    documents: int
    versions: tuple[VersionScores, ...]


def measure_robustness(
    gold: Sequence[Document],
    tag: Callable[[Iterable[Document]], Iterable[Document]],
    labels: Sequence[str] = (),
    *,
    tagged: Sequence[Document] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> Robustness:
    """Score a tagger on gold documents as written, and after each of :data:`.TRANSFORMATIONS`.

    The gold spans are moved with the text. The difference to the scores as written is paired by
    document: its interval is a bootstrap interval, its p-value that of a permutation test,
    corrected for the number of transformations (Holm).

    Example:
        >>> robustness = measure_robustness(gold, model.tag)
        >>> [(v.name, round(v.score.f1, 2)) for v in robustness.versions[:2]]
        [('as written', 0.91), ('lower case', 0.7)]

    Args:
        gold: documents with gold spans.
        tag: returns the documents with predicted spans, in the same order.
        labels: the label set.
        tagged: the documents as written with predicted spans; None tags them, too.
        resamples: number of bootstrap resamples, and of permutations.
        seed: random seed of both.
        on_progress: receives the number of versions that are tagged.
    """
    tables, changed = {}, {}
    names = [AS_WRITTEN, *TRANSFORMATIONS]
    for number, name in enumerate(names):
        on_progress(Progress("Measuring robustness", number, len(names)))
        version = list(map(TRANSFORMATIONS[name], gold)) if name != AS_WRITTEN else list(gold)
        predictions = tagged if tagged is not None and name == AS_WRITTEN else tag(version)
        table = ScoreTable(labels)
        for pair in zip(version, predictions, strict=True):
            table.add(*pair)
        tables[name] = table
        changed[name] = sum(a.text != b.text for a, b in zip(gold, version, strict=True))
    on_progress(Progress("Measuring robustness", len(names), len(names)))
    differences = _differences(tables, resamples, seed)
    versions = []
    for name, table in tables.items():
        strict = table.evaluate(resamples=resamples, seed=seed).strict
        versions.append(
            VersionScores(name, changed[name], strict.micro, strict.labels, differences.get(name))
        )
    return Robustness(len(gold), tuple(versions))


def _differences(
    tables: Mapping[str, ScoreTable], resamples: int, seed: int
) -> dict[str, Difference]:
    """Compare each version with the documents as written, over all labels together."""
    counts = {name: table.counts(())[:, :, :3] for name, table in tables.items()}
    written = counts.pop(AS_WRITTEN)
    groups = adjust_differences(
        [
            measure_differences(version, written, resamples=resamples, seed=seed)
            for version in counts.values()
        ]
    )
    return {name: difference for name, (difference,) in zip(counts, groups, strict=True)}


def robustness_to_json(robustness: Robustness) -> dict[str, Any]:
    """Return the scores of all versions as a JSON object."""
    return {
        "documents": robustness.documents,
        "versions": [
            {
                "name": version.name,
                "changed": version.changed,
                **score_to_json(version.score),
                "labels": {label: score_to_json(s) for label, s in version.labels.items()},
                "difference": asdict(version.difference) if version.difference else None,
            }
            for version in robustness.versions
        ],
    }
