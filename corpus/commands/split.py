"""`orbat corpus split`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...terminal import echo, echo_json
from .options import CorpusArgument, JsonOption


class Method(StrEnum):
    """The property that determines the split of a document."""

    cluster = "cluster"
    time = "time"
    given = "given"


def split(
    corpus: CorpusArgument,
    output: Annotated[Path, typer.Option(help="Folder for train, dev and test.")],
    dev: Annotated[float, typer.Option(help="Share of the documents in dev.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of the documents in test.")] = 0.1,
    by: Annotated[
        Method,
        typer.Option(
            help="cluster: random, stratified by source and label; time: the newest documents in "
            "test; given: meta.split."
        ),
    ] = Method.cluster,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    ngram_words: Annotated[
        int, typer.Option(min=4, help="Words of an n-gram that no two splits share.")
    ] = 12,
    json_output: JsonOption = False,
) -> None:
    """Split a corpus into train, dev and test that share no near duplicate and no n-gram."""
    from rich.console import Console

    from ...annotation.commands.options import print_notices
    from ...annotation.gold_files import GoldReader
    from ..splitting import split_corpus

    reader = GoldReader(has_options=False)

    with Console(stderr=True).status("Finding clusters"):
        result = split_corpus(
            *(corpus, output),
            dev=dev,
            test=test,
            by=by.value,
            seed=seed,
            ngram_words=ngram_words,
            read=reader.read,
        )
    print_notices(reader)
    if json_output:
        value = {
            "documents": result.sizes,
            "clusters": len(result.clusters),
            "largest_cluster": result.largest_cluster,
        }
        echo_json(value)
        return
    total = sum(result.sizes.values())
    parts = (f"{name} {size} ({size / total:.0%})" for name, size in result.sizes.items())
    echo(f"{', '.join(parts)}: {output}")
    if result.clusters:
        echo(
            f"clusters of several documents: {len(result.clusters)}; the largest has "
            f"{result.largest_cluster}, which stay in one split"
        )
