"""`orbat evaluate`: predictions meet held-out gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from .assessment import Assessment
    from .comparison.system_comparison import PairedComparison, SystemScores


def evaluate(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL]... GOLD",
            help="Run folders, wheel files or installed models, then the gold documents. The first "
            "model is the one scored; it is compared with the others. Runs that differ in their "
            "seed only are taken together.",
        ),
    ],
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="Score these documents instead of a model's; repeatable, to compare."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    where: Annotated[
        str | None, typer.Option(help="Score only documents whose meta has KEY=VALUE.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Label set file, for colours and order.")
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(help="Training documents, to tell seen mentions; a run brings its own."),
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option(help="Documents to calibrate the model on; a run brings its own."),
    ] = None,
    annotators: Annotated[
        list[Path] | None,
        typer.Option(help="An annotator's reading of gold documents; repeatable."),
    ] = None,
    slices: Annotated[
        list[str] | None, typer.Option("--slice", help="Meta field to slice by; repeatable.")
    ] = None,
    target_precision: Annotated[
        float, typer.Option(min=0, max=1, help="Recommend the confidence that reaches this.")
    ] = 0.95,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            help="[LABEL.]METRIC=VALUE with METRIC precision, recall, f1 or low (the lower bound "
            "of F1); exit 1 below it. Repeatable."
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=100, help="Bootstrap resamples and random exchanges.")
    ] = 2000,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model, or any system's predictions, against held-out gold.

    Prints strict scores with intervals, the worst group, what confidences are worth, and the
    patterns of errors; with several models, how they differ. Scores of a run folder are kept in
    the folder, and its model card will carry them.
    """
    import json

    from rich.console import Console

    from ..annotation.adjudication.annotation_sets import read_confirmed
    from ..corpus.files import read_documents, sha256_file, write_text
    from ..corpus.labels import load_labels
    from ..errors import InputError
    from .assessment import assess, assessment_to_json
    from .comparison.system_comparison import comparison_to_json, system_scores_to_json
    from .comparison.systems import Gold, compare_systems, system_from_file, system_from_model
    from .gate import parse_gate
    from .report import render_report

    if (len(arguments) != 1) if predictions else (len(arguments) < 2):
        raise InputError("write orbat evaluate MODEL... GOLD, or --predictions PRED... GOLD")
    if predictions and dev:
        raise InputError("--dev calibrates a model; with --predictions there is none")
    gates = [parse_gate(text) for text in gate or ()]
    console = Console(stderr=True)
    known = load_labels(labels).names if labels else None
    file = Path(arguments[-1])
    with console.status("Scoring") as status:
        if predictions:
            gold = Gold(file, known, where)
            gold.check()
            systems = [system_from_file(path, gold) for path in predictions]
        else:
            from ..models.loading import load_model

            loaded = []
            for name in arguments[:-1]:
                status.update(f"Loading {name}")
                loaded.append(load_model(name))
            gold = Gold(file, known or loaded[0].labels, where)
            gold.check()
            systems = []
            for model in loaded:
                status.update(f"Tagging with {model.name}")
                systems.append(system_from_model(model, gold, dev))
        first = systems[0]
        status.update("Scoring")
        trained_on = list(read_documents(train)) if train else first.train()
        readings = {}
        for path in annotators or ():
            name, documents = read_confirmed(path, gold.labels)
            if name in readings:
                raise InputError(f"{path}: another reading by '{name}'; give one of each annotator")
            readings[name] = documents
        assessment = assess(
            first.pairs(),
            labels=gold.labels or (),
            train=trained_on,
            dev=first.dev(),
            readings=readings,
            slice_by=slices or (),
            target_precision=target_precision,
            resamples=resamples,
        )
        comparisons: list[PairedComparison] = []
        system_scores: dict[str, SystemScores] = {}
        if len(systems) > 1:
            status.update("Comparing")
            compared = compare_systems(systems, gold.labels or ())
            comparisons = compared.comparisons(resamples=resamples)
            system_scores = compared.scores(resamples=resamples)
    value: dict[str, Any] = {
        "model": first.name,
        "gold": file.name + (f", {where}" if where else ""),
        "gold_sha256": sha256_file(file),
        "seen_in_training": first.seen,
        **assessment_to_json(assessment),
    }
    first.keep(f"{file.stem}-{where}" if where else file.stem, value)
    if len(systems) > 1:
        value["comparisons"] = [comparison_to_json(each) for each in comparisons]
        value["systems"] = {
            name: system_scores_to_json(each) for name, each in system_scores.items()
        }
    results = [(each, each.value(assessment.evaluation)) for each in gates]
    failed = [each.text for each, _ in results if not each.passes(assessment.evaluation)]
    if gates:
        value["gates"] = [
            {"gate": each.text, "value": found, "passed": each.text not in failed}
            for each, found in results
        ]
    scored = assessment.evaluation.strict.labels
    unknown = [label for label, s in scored.items() if s.predicted and not s.gold]
    facts = {}
    if first.seen:
        facts["Warning"] = (
            f"the model was trained or chosen on {first.seen} of these "
            f"{assessment.evaluation.documents} documents; these are no held-out scores"
        )
        typer.echo(f"warning: {facts['Warning']}", err=True)
    if unknown:
        typer.echo(f"warning: predicted, but nowhere in the gold: {', '.join(unknown)}", err=True)
    if report:
        page = render_report(
            assessment,
            model=first.name,
            gold=value["gold"],
            colors={label.name: label.color for label in load_labels(labels).labels},
            facts=facts,
            comparisons=comparisons,
            system_scores=system_scores,
        )
        write_text(report, page)
    if json_output:
        typer.echo(json.dumps(value))
    else:
        _print(assessment, f"{first.name} on {value['gold']}", comparisons, system_scores)
        if report:
            typer.echo(f"report: {report}")
    for each, found in results:
        verdict = "below the bar" if each.text in failed else "reached"
        typer.echo(f"gate {each.text}: {_number(found)}, {verdict}", err=True)
    if failed:
        raise typer.Exit(1)


