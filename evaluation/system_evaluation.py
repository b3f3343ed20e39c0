"""Evaluation of systems on held-out gold: the function that `orbat evaluate` calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..corpus.document import Document
from ..corpus.files import read_documents, sha256_path
from ..errors import InputError
from ..ui import OnProgress, Progress, ignore_progress
from .bootstrap import RESAMPLES
from .comparison.system_comparison import (
    PairedComparison,
    SystemScores,
    comparison_to_json,
    system_scores_to_json,
)
from .comparison.systems import (
    GoldDocuments,
    Pairs,
    ReadGold,
    System,
    TrainedModel,
    compare_systems,
    system_from_file,
    system_from_model,
)
from .document_pairs import match_ids
from .false_alarms.rates import describe_few_annotated
from .gate import Gate, GateResult, gate_result_to_json
from .metrics import Evaluation
from .prediction_analysis import PredictionAnalysis, analysis_to_json, analyze_predictions
from .robustness.measurement import Robustness, measure_robustness, robustness_to_json


@dataclass(frozen=True)
class SystemEvaluation:
    """One system's evaluation on gold documents, and its comparison with other systems.

    Attributes:
        name: the name of the system.
        gold: the name of the gold file, and the condition that selects its documents.
        gold_sha256: SHA-256 of the gold file, or of the names and hashes of a folder's files.
        seen_in_training: number of gold documents that the system was trained or selected on.
        analysis: scores, slices, calibration, errors and human baseline.
        comparisons: the system compared with each other system.
        system_scores: scores of each system compared, by name; empty for one system.
        gates: the results of the gates.
        robustness: scores on the same documents in lower case, hard-wrapped and so on; None if
            they were not measured.
        notes: what the user should know of how the documents were paired.
        pairs: returns the gold and predicted documents, in the order of the gold, at each call.
    """

    name: str
    gold: str
    gold_sha256: str
    seen_in_training: int
    analysis: PredictionAnalysis
    comparisons: tuple[PairedComparison, ...] = ()
    system_scores: Mapping[str, SystemScores] = field(default_factory=dict)
    gates: tuple[GateResult, ...] = ()
    robustness: Robustness | None = None
    notes: tuple[str, ...] = ()
    pairs: Callable[[], Pairs] = field(default=lambda: iter(()), repr=False, compare=False)

    @property
    def evaluation(self) -> Evaluation:
        """The scores of the system."""
        return self.analysis.evaluation

    @property
    def passed(self) -> bool:
        """Whether all gates passed."""
        return all(result.passed for result in self.gates)

    @property
    def warnings(self) -> list[str]:
        """Reasons to doubt the scores: documents matched by text or seen in training, and so on."""
        warnings = list(self.notes)
        if self.seen_in_training:
            warnings.append(
                f"{self.seen_in_training} of these {self.evaluation.documents} documents were "
                "used for training or model selection; these are not held-out scores"
            )
        if not self.evaluation.strict.micro.gold:
            warnings.append(
                "the gold has no span at all; if these documents are not annotated, name the "
                "labels that do not occur in them with --false-alarms"
            )
        without = self.analysis.false_alarms.without_entities.documents
        warnings += describe_few_annotated(without, self.evaluation.documents, "gold")
        labels = self.evaluation.strict.labels
        unknown = [name for name, score in labels.items() if score.predicted and not score.gold]
        if unknown:
            warnings.append(f"labels predicted but absent from the gold: {', '.join(unknown)}")
        return warnings

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as a JSON object."""
        value = self.to_record()
        if self.system_scores:
            value["comparisons"] = list(map(comparison_to_json, self.comparisons))
            value["systems"] = {
                name: system_scores_to_json(scores) for name, scores in self.system_scores.items()
            }
        if self.gates:
            value["gates"] = list(map(gate_result_to_json, self.gates))
        return value

    def to_record(self) -> dict[str, Any]:
        """Return the JSON object that is stored with the model: without comparisons and gates."""
        return {
            "model": self.name,
            "gold": self.gold,
            "gold_sha256": self.gold_sha256,
            "seen_in_training": self.seen_in_training,
            **analysis_to_json(self.analysis),
            "robustness": robustness_to_json(self.robustness) if self.robustness else None,
        }


