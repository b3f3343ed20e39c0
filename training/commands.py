"""`orbat train`: gold in, a run folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..corpus.labels import LabelSet
    from .data import TrainingData
    from .recipe import AnyRecipe

RecipeArgument = Annotated[
    str,
    typer.Argument(
        help="A shipped recipe (quick, default, fast, fastest, transformers, large, "
        "baseline-rules, baseline-linear, baseline-cnn), a file, or a run folder to train again."
    ),
]
TrainOption = Annotated[
    list[Path] | None, typer.Option(help="Gold to train on (JSON Lines); repeatable.")
]
DevOption = Annotated[
    list[Path] | None, typer.Option(help="Gold to choose the best epoch on; repeatable.")
]
LabelsOption = Annotated[
    Path | None, typer.Option(help="Label set file; default: the one for defence news.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
]


def train(
    recipe: RecipeArgument,
    train: TrainOption = None,
    dev: DevOption = None,
    output: Annotated[Path | None, typer.Option(help="The run folder to write.")] = None,
    labels: LabelsOption = None,
    settings: SetOption = None,
    resume: Annotated[bool, typer.Option(help="Go on with an unfinished run.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what the recipe does and takes; train nothing.")
    ] = False,
    curve: Annotated[
        bool,
        typer.Option("--curve", help="Train on growing parts and forecast what more gold buys."),
    ] = False,
    points: Annotated[int, typer.Option(help="Sizes of the curve.", min=3, max=12)] = 4,
    seeds: Annotated[int, typer.Option(help="Trainings at each size of the curve.", min=1)] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON.")] = False,
) -> None:
    """Train a model from a recipe."""
    import json

    from ..errors import InputError

    chosen, data, label_set = read_inputs(recipe, train, dev, labels, settings)
    if explain:
        print_explanation(recipe, chosen, data, label_set, json_output)
        return
    if data is None:
        raise InputError(_NO_GOLD)
    if output is None:
        raise InputError("name the folder to write with --output")
    from .train import is_first_process

    if is_first_process():
        warn_of_absent_labels(data, label_set)
        warn_of_leaks(data)
    if curve:
        _draw_curve(chosen, data, label_set, output, points, seeds, json_output)
        return
    console = _console(is_first_process())
    with console.status("Loading"):
        from .train import train as run_training
    with _Reported(console) as reported:
        metrics = run_training(
            chosen, data, label_set, output, resume=resume, on_progress=reported.report
        )
    if not is_first_process():
        return
    if json_output:
        typer.echo(json.dumps(metrics))
        return
    print_metrics(metrics, output)


def sweep(
    recipe: RecipeArgument,
    search: Annotated[
        list[str],
        typer.Option(
            help="A field and its values: KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C; repeatable."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder of the sweep; named again, it goes on.")],
    trials: Annotated[int, typer.Option(help="Trainings in all.", min=1)] = 20,
    train: TrainOption = None,
    dev: DevOption = None,
    labels: LabelsOption = None,
    settings: SetOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search recipe fields for the best dev score by many trainings; killed, it can go on."""
    from rich.console import Console
    from rich.table import Table

    from ..errors import InputError
    from .experiments.sweep import parse_range

    ranges = [parse_range(each) for each in search]
    chosen, data, label_set = read_inputs(recipe, train, dev, labels, settings)
    if data is None:
        raise InputError(_NO_GOLD)
    warn_of_absent_labels(data, label_set)
    warn_of_leaks(data)
    console = _console(True)

    def told(outcome: Any) -> None:
        values = "  ".join(f"{name}={value}" for name, value in outcome.values.items())
        f1 = "–" if outcome.f1 is None else f"{outcome.f1:.3f}"
        console.print(f"{outcome.number + 1}: F1 {f1} {outcome.state}  {values}", highlight=False)

    with console.status("Training"):
        from .experiments.sweep import sweep as run_sweep

        outcomes = run_sweep(chosen, ranges, data, label_set, output, trials=trials, report=told)
    if json_output:
        typer.echo((output / "sweep.json").read_text(encoding="utf-8"), nl=False)
        return
    table = Table("training", "F1 on dev", "state", *(each.field for each in ranges))
    for each in sorted(outcomes, key=lambda each: -(each.f1 or 0))[:20]:
        f1 = "–" if each.f1 is None else f"{each.f1:.3f}"
        values = (str(each.values.get(field.field, "")) for field in ranges)
        table.add_row(str(each.number + 1), f1, each.state, *values)
    Console().print(table)
    if (output / "best.toml").is_file():
        typer.echo(f"best recipe: {output / 'best.toml'}\nplot: {output / 'sweep.png'}")