def _print(
    assessment: Assessment,
    title: str,
    comparisons: Sequence[PairedComparison],
    system_scores: Mapping[str, SystemScores],
) -> None:
    from rich.console import Console
    from rich.table import Table

    from .error_analysis import ERROR_KINDS

    console = Console()
    evaluation, errors = assessment.evaluation, assessment.errors
    strict = evaluation.strict
    table = Table(
        *("label", "precision", "recall", "F1", "95 % interval", "gold", "predicted"),
        title=f"{title}: {evaluation.documents} documents, {evaluation.tokens} tokens",
    )
    for label, score in {"all labels": strict.micro, **strict.labels}.items():
        table.add_row(
            label,
            *map(_number, (score.precision, score.recall, score.f1)),
            _interval(score.low, score.high),
            *(str(score.gold), str(score.predicted)),
        )
    macro = strict.macro
    table.add_row(
        "mean of labels",
        *map(_number, (macro.precision, macro.recall, macro.f1)),
        _interval(macro.low, macro.high),
    )
    console.print(table)

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    relaxed = (
        f"{scheme} {_number(scores.micro.f1)}"
        for scheme, scores in evaluation.schemes.items()
        if scores is not strict
    )
    say(f"F1 by relaxed schemes: {', '.join(relaxed)}")
    low = assessment.worst
    if low:
        say(
            f"worst group: {low.dimension} = {low.group}, F1 {_number(low.score.f1)} "
            f"({_interval(low.score.low, low.score.high)}), {low.score.gold} gold spans"
        )
    sure = assessment.calibration
    if sure:
        better = f", {sure.calibrated.error:.3f} calibrated on dev" if sure.calibrated else ""
        say(f"expected calibration error of the confidence: {sure.raw.error:.3f}{better}")
        if sure.recommended and sure.achieved:
            say(
                f"for precision {sure.target_precision}: keep confidences from "
                f"{sure.recommended.threshold:.3f} "
                f"(chosen on dev); here precision {sure.achieved.precision:.3f}, recall "
                f"{_number(sure.achieved.recall)}"
            )
    kinds = (f"{kind} {count}" for kind in ERROR_KINDS if (count := errors.count_kind(kind)))
    say(f"{errors.total} errors: {', '.join(kinds) or 'none'}")
    for pattern in errors.patterns[:5]:
        say(f"  {pattern.errors:4} {pattern.description}, e.g. {pattern.examples[0]}")
    if assessment.human_baseline:
        for person in assessment.human_baseline.annotators:
            say(
                f"{person.name} on {person.documents} of these documents: F1 "
                f"{_number(person.annotator.f1)}; the model there: {_number(person.model.f1)} "
                f"({_interval(person.model.low, person.model.high)})"
            )
    if system_scores:
        console.print(_systems(system_scores))
    for comparison in comparisons:
        versus = Table(
            *("label", "difference of F1", "95 % interval", "p", "p, corrected"),
            title=f"{comparison.first} against {comparison.second}",
        )
        for label, each in {"all labels": comparison.micro, **comparison.labels}.items():
            versus.add_row(
                label,
                "–" if each.f1 is None else f"{each.f1:+.3f}",
                "–" if each.low is None else f"{each.low:+.3f} to {each.high:+.3f}",
                *map(_number, (each.p, each.adjusted)),
            )
        console.print(versus)
        wins = comparison.wins
        say(
            f"gold mentions found by the first alone: {wins.first_only}, by the other alone: "
            f"{wins.second_only}"
        )


def _systems(system_scores: Mapping[str, SystemScores]) -> Table:
    """Return a table of one column for each system, which fits a narrow screen."""
    from rich.table import Table

    short = [Path(name).name for name in system_scores]
    names = short if len(set(short)) == len(short) else list(system_scores)
    found = list(system_scores.values())
    table = Table("", *names, title="Systems compared")
    for name in ("precision", "recall"):
        table.add_row(name, *(_number(getattr(scores, name)) for scores in found))
    table.add_row("F1", *(_number(scores.mean) for scores in found))
    table.add_row("95 % interval", *(_interval(scores.low, scores.high) for scores in found))
    table.add_row("seeds", *(str(len(scores.f1_by_seed)) for scores in found))
    table.add_row("deviation of F1", *(_number(scores.std) for scores in found))
    for label in found[0].labels:
        table.add_row(f"F1 of {label}", *(_number(scores.labels[label]) for scores in found))
    return table


def _interval(low: float | None, high: float | None) -> str:
    return f"{_number(low)}–{_number(high)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
