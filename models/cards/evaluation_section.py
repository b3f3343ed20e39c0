"""The section of a model card on its scores: held out, on dev, and what was not measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...evaluation.bootstrap import MIN_DOCUMENTS
from ...evaluation.report.tables import format_difference, format_difference_interval
from ...ui import UNDEFINED, format_interval, format_value
from .dev_scores import ORDINARY_SPANS, DevScores

MIN_SLICE_SPANS = 30
"""Gold spans that a slice must have to be shown."""


def evaluation_section(evaluations: Sequence[Mapping[str, Any]], dev: DevScores) -> str:
    """Return the section in Markdown, without its heading.

    Args:
        evaluations: the results of `orbat evaluate` recorded in the run folder.
        dev: scores of the written model on the run's dev documents.
    """
    held_out = [result for result in evaluations if "strict" in result]
    unannotated = [result for result in evaluations if "unannotated" in result]
    parts = [
        f"""Metric: strict span scores; start, end and label must all be right. Intervals: 95 %,
bootstrapped over documents; none ({UNDEFINED}) where fewer than {MIN_DOCUMENTS} documents have the
label.""",
        *map(_evaluation, held_out),
        *map(_unannotated, unannotated),
    ]
    if not held_out:
        parts.append("No held-out scores: run `orbat evaluate` on the run before packaging.")
    documents = dev.tidy["documents"]
    parts += [
        f"### Dev: the documents that selected the best epoch ({documents}; optimistic scores)",
        score_table(dev.tidy),
        _false_alarms(dev.tidy["false_alarms"]),
        "### Dev, ordinary density",
        _ordinary(dev),
        "### Dev, untidy text: the same documents, written in other ways",
        robustness_table(dev.robustness),
        "### Not measured",
        _not_measured(held_out, unannotated),
    ]
    return "\n\n".join(parts)


def _evaluation(result: Mapping[str, Any]) -> str:
    parts = [f"### Held out: {result['gold']} (documents: {result['documents']})"]
    if result["seen_in_training"]:
        parts.append(
            "Warning: these are not held-out scores. Of the documents, "
            f"{result['seen_in_training']} served for training or model selection."
        )
    parts.append(score_table(result["strict"]))
    if result.get("false_alarms"):
        parts.append(_false_alarms(result["false_alarms"]))
    if result.get("robustness"):
        parts.append(robustness_table(result["robustness"]))
    if result.get("slices"):
        parts.append(slice_table(result["slices"]))
    return "\n\n".join(parts)


def _unannotated(result: Mapping[str, Any]) -> str:
    """Return the false alarms in documents without annotations."""
    alarms = result["false_alarms"]
    rates = {"**all**": alarms["micro"], **alarms["labels"]}
    rows = "\n".join(
        f"| {name} | {rate['spans']} | {format_value(rate['per_1000_words'])} | "
        f"{format_interval(rate['low'], rate['high'])} |"
        for name, rate in rates.items()
    )
    return f"""### False alarms: {result["unannotated"]} (documents: {alarms["documents"]})

These documents are said to have no mention with these labels, so that each prediction is wrong.

| label | false alarms | per 1,000 words | 95 % interval |
|---|---|---|---|
{rows}"""


def _false_alarms(alarms: Mapping[str, Any]) -> str:
    """Return false alarms, perfect documents and those without entities as a list."""
    micro, empty = alarms["micro"], alarms["without_entities"]
    lines = [
        f"- False alarms per 1,000 words: {format_value(micro['per_1000_words'])} "
        f"({format_interval(micro['low'], micro['high'])})",
        "- Documents with all right and none wrong: "
        f"{alarms['perfect_documents']} of {alarms['documents']}",
        f"- Documents without entities: {empty['documents']}; of these without a prediction: "
        f"{empty['unmarked']}; false alarms in the others: {empty['spans']}",
    ]
    return "\n".join(lines)


def _ordinary(dev: DevScores) -> str:
    scores = dev.ordinary
    if scores is None:
        return f"Not measured: no dev document has at most {ORDINARY_SPANS} gold spans."
    return f"""Dev documents with at most {ORDINARY_SPANS} gold spans: {scores["documents"]}.

{score_table(scores)}

{_false_alarms(scores["false_alarms"])}"""


def _not_measured(
    held_out: Sequence[Mapping[str, Any]], unannotated: Sequence[Mapping[str, Any]]
) -> str:
    missing = []
    if not held_out:
        missing.append("- Documents that neither training nor selection has seen.")
    if not any(result.get("robustness") for result in held_out):
        missing.append("- Held-out documents in lower case, in capitals or with hard line breaks.")
    if not unannotated:
        missing.append("- False alarms on news of other topics (`orbat evaluate --false-alarms`).")
    missing += [
        "- Other languages, sources, topics and years than those of the documents above.",
        "- Machine-translated text, and text from character or speech recognition.",
    ]
    if not any(result.get("human_baseline") for result in held_out):
        missing.append("- Human annotators on the same documents (`orbat evaluate --annotators`).")
    return "\n".join(missing)


def score_table(strict: Mapping[str, Any]) -> str:
    """Return strict scores as a Markdown table: all labels together, then each label."""
    rows = {"**all**": strict["micro"], **strict["labels"]}
    return _table("label", [_score_row(name, scores) for name, scores in rows.items()])


def slice_table(slices: Sequence[Mapping[str, Any]]) -> str:
    """Return strict scores of groups of mentions or documents as a Markdown table.

    Groups with fewer than :data:`MIN_SLICE_SPANS` gold spans, or without an interval because they
    come from too few documents, are left out.
    """
    shown = [s for s in slices if s["gold"] >= MIN_SLICE_SPANS and s["low"] is not None]
    return _table("slice", [_score_row(f"{s['dimension']}: {s['group']}", s) for s in shown])


def robustness_table(robustness: Mapping[str, Any]) -> str:
    """Return the scores on each version of the documents as a Markdown table."""
    rows = []
    for version in robustness["versions"]:
        difference = version["difference"]
        cells = [
            *(version["name"], str(version["changed"])),
            *(format_value(version[key]) for key in ("precision", "recall", "f1")),
            *(_difference_cells(difference) if difference else (UNDEFINED, UNDEFINED)),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    header = (
        "| version | documents changed | precision | recall | F1 | difference of F1 "
        "| 95 % interval |"
    )
    return "\n".join([header, "|---|---|---|---|---|---|---|", *rows])


def _difference_cells(difference: Mapping[str, Any]) -> tuple[str, str]:
    low, high = difference["low"], difference["high"]
    return format_difference(difference["f1"]), format_difference_interval(low, high)


def _table(first_column: str, rows: Sequence[str]) -> str:
    header = f"| {first_column} | precision | recall | F1 | F1, 95 % interval | gold spans |"
    return "\n".join([header, "|---|---|---|---|---|---|", *rows])


def _score_row(name: str, scores: Mapping[str, Any]) -> str:
    cells = [name, *(format_value(scores[key]) for key in ("precision", "recall", "f1"))]
    cells.append(format_interval(scores.get("low"), scores.get("high")))
    cells.append(format_value(scores["gold"]))
    return "| " + " | ".join(cells) + " |"
