"""`orbat evaluate`: score a model or predictions on held-out gold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...annotation.commands.options import ANY_FORMAT
from ...terminal import echo, echo_json, echo_warnings

if TYPE_CHECKING:
    from ...annotation.gold_files import GoldReader, Part
    from ...corpus.document import Document
    from ...models.model import Model
    from ..system_evaluation import SystemEvaluation


_DATA = "Documents and labels"
_MEASURED = "What is measured"
_WRITTEN = "What is written"
"""Groups of options in the help."""


def evaluate(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL]... GOLD",
            help="Run folders, wheel files, installed models, token classifiers of transformers "
            "(folder or Hugging Face id), spacy:NAME, gliner:MODEL, llm:MODEL@URL or model files "
            "(.toml), then the gold documents. The first model is scored, and "
            "compared with each of the others. Runs that differ only in "
            "their seed count as one system.",
        ),
    ],
    predictions: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"Score these documents, {ANY_FORMAT}, instead of a model's predictions; repeat "
            "to compare.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    source_format: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="Format of the gold, as of orbat annotate convert; default: found from it.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    flatten: Annotated[
        str | None,
        typer.Option(
            metavar="longest",
            help="Keep the longest of gold spans that overlap, which are refused otherwise.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML report to write.", rich_help_panel=_WRITTEN)
    ] = None,
    conll: Annotated[
        Path | None,
        typer.Option(
            help="File to write for conlleval or seqeval: token, gold tag and predicted tag (BIO) "
            "of the first system on each line, a blank line after each sentence.",
            rich_help_panel=_WRITTEN,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Score only documents whose meta has KEY=VALUE.", rich_help_panel=_DATA),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Label set file, for colors and order.", rich_help_panel=_DATA),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help=f"Training documents, {ANY_FORMAT}, to identify seen mentions; default: the "
            "run's own.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option(
            help=f"Documents to calibrate the model on, {ANY_FORMAT}; default: the run's own.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    annotators: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"An annotator's version of the gold documents, {ANY_FORMAT}; repeatable.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option(
            "--slice", help="Meta field to slice by; repeatable.", rich_help_panel=_MEASURED
        ),
    ] = None,
    target_precision: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Recommend the threshold that reaches this precision.",
            rich_help_panel=_MEASURED,
        ),
    ] = 0.95,
    false_alarms: Annotated[
        str | None,
        typer.Option(
            metavar="LABELS",
            help="Labels, separated by commas, that do not occur in the documents. The documents "
            "need no annotation: only predictions with these labels are counted, each as a false "
            "alarm.",
            rich_help_panel=_MEASURED,
        ),
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Score the first model also on the documents in lower case, in capitals, "
            "hard-wrapped, with irregular blanks, and with typographic and straight quotes.",
            rich_help_panel=_MEASURED,
        ),
    ] = False,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            help="[LABEL.]METRIC=VALUE with METRIC precision, recall, f1 or low (the lower bound "
            "of F1); exit with code 1 if the score is lower. Repeatable.",
            rich_help_panel=_MEASURED,
        ),
    ] = None,
    resamples: Annotated[
        int,
        typer.Option(
            min=100,
            help="Number of bootstrap resamples and of permutations.",
            rich_help_panel=_MEASURED,
        ),
    ] = 2000,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print JSON.", rich_help_panel=_WRITTEN)
    ] = False,
) -> None:
    """Score a model, or any system's predictions, on held-out gold documents.

    Prints strict scores with intervals, false alarms per 1,000 words, the worst slice, calibration
    and the most frequent errors. With several systems, prints how they differ. The evaluation of a
    run is stored in its folder and shown in its model card.

    With --false-alarms, counts false alarms in documents without annotations, such as sports news.
    """
    from ...annotation.formats.tokens.conll import write_predictions
    from ...annotation.gold_files import GoldReader
    from ...corpus.files import check_output_file, write_text
    from ...corpus.labels import distinct_color, load_labels
    from ...errors import InputError
    from ...models.commands.remote import print_notes
    from ...ui import progress_bars
    from ..gate import parse_gate
    from ..report.html import render_report
    from ..report.tables import gate_line
    from ..system_evaluation import evaluate_systems
    from .unannotated import evaluate_unannotated

    if (len(arguments) != 1) if predictions else (len(arguments) < 2):
        raise InputError("write orbat evaluate MODEL... GOLD, or --predictions PRED... GOLD")
    sources = [arguments[-1], *(predictions or ()), *(annotators or ()), train, dev]
    check_output_file(report, *sources)
    check_output_file(conll, *sources, report)
    if predictions and dev:
        raise InputError("--dev calibrates a model; remove it, or give a model")
    if false_alarms is not None:
        unused = {
            "--train": train,
            "--dev": dev,
            "--annotators": annotators,
            "--slice": slices,
            "--robustness": robustness,
            "--gate": gate,
            "--conll": conll,
            "--from": source_format,
            "--flatten": flatten,
        }
        for option, value in unused.items():
            if value:
                raise InputError(f"{option} needs gold; remove it or --false-alarms")
        evaluate_unannotated(
            predictions or _load_models(arguments[:-1]),
            arguments[-1],
            false_alarms,
            where=where,
            resamples=resamples,
            report=report,
            json_output=json_output,
        )
        return
    gates = [parse_gate(text) for text in gate or ()]
    reader, others = GoldReader(source_format, flatten), GoldReader(has_options=False)

    def read(
        path: Path, labels: Iterable[str] | None = None, *, spans_required: bool = False
    ) -> Iterator[Document]:
        chosen = reader if path == Path(arguments[-1]) else others
        return chosen.read(path, labels, part="test", spans_required=spans_required)

    models = [] if predictions else _load_models(arguments[:-1], labels)
    allowed = load_labels(labels).names if labels else models[0].labels if models else None
    with progress_bars() as on_progress:
        result = evaluate_systems(
            [*models, *(predictions or ())],
            arguments[-1],
            labels=allowed,
            where=where,
            train=_read_all(others, train, None, "train"),
            dev=_read_all(others, dev, allowed, "dev"),
            annotations=_read_annotations(annotators or (), allowed, others),
            slice_by=slices or (),
            target_precision=target_precision,
            robustness=robustness,
            gates=gates,
            read_gold=read,
            resamples=resamples,
            on_progress=on_progress,
        )
    echo_warnings((*reader.notices, *others.notices, *result.warnings))
    for model in models:
        print_notes(model)
    if report:
        names = sorted(result.evaluation.strict.labels)
        colors = {name: distinct_color(number) for number, name in enumerate(names)}
        given = (label for label in load_labels(labels).labels if "color" in label.model_fields_set)
        colors |= {label.name: label.color for label in given}
        write_text(report, render_report(result, colors))
    if conll:
        for kind, count in sorted(write_predictions(conll, result.pairs()).items()):
            echo(f"{conll}: {count} {kind}", err=True)
    if json_output:
        echo_json(result.to_json())
    else:
        _print(result)
        if report:
            echo(f"report: {report}")
        if conll:
            echo(f"tags: {conll}")
    for gate_result in result.gates:
        echo(gate_line(gate_result), err=True)
    if not result.passed:
        raise typer.Exit(1)


def _load_models(names: Sequence[str], labels: Path | None = None) -> list[Model]:
    from ...corpus.labels import load_guidelines, load_labels
    from ...models.commands.remote import announce
    from ...models.loading import load_model

    # Only a language model is told the labels.
    label_set = load_labels(labels) if labels else None
    guidelines = load_guidelines(label_set, labels) if label_set else None
    return [announce(load_model(name, labels=label_set, guidelines=guidelines)) for name in names]


def _read_all(
    reader: GoldReader, path: Path | None, labels: Sequence[str] | None, part: Part
) -> list[Document] | None:
    """Return the gold documents of a file or folder; None without one."""
    return None if path is None else reader.read_files([path], labels, part=part)


def _read_annotations(
    paths: Sequence[Path], labels: Sequence[str] | None, reader: GoldReader
) -> dict[str, list[Document]]:
    """Read the confirmed documents of each annotator, by annotator."""
    from ...annotation.adjudication.set_files import read_confirmed
    from ...errors import InputError

    annotations: dict[str, list[Document]] = {}
    for path in paths:
        name, documents = read_confirmed(path, labels, reader)
        if name in annotations:
            raise InputError(f"{path}: second file of annotator '{name}'; give one per annotator")
        annotations[name] = documents
    return annotations


def _print(result: SystemEvaluation) -> None:
    from rich.console import Console

    from ...ui import print_tables
    from ..report import tables

    console = Console()

    scores = tables.score_table(result.evaluation, f"{result.name} on {result.gold}")
    alarms = tables.false_alarm_table(result.analysis.false_alarms)
    shown = [scores, alarms]
    if result.robustness:
        shown.append(tables.robustness_table(result.robustness))
    print_tables(shown, console, max_rows=max(len(table.rows) for table in shown))
    for line in tables.analysis_lines(result.analysis):
        echo(line)
    if result.system_scores:
        systems = tables.systems_table(result.system_scores)
        print_tables([systems], console, max_rows=len(systems.rows))
    for comparison in result.comparisons:
        differences = tables.comparison_table(comparison)
        print_tables([differences], console, max_rows=len(differences.rows))
        echo(tables.wins_line(comparison))
