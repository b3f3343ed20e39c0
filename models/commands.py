"""`orbat package` and `orbat tag`: from a run to what people install and use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def package(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    output: Annotated[Path, typer.Option(help="Folder for the wheel and the model card.")],
    name: Annotated[str, typer.Option(help="The model's name, without the language.")] = (
        "orbat_news"
    ),
    lang: Annotated[str, typer.Option(help="Language code of the pipeline.")] = "en",
    version: Annotated[str, typer.Option(help="The model's version.")] = "0.1.0",
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a run a wheel that people pip install, with a model card.

    The card carries every score that orbat evaluate has recorded in the run folder.
    """
    import json
    from dataclasses import asdict

    from rich.console import Console

    from models.packaging import package as make_package

    console = Console(stderr=True)
    with console.status("Packaging") as status:
        made = make_package(
            run,
            output,
            lang=lang,
            name=name,
            version=version,
            say=lambda text: status.update(text),
        )
    size = made.wheel.stat().st_size / 1e6
    if json_output:
        typer.echo(json.dumps({**asdict(made), "megabytes": size}, default=str))
        return
    typer.echo(f"wheel: {made.wheel} ({size:.1f} MB, weights {made.weights})")
    typer.echo(f"card:  {made.card}")
    typer.echo(
        f"float ONNX gives the trained model's spans on {made.identical} of {made.documents} dev "
        "documents; packaged F1 there " + ("undefined" if made.f1 is None else f"{made.f1:.3f}")
    )


def tag(
    model: Annotated[
        str, typer.Argument(help="A run folder, a wheel file or an installed model's name.")
    ],
    inputs: Annotated[
        list[Path], typer.Argument(help="Articles: files that orbat corpus add reads, or folders.")
    ],
    output: Annotated[Path, typer.Option(help="Tagged documents to write (JSON Lines).")],
) -> None:
    """Find the entities in articles. Ids and texts stay as they are; of web pages the article."""
    from collections.abc import Iterator

    from corpus.document import Document
    from corpus.errors import InputError
    from corpus.files import write_documents
    from corpus.progress import counting
    from corpus.sources import find_files, read_sources
    from models.loading import load_model

    if Path(output).is_dir():
        raise InputError(f"{output}: is a folder; name a .jsonl file")
    files = list(find_files(inputs))
    loaded = load_model(model)
    with counting("Tagging") as report:

        def counted() -> Iterator[Document]:
            for number, document in enumerate(loaded.tag(read_sources(files, clean=False)), 1):
                report(number)
                yield document

        count = write_documents(output, counted())
    typer.echo(f"{count} documents tagged in {output}")
