"""`orbat corpus`: raw articles in, clean documents out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Turn raw articles into clean documents.")


_SHOWN = 20


class Engine(StrEnum):
    """Where work is done."""

    local = "local"
    ray = "ray"


@app.callback()
def corpus() -> None:
    """Turn raw articles into clean documents."""


@app.command()
def add(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, http or https addresses of pages and feeds, or hf:ID of a "
            "dataset. Files: text, HTML, PDF, JSON Lines, CSV, Parquet, WARC, zip, gzip."
        ),
    ],
    output: Annotated[Path, typer.Option(help="The corpus to write or to add to (JSON Lines).")],
    text_column: Annotated[
        str, typer.Option(help="The column of tables and datasets that holds the text.")
    ] = "text",
    licence: Annotated[
        str | None, typer.Option(help="The articles' terms, for their provenance.")
    ] = None,
    pause: Annotated[
        float, typer.Option(min=0, help="Least seconds between two requests to one host.")
    ] = 1.0,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one address may take.")] = 30,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch from this machine's own network too.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="Where files are cleaned: here, or on a Ray cluster.")
    ] = Engine.local,
    json_output: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Clean articles and add them to a corpus; duplicates are kept apart, linked.

    What cannot be used is left out with one line that says why. A run that was killed goes on
    when it is started again.
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from ...ui import counting
    from ..ingestion.pipeline import add_to_corpus
    from ..ingestion.sources import SourceOptions
    from ..ingestion.web.fetching import FetchRules

    options = SourceOptions(
        text_column=text_column,
        rules=FetchRules(pause=pause, timeout=timeout, private=allow_private),
        licence=licence,
    )
    with counting("Reading articles") as count:
        report = add_to_corpus(sources, output, options=options, engine=engine.value, report=count)
    for line in report.left_out:
        typer.echo(f"left out: {line}", err=True)
    if json_output:
        value = {
            "added": report.added,
            "known": report.known,
            "duplicates": [
                {"id": d.id, "of": d.of, "similarity": round(d.similarity, 3)}
                for d in report.duplicates
            ],
            "left_out": list(report.left_out),
            "resumed": report.resumed,
        }
        typer.echo(json.dumps(value))
        return
    console = Console()
    if report.duplicates:
        table = Table("kept apart", "repeats", "similarity", title="Duplicates")
        for duplicate in report.duplicates[:_SHOWN]:
            table.add_row(duplicate.id, duplicate.of, f"{duplicate.similarity:.2f}")
        if len(report.duplicates) > _SHOWN:
            table.add_row(f"and {len(report.duplicates) - _SHOWN} more", "", "")
        console.print(table)
    went_on = "went on with an interrupted run; " if report.resumed else ""
    console.print(
        f"{went_on}{report.added} added, {len(report.duplicates)} duplicates kept apart, "
        f"{report.known} known already, {len(report.left_out)} left out: {output}",
        highlight=False,
        soft_wrap=True,
    )


class By(StrEnum):
    """What decides the part of a document."""

    cluster = "cluster"
    time = "time"
    given = "given"


@app.command()
def split(
    corpus: Annotated[Path, typer.Argument(help="The corpus (JSON Lines).")],
    output: Annotated[Path, typer.Option(help="Folder for train, dev and test.")],
    dev: Annotated[float, typer.Option(help="Share of the documents for dev.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of the documents for test.")] = 0.1,
    by: Annotated[
        By,
        typer.Option(help="cluster: stratified at random; time: the newest are held out; given."),
    ] = By.cluster,
    seed: Annotated[int, typer.Option(min=0, help="Of the shuffling.")] = 0,
    passage: Annotated[
        int, typer.Option(min=4, help="Words in a row that no two parts share.")
    ] = 12,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Share a corpus out into train, dev and test that have no cluster and no passage in common."""
    import json

    from rich.console import Console

    from ..splitting import split_corpus, write_split

    settings = {"dev": dev, "test": test, "by": by.value, "seed": seed, "passage": passage}
    with Console(stderr=True).status("Finding clusters"):
        found = split_corpus(corpus, dev=dev, test=test, by=by.value, seed=seed, passage=passage)
        counts = write_split(corpus, found, output, settings)
    largest = len(found.clusters[0]) if found.clusters else 1
    if json_output:
        value = {"documents": counts, "clusters": len(found.clusters), "largest_cluster": largest}
        typer.echo(json.dumps(value))
        return
    typer.echo(", ".join(f"{part} {count}" for part, count in counts.items()) + f": {output}")
    typer.echo(f"{len(found.clusters)} clusters of several documents, the largest of {largest}")


