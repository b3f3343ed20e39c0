"""`orbat train`: gold in, a run folder out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe (quick, default) or a file.")],
    train: Annotated[list[Path], typer.Option(help="Gold to train on (JSON Lines); repeatable.")],
    dev: Annotated[Path, typer.Option(help="Gold to choose the best epoch on.")],
    output: Annotated[Path, typer.Option(help="The run folder to write.")],
    labels: Annotated[
        Path | None, typer.Option(help="Label set file; default: the one for defence news.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with an unfinished run.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
) -> None:
    """Fine-tune a model from a recipe."""
    import json

    from annotation.labels import load_labels
    from corpus.document import Document
    from corpus.errors import InputError
    from corpus.files import read_documents
    from training.recipe import load_recipe

    chosen = load_recipe(recipe, settings or ())
    label_set = load_labels(labels)
    documents: dict[str, Document] = {}
    for path in train:
        for document in read_documents(path, label_set.names):
            if document.id in documents:
                raise InputError(
                    f"{path}: id '{document.id}' stands in another --train file too; keep one"
                )
            documents[document.id] = document
    dev_documents = list(read_documents(dev, label_set.names))
    warn_of_leaks(list(documents.values()), dev_documents)

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    with console.status("Loading"):
        from training.trainer import Progress as Step
        from training.trainer import TrainingData
        from training.trainer import train as run_training
    columns = (
        *(TextColumn("Training"), BarColumn(), TextColumn("{task.fields[scores]}")),
        *(TimeElapsedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Training", total=None, scores="")
        last: dict[str, float] = {}

        def report(step: Step) -> None:
            if step.loss is not None:
                last["loss"] = step.loss
            if step.f1 is not None:
                last["dev F1"] = step.f1
            scores = "  ".join(f"{name} {value:.3f}" for name, value in last.items())
            progress.update(task, completed=step.step, total=step.steps, scores=scores)
            if step.f1 is not None and not console.is_terminal:
                console.print(f"step {step.step} of {step.steps}  {scores}", highlight=False)

        data = TrainingData(list(documents.values()), dev_documents, train, [dev])
        metrics = run_training(chosen, data, label_set, output, resume=resume, report=report)
    if json_output:
        typer.echo(json.dumps(metrics))
        return
    print_metrics(metrics, output)


def warn_of_leaks(train: list[Any], dev: list[Any]) -> None:
    """Say on the error stream which dev documents repeat training documents, even nearly."""
    from corpus.duplicates import DuplicateFinder

    finder = DuplicateFinder()
    trained = {document.id for document in train if finder.meet(document) is None}
    repeated = [found for found in map(finder.meet, dev) if found and found.of in trained]
    if repeated:
        typer.echo(
            f"warning: {len(repeated)} dev documents repeat training documents (first "
            f"'{repeated[0].id}' and '{repeated[0].of}'); dev scores will flatter the model",
            err=True,
        )


def print_metrics(metrics: dict[str, Any], output: Path) -> None:
    """Print the dev scores of a finished run."""
    from rich.console import Console
    from rich.table import Table

    table = Table("label", "precision", "recall", "F1", title="Strict scores on the dev documents")
    for label, scores in {"all labels": metrics["dev"], **metrics["dev"]["labels"]}.items():
        table.add_row(
            label,
            *(
                "–" if scores[k] is None else f"{scores[k]:.3f}"
                for k in ("precision", "recall", "f1")
            ),
        )
    Console().print(table)
    typer.echo(f"run: {output} ({metrics['seconds']:.0f} s, {metrics['precision']})")