def _draw_curve(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    points: int,
    seeds: int,
    json_output: bool,
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = _console(True)

    def told(documents: int, seed: int, f1: float) -> None:
        console.print(f"{documents} documents, seed {seed}: F1 {f1:.3f}", highlight=False)

    with console.status("Training"):
        from .experiments.learning_curve import learning_curve

        curve = learning_curve(
            recipe, data, labels, output, points=points, seeds=seeds, report=told
        )
    if json_output:
        typer.echo((output / "curve.json").read_text(encoding="utf-8"), nl=False)
        return
    table = Table(
        "labelled documents", "F1 on dev", "95 % interval", "", title="What more gold buys"
    )
    for each in (*curve.points, *curve.forecast):
        kind = "measured" if each.values else "forecast"
        table.add_row(
            str(each.documents), f"{each.f1:.3f}", f"{each.low:.3f}–{each.high:.3f}", kind
        )
    Console().print(table)
    typer.echo(f"plot: {output / 'curve.png'}")


_NO_GOLD = "name the gold to train on with --train and to choose on with --dev"


def read_inputs(
    recipe: str,
    train: list[Path] | None,
    dev: list[Path] | None,
    labels: Path | None,
    settings: list[str] | None,
) -> tuple[AnyRecipe, TrainingData | None, LabelSet]:
    """Read a recipe, its documents and its label set, which a run folder brings itself.

    Raises:
        InputError: naming the file, the field and the mend.
    """
    from ..corpus.labels import LabelSet, load_labels
    from .data import TrainingData
    from .recipe import load_recipe, override
    from .run_folder import read_manifest, run_documents

    run = Path(recipe)
    if run.is_dir():
        manifest = read_manifest(run)
        chosen = override(manifest["recipe"], settings or (), recipe)
        label_set = load_labels(labels) if labels else LabelSet.model_validate(manifest["labels"])
        data = TrainingData(
            _read_gold(train, label_set, "--train") if train else run_documents(run, "train"),
            _read_gold(dev, label_set, "--dev") if dev else run_documents(run, "dev"),
            train or [run / "data" / "train.jsonl"],
            dev or [run / "data" / "dev.jsonl"],
        )
        return chosen, data, label_set
    chosen = load_recipe(recipe, settings or ())
    label_set = load_labels(labels)
    if not train or not dev:
        return chosen, None, label_set
    data = TrainingData(
        _read_gold(train, label_set, "--train"), _read_gold(dev, label_set, "--dev"), train, dev
    )
    return chosen, data, label_set


def _read_gold(paths: list[Path], labels: LabelSet, option: str) -> list[Any]:
    from ..corpus.document import Document
    from ..corpus.files import read_documents
    from ..errors import InputError

    documents: dict[str, Document] = {}
    for path in paths:
        for document in read_documents(path, labels.names):
            if document.id in documents:
                raise InputError(
                    f"{path}: id '{document.id}' stands in another {option} file too; keep one"
                )
            documents[document.id] = document
    return list(documents.values())


def warn_of_absent_labels(data: TrainingData, labels: LabelSet) -> None:
    """Say on the error stream which labels no training document has."""
    if absent := data.absent_labels(labels):
        typer.echo(
            f"warning: no training document has a span of {', '.join(absent)}; "
            "the model will never give one",
            err=True,
        )


def warn_of_leaks(data: TrainingData) -> None:
    """Say on the error stream which dev documents repeat training documents, even nearly."""
    from ..corpus.duplicates import DuplicateFinder

    finder = DuplicateFinder()
    trained = {document.id for document in data.train if finder.meet(document) is None}
    repeated = [found for found in map(finder.meet, data.dev) if found and found.of in trained]
    if repeated:
        typer.echo(
            f"warning: {len(repeated)} dev documents repeat training documents (first "
            f"'{repeated[0].id}' and '{repeated[0].of}'); dev scores will flatter the model",
            err=True,
        )


def _console(shown: bool) -> Any:
    from rich.console import Console

    return Console(stderr=True, quiet=not shown)


class _Reported:
    """Shows training's progress: a bar on a terminal, else a line for each look at dev."""

    def __init__(self, console: Any) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = console
        self._progress = Progress(
            *(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[scores]}")),
            *(TimeElapsedColumn(), TimeRemainingColumn()),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("Training", total=None, scores="")
        self._last: dict[str, float] = {}

    def __enter__(self) -> _Reported:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._progress.__exit__(*error)

    def report(self, step: Any) -> None:
        """Take a :class:`training.job.Progress`."""
        self._last.update(step.metrics)
        scores = "  ".join(f"{name} {value:.3f}" for name, value in self._last.items())
        self._progress.update(
            self._task,
            description=step.task,
            completed=step.completed,
            total=step.total,
            scores=scores,
        )
        if "f1" in step.metrics and not self._console.is_terminal:
            self._console.print(f"step {step.completed} of {step.total}  {scores}", highlight=False)


def print_explanation(
    name: str,
    recipe: AnyRecipe,
    data: TrainingData | None,
    labels: LabelSet,
    json_output: bool,
) -> None:
    """Print a recipe's fields, and with data what training will take."""
    import json

    from rich.console import Console
    from rich.table import Table

    from .recipe import describe_fields

    fields = describe_fields(recipe)
    facts: dict[str, str] = {}
    if data is not None:
        with _console(True).status("Trying a few steps"):
            from .train import estimate

            facts = estimate(recipe, data, labels)
    if json_output:
        typer.echo(json.dumps({"recipe": recipe.model_dump(), "facts": facts}))
        return
    summary = " ".join((type(recipe).__doc__ or "").split())
    table = Table("field", "value", "default", "meaning", title=f"{name}: {summary}")
    for field, value, default, meaning in fields:
        changed = "bold" if value != default else ""
        table.add_row(field, str(value), "" if default is None else str(default), meaning,
                      style=changed)  # fmt: skip
    console = Console()
    console.print(table)
    if not facts:
        typer.echo("Name --train and --dev to see how long it takes.")
        return
    taken = Table(show_header=False)
    for fact, value in facts.items():
        taken.add_row(fact, value)
    console.print(taken)


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
    arithmetic = f", {metrics['dtype']}" if "dtype" in metrics else ""
    typer.echo(f"run: {output} ({metrics['seconds']:.0f} s{arithmetic})")