@app.command()
def check(
    first: Annotated[Path, typer.Argument(help="One side, such as train.jsonl.")],
    second: Annotated[Path, typer.Argument(help="The other side, such as test.jsonl.")],
    passage: Annotated[
        int, typer.Option(min=4, help="Words in a row that must not stand on both sides.")
    ] = 12,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove that no document, near duplicate or long passage stands on both sides; else exit 1."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from ..files import read_documents
    from ..leakage import find_leaks

    with Console(stderr=True).status("Comparing"):
        leaks = list(find_leaks(read_documents(first), read_documents(second), passage=passage))
    if json_output:
        typer.echo(json.dumps({"leaks": [asdict(leak) for leak in leaks]}))
    elif leaks:
        table = Table("leak", str(first), str(second), "what", title=f"{len(leaks)} leaks")
        for leak in leaks[:_SHOWN]:
            table.add_row(leak.kind, leak.first, leak.second, leak.detail)
        Console().print(table)
    else:
        typer.echo(f"no leak between {first} and {second}")
    if leaks:
        raise typer.Exit(1)


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The article's id.")],
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders to look through; the folder you are in, if none."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell an article's story: its origin, its splits, who annotated it, which models it made."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import DataTable, print_tables
    from ..analysis.provenance import tell_story

    with Console(stderr=True).status("Looking"):
        story = tell_story(identity, places or [Path()])
    if json_output:
        typer.echo(json.dumps(asdict(story)))
        return
    rows = tuple((name, str(value)) for name, value in story.provenance.items())
    texts = tuple(("sha256 of the text", digest) for digest in story.hashes)
    events = tuple((event.what, event.where, event.detail) for event in story.events)
    tables = [
        DataTable(f"{story.id}: {story.title}", ("origin", ""), (*rows, *texts)),
        DataTable("Since then", ("what", "where", ""), events),
    ]
    print_tables(tables, Console(), most=100)


@app.command()
def stats(
    corpus: Annotated[Path, typer.Argument(help="The corpus (JSON Lines).")],
    report: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a corpus: sizes, sources, dates, languages, label densities."""
    import json

    from rich.console import Console

    from ...ui import print_tables, render_tables
    from ..analysis.statistics import measure, statistics_tables, statistics_to_json
    from ..files import read_documents, write_text

    with Console(stderr=True).status("Measuring"):
        found = measure(read_documents(corpus))
    tables = statistics_tables(found)
    summary = (
        f"{found.documents:,} documents, {found.words:,} words, {found.characters:,} characters, "
        f"{found.labels.total():,} spans; {found.unlabelled:,} documents without any"
    )
    if report:
        write_text(report, render_tables(corpus.name, summary, tables))
    if json_output:
        typer.echo(json.dumps(statistics_to_json(found)))
        return
    typer.echo(summary)
    print_tables(tables, Console())


@app.command()
def drift(
    old: Annotated[Path, typer.Argument(help="The earlier corpus (JSON Lines).")],
    new: Annotated[Path, typer.Argument(help="The later corpus.")],
    report: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the shuffling.")] = 0,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell what changed in words, sources, entities and confidence, and which articles show it."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import print_tables, render_tables
    from ..analysis.drift import drift_summary, drift_tables, measure_drift
    from ..files import read_documents, write_text

    with Console(stderr=True).status("Comparing"):
        found = measure_drift(list(read_documents(old)), list(read_documents(new)), seed=seed)
    tables, summary = drift_tables(found), drift_summary(found)
    if report:
        write_text(report, render_tables(f"{old.name} to {new.name}", summary, tables))
    if json_output:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(summary)
    print_tables(tables, Console())