def evaluate_systems(
    systems: Sequence[TrainedModel | Path | str],
    gold: Path | str,
    *,
    labels: Sequence[str] | None = None,
    where: str | None = None,
    train: Sequence[Document] | None = None,
    dev: Sequence[Document] | None = None,
    annotations: Mapping[str, Sequence[Document]] | None = None,
    slice_by: Sequence[str] = (),
    target_precision: float = 0.95,
    robustness: bool = False,
    gates: Sequence[Gate] = (),
    read_gold: ReadGold = read_documents,
    resamples: int = RESAMPLES,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> SystemEvaluation:
    """Evaluate a system on held-out gold documents and compare it with other systems.

    The first system is evaluated; it is compared with each other one. Models that differ only in
    their seed count as one system. A model tags the gold documents and records its evaluation in
    its run folder, if it has one.

    Example:
        >>> result = evaluate_systems([load_model("runs/one"), "baseline.jsonl"], "gold.jsonl")
        >>> result.evaluation.strict.micro.f1
        0.911

    Args:
        systems: models, or paths of files with predictions for the gold documents.
        gold: file of the gold documents.
        labels: the labels allowed; None takes those of the first model, and allows any label if
            there is no model.
        where: ``KEY=VALUE``; only documents with this value in their meta are scored.
        train: training documents, to distinguish seen from unseen mentions; None takes the first
            model's own.
        dev: documents to calibrate the first model on; None takes its own.
        annotations: annotators' documents by annotator, for the human baseline.
        slice_by: meta fields to slice by, in addition to the default dimensions.
        target_precision: the precision for which a confidence threshold is recommended.
        robustness: whether to score the first system, which must be a model, on transformations
            of the gold documents, too; see :func:`.robustness.measurement.measure_robustness`.
        gates: scores that the first system must reach.
        read_gold: reads the gold file and those of predictions; by default JSON Lines.
        resamples: number of bootstrap resamples, and of permutations in significance tests.
        seed: random seed of both.
        on_progress: receives the progress by system.

    Raises:
        InputError: if a file, record, option or gate is not valid, if there is no document to
            score, a gold record has no field `spans`, or the predictions are not for the same
            documents as the gold.
    """
    if not systems:
        raise InputError("no system to evaluate; give a model or a file of predictions")
    if robustness and isinstance(systems[0], Path | str):
        raise InputError(
            "--robustness tags the documents again in other forms; give a model instead of "
            "predictions"
        )
    models = [system for system in systems if not isinstance(system, Path | str)]
    allowed = tuple(labels) if labels is not None else models[0].labels if models else None
    if allowed is not None:
        # Otherwise the labels are those of the files, which are not known yet.
        for gate in gates:
            gate.check_label(allowed)
    documents = GoldDocuments(Path(gold), allowed, where, read=read_gold)
    documents.check()
    prepared = []
    for number, system in enumerate(systems):
        on_progress(Progress("Preparing systems", number, len(systems)))
        prepared.append(_prepare(system, documents, dev))
    on_progress(Progress("Preparing systems", len(systems), len(systems)))
    on_progress(Progress("Scoring", 0))
    first = prepared[0]
    notes = []
    if annotations:
        matched, matches = match_ids({"": list(documents), **annotations})
        annotations = {name: matched[name] for name in annotations}
        notes = [f"--annotators: {line}" for line in matches.lines()]
    absent = set(slice_by)
    # Each iteration reads the file: one for all fields, as far as it is needed.
    for document in documents if absent else ():
        absent -= document.meta.keys()
        if not absent:
            break
    notes += [
        f"--slice {name}: no document has this field in meta" for name in slice_by if name in absent
    ]
    analysis = analyze_predictions(
        first.pairs(),
        labels=allowed or (),
        train=train if train is not None else first.train(),
        dev=first.dev(),
        annotations=annotations,
        slice_by=slice_by,
        target_precision=target_precision,
        resamples=resamples,
        seed=seed,
    )
    comparisons: list[PairedComparison] = []
    system_scores: dict[str, SystemScores] = {}
    if len(prepared) > 1:
        comparison = compare_systems(prepared, allowed or ())
        comparisons = comparison.comparisons(resamples=resamples, seed=seed)
        system_scores = comparison.scores(resamples=resamples, seed=seed)
    measured = None
    if robustness and first.tag is not None:
        gold_documents, tagged = zip(*first.pairs(), strict=True)
        measured = measure_robustness(
            gold_documents,
            first.tag,
            allowed or (),
            tagged=tagged,
            resamples=resamples,
            seed=seed,
            on_progress=on_progress,
        )
    result = SystemEvaluation(
        first.name,
        documents.name,
        sha256_path(documents.file),
        first.seen,
        analysis,
        tuple(comparisons),
        system_scores,
        tuple(gate.check(analysis.evaluation) for gate in gates),
        measured,
        (*(f"{s.name}: {line}" for s in prepared for line in s.matches.lines()), *notes),
        first.pairs,
    )
    first.record(documents.record_name, result.to_record())
    return result


def _prepare(
    system: TrainedModel | Path | str, gold: GoldDocuments, dev: Sequence[Document] | None
) -> System:
    if isinstance(system, Path | str):
        return system_from_file(Path(system), gold)
    return system_from_model(system, gold, dev)
