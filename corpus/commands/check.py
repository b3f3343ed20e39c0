"""`orbat corpus check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...annotation.commands.options import read_labeled
from ...terminal import echo, echo_json
from .options import JsonOption


def check(
    first: Annotated[
        Path, typer.Argument(help="The first split, such as train.jsonl or train.conll.")
    ],
    second: Annotated[
        Path, typer.Argument(help="The second split, such as test.jsonl or test.conll.")
    ],
    ngram_words: Annotated[
        int, typer.Option(min=4, help="Words of an n-gram that the splits must not share.")
    ] = 12,
    json_output: JsonOption = False,
) -> None:
    """Check two splits for leakage: repeated ids, near duplicates and shared n-grams.

    The exit code is 1 if there is any.
    """
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import DataTable, print_tables
    from ..deduplication.leakage import find_leakage

    with Console(stderr=True).status("Comparing"):
        leaks = list(
            find_leakage(read_labeled(first), read_labeled(second), ngram_words=ngram_words)
        )
    if json_output:
        echo_json({"leaks": [asdict(leak) for leak in leaks]})
    elif leaks:
        rows = tuple((leak.kind, leak.first, leak.second, leak.detail) for leak in leaks)
        columns = ("kind", str(first), str(second), "detail")
        print_tables([DataTable(f"{len(leaks)} leaks", columns, rows)], Console())
    else:
        echo(f"no leakage between {first} and {second}")
    if leaks:
        raise typer.Exit(1)
