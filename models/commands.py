"""`orbat package` and `orbat tag`: from a run to what people install and use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..corpus.commands import Engine


def package(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    output: Annotated[Path, typer.Option(help="Folder for the wheel and the model card.")],
    name: Annotated[str, typer.Option(help="The model's name, without the language.")] = (
        "orbat_news"
    ),
    lang: Annotated[str, typer.Option(help="Language code of the pipeline.")] = "en",
    version: Annotated[str, typer.Option(help="The model's version.")] = "0.1.0",
    transformers: Annotated[
        bool,
        typer.Option(
            "--transformers",
            help="Write a plain transformers checkpoint too, into OUTPUT/transformers; for runs of "
            "the recipe transformers.",
        ),
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a run a wheel that people pip install, with a model card.

    The card carries every score that orbat evaluate has recorded in the run folder.
    """
    import json
    from dataclasses import asdict

    from rich.console import Console

    from .checkpoint import load_plain, write_checkpoint
    from .packaging import package as make_package

    console = Console(stderr=True)
    with console.status("Packaging") as status:
        if transformers:
            # Before anything is written.
            load_plain(run)
        made = make_package(
            run,
            output,
            lang=lang,
            name=name,
            version=version,
            say=lambda text: status.update(text),
        )
        checkpoint = None
        if transformers:
            status.update("Trying the checkpoint with transformers' pipeline")
            checkpoint = write_checkpoint(
                run, output / "transformers", lang=lang, name=name, version=version
            )
    size = made.wheel.stat().st_size / 1e6
    if json_output:
        more = {"transformers": asdict(checkpoint)} if checkpoint else {}
        typer.echo(json.dumps({**asdict(made), "megabytes": size, **more}, default=str))
        return
    typer.echo(f"wheel: {made.wheel} ({size:.1f} MB, weights {made.weights})")
    typer.echo(f"card:  {made.card}")
    typer.echo(
        f"float ONNX gives the trained model's spans on {made.identical} of {made.documents} dev "
        "documents; packaged F1 there " + ("undefined" if made.f1 is None else f"{made.f1:.3f}")
    )
    if checkpoint:
        typer.echo(f"transformers checkpoint: {checkpoint.folder}")
        typer.echo(
            f"its pipeline and the trained model agree on {checkpoint.same} of {checkpoint.either} "
            f'spans there; load it with stride={checkpoint.stride}, aggregation_strategy="first"'
        )


def tag(
    model: Annotated[
        str, typer.Argument(help="A run folder, a wheel file or an installed model's name.")
    ],
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Articles: files that orbat corpus add reads, or folders; - for standard input, "
            "JSON Lines or one text.",
            allow_dash=True,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="Tagged documents to write: .jsonl for records, .parquet for a table, .spacy for "
            "spaCy's DocBin."
        ),
    ],
    engine: Annotated[
        Engine, typer.Option(help="Where articles are tagged: here, or on a Ray cluster.")
    ] = Engine.local,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the entities in articles. Ids and texts stay as they are; of web pages the article.

    What cannot be used is set aside with the reason. An interrupted run goes on where it was when
    the same command is given again.
    """
    import json
    import tempfile
    from dataclasses import asdict

    from ..ui import counting
    from .bulk import count_articles, tag_files
    from .loading import load_model

    loaded = load_model(model)
    with tempfile.TemporaryDirectory() as folder:
        sources = [_standard_input(Path(folder)) if str(path) == "-" else path for path in inputs]
        with counting("Tagging", count_articles(sources)) as report:
            done = tag_files(loaded, sources, output, engine=engine.value, report=report)
    if json_output:
        typer.echo(json.dumps(asdict(done), default=str))
        return
    if done.resumed:
        typer.echo(f"{done.resumed} articles had been done before the interruption")
    typer.echo(f"{done.documents} documents tagged in {', '.join(map(str, done.outputs))}")
    if done.rejected_file is not None:
        typer.echo(f"{done.rejected} articles rejected, see {done.rejected_file}")


def _standard_input(folder: Path) -> Path:
    """Copy standard input to a file, named for what it holds."""
    import shutil
    import sys

    path = folder / "standard-input.txt"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with path.open("rb") as file:
        return path.rename(path.with_suffix(".jsonl")) if file.read(1) == b"{" else path
