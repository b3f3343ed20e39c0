"""`orbat evaluate`: predictions meet held-out gold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from corpus.document import Document


def evaluate(
    context: typer.Context,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] GOLD",
            help="A run folder, wheel file or installed model, then the gold documents; with "
            "--predictions the gold documents alone.",
        ),
    ],
    predictions: Annotated[
        Path | None, typer.Option(help="Score these documents instead of a model's.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    where: Annotated[
        str | None, typer.Option(help="Score only documents whose meta has KEY=VALUE.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Label set file, for colours and order.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model, or any system's predictions, against held-out gold.

    Scores of a run folder are kept in the folder, and its model card will carry them.
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from annotation.labels import load_labels
    from annotation.matching import pair_documents
    from corpus.errors import InputError
    from corpus.files import read_documents, sha256_file, sha256_text, write_text
    from evaluation.report import render_report
    from evaluation.scoring import evaluate as score
    from evaluation.scoring import evaluation_to_json

    if len(arguments) != (1 if predictions else 2):
        raise InputError("write orbat evaluate MODEL GOLD, or --predictions PRED GOLD")
    gold_file = Path(arguments[-1])
    seen = 0
    model = None
    if predictions:
        name = predictions.name
        gold = list(read_documents(gold_file))
        read = list(read_documents(predictions))
        known: tuple[str, ...] = load_labels(labels).names if labels else ()
        pairs = pair_documents(gold, read, (str(gold_file), str(predictions)))
        pairs = [pair for pair in pairs if _is_wanted(pair[0], where)]
    else:
        model = context.obj["load_model"](arguments[0])
        name, known = model.name, model.labels
        gold = [d for d in read_documents(gold_file, known) if _is_wanted(d, where)]
        console = Console(stderr=True)
        with console.status(f"Tagging {len(gold)} documents"):
            pairs = list(zip(gold, model.tag(gold), strict=True))
        seen = sum(sha256_text(document.text) in model.seen for document in gold)
    if not pairs:
        raise InputError(f"{gold_file}: no document with {where} in its meta; check --where")
    result = score(pairs, known)
    value: dict[str, Any] = {
        "model": name,
        "gold": gold_file.name + (f", {where}" if where else ""),
        "gold_sha256": sha256_file(gold_file),
        "seen_in_training": seen,
        **evaluation_to_json(result),
    }
    if model is not None:
        model.keep_evaluation(f"{gold_file.stem}-{where}" if where else gold_file.stem, value)
    if seen:
        typer.echo(
            f"warning: the model was trained or chosen on {seen} of these {len(pairs)} documents; "
            "these are no held-out scores",
            err=True,
        )
    if report:
        colors = {label.name: label.color for label in load_labels(labels).labels}
        facts = {"Warning": f"{seen} of the documents were seen in training"} if seen else {}
        page = render_report(
            result, pairs, model=name, gold=value["gold"], colors=colors, facts=facts
        )
        write_text(report, page)
    if json_output:
        typer.echo(json.dumps(value))
        return
    table = Table(
        *("label", "precision", "recall", "F1", "95 % interval", "gold", "predicted"),
        title=f"{name} on {value['gold']}: {len(pairs)} documents",
    )
    for label, each in {"all labels": result.micro, **result.labels}.items():
        counts = each.counts
        table.add_row(
            label,
            *(_number(value) for value in (counts.precision, counts.recall, counts.f1)),
            f"{_number(each.low)} to {_number(each.high)}",
            str(counts.both + counts.first_only),
            str(counts.both + counts.second_only),
        )
    console = Console()
    console.print(table)
    kinder = ", ".join(f"{scheme} {scores['f1']:.3f}" for scheme, scores in result.kinder.items())
    console.print(f"F1 by nervaluate's schemes: {kinder or '–'}", highlight=False)
    if report:
        typer.echo(f"report: {report}")


def _is_wanted(document: Document, where: str | None) -> bool:
    key, _, value = (where or "").partition("=")
    return where is None or str(document.meta.get(key)) == value


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
