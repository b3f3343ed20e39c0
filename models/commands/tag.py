"""`orbat tag`: find the entities in articles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...corpus.commands.options import Engine
from ...interruption import when_interrupted
from ...terminal import echo, echo_json, echo_warnings
from .options import TargetPrecision, Threshold


@when_interrupted("the articles tagged so far are kept; the same command goes on")
def tag(
    model: Annotated[
        str,
        typer.Argument(
            help="A run folder, a wheel file, an installed model's name, a token classifier of "
            "transformers (folder or Hugging Face id), spacy:NAME, gliner:MODEL, llm:MODEL@URL or "
            "a model file (.toml)."
        ),
    ],
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Articles: any files that orbat corpus add reads, or folders of them; - for "
            "standard input (JSON, JSON Lines or one text).",
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
    table: Annotated[
        Path | None,
        typer.Option(
            help="Table to write as well, .csv or .parquet: one row per entity with document, "
            "offsets, text, label, score, id and values."
        ),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(
            help="Field or column of JSON and tables that holds the text; outer.inner for a field "
            "within a field. Default: text or, without it, a usual name such as maintext, body or "
            "content."
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="Where articles are tagged: on this machine or on Ray.")
    ] = Engine.local,
    threshold: Threshold = None,
    target_precision: TargetPrecision = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the entities in articles.

    Ids and texts are not changed; of a web page, the article is extracted. Articles that cannot
    be used are listed in a file beside the output. The same command resumes an interrupted run;
    with -, if standard input is the same again.
    """
    from dataclasses import asdict

    from ...corpus.output.atomic import open_scratch_folder
    from ...ui import progress_bars
    from ..bulk.tagging import tag_files
    from ..loading import load_model
    from .remote import announce, print_notes
    from .thresholds import parse_thresholds

    loaded = announce(load_model(model)).with_threshold(
        parse_thresholds(threshold, "--threshold"),
        parse_thresholds(target_precision, "--target-precision"),
    )
    with open_scratch_folder() as folder, progress_bars() as on_progress:
        copies = {path: _save_stdin(folder) for path in inputs if str(path) == "-"}
        sources = [copies.get(path, path) for path in inputs]
        report = tag_files(
            loaded,
            sources,
            output,
            copies=tuple(copies.values()),
            table=table,
            text_column=text_column,
            engine=engine.value,
            on_progress=on_progress,
        )
    echo_warnings(report.notices)
    print_notes(loaded)
    if json_output:
        echo_json(asdict(report))
        return
    if loaded.thresholds:
        kept = ", ".join(f"{label} {value:g}" for label, value in loaded.thresholds.items())
        echo(f"thresholds: {kept}")
    if report.resumed:
        echo(f"resumed after {report.resumed} articles")
    echo(f"{report.documents} documents tagged in {', '.join(map(str, report.outputs))}")
    if report.table is not None:
        echo(f"table of entities: {report.table}")
    if report.rejected_file is not None:
        echo(f"{report.rejected} articles rejected, see {report.rejected_file}")


def _save_stdin(folder: Path) -> Path:
    """Copy standard input to a file with the extension of its content: JSON or text."""
    import shutil
    import sys

    from ...corpus.ingestion.content_types import looks_like_json
    from ...errors import InputError

    if sys.stdin is None:
        raise InputError("standard input is closed; pipe articles to it, or name a file")
    path = folder / "standard-input.txt"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with path.open("rb") as file:
        head = file.read(2**20)
    if head.lstrip().startswith(b"{") or looks_like_json(head):
        return path.rename(path.with_suffix(".json"))
    return path
