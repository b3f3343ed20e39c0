"""`orbat package`: build a pip-installable wheel from a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def package(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    output: Annotated[Path, typer.Option(help="Folder for the wheel and the model card.")],
    name: Annotated[str, typer.Option(help="The model's name without the language.")] = (
        "orbat_news"
    ),
    lang: Annotated[str, typer.Option(help="Language code of the pipeline.")] = "en",
    version: Annotated[str, typer.Option(help="The model's version.")] = "0.1.0",
    author: Annotated[str, typer.Option(help="Who publishes the model.")] = "",
    email: Annotated[str, typer.Option(help="The author's address.")] = "",
    url: Annotated[str, typer.Option(help="Address of a page about the model.")] = "",
    transformers: Annotated[
        bool,
        typer.Option(
            "--transformers",
            help="Write a transformers checkpoint as well, into OUTPUT/transformers; for runs of "
            "the recipe transformers.",
        ),
    ] = False,
    values: Annotated[
        Path | None,
        typer.Option(
            help="Gazetteer file (.toml) whose values the model gives to its mentions; default: "
            "those of the gazetteer that the run was trained with."
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build a pip-installable wheel and a model card from a run.

    The card shows every score that orbat evaluate has recorded in the run folder.
    """
    import json
    from dataclasses import asdict

    from ...ui import format_value, progress_bars
    from ..package_info import PackageInfo
    from ..packaging import package as build_package

    info = PackageInfo(lang, name, version, author, email, url)
    with progress_bars() as on_progress:
        report = build_package(
            run, output, info, transformers=transformers, values=values, on_progress=on_progress
        )
    megabytes = report.wheel.stat().st_size / 1e6
    if json_output:
        typer.echo(json.dumps({**asdict(report), "megabytes": megabytes}, default=str))
        return
    typer.echo(f"wheel: {report.wheel} ({megabytes:.1f} MB, weights {report.weights})")
    typer.echo(f"card:  {report.card}")
    typer.echo(
        f"float32 ONNX finds the trained model's spans in {report.identical} of {report.documents} "
        f"dev documents; F1 of the packaged model on them: {format_value(report.f1)}"
    )
    if report.checkpoint is not None:
        agreement = report.checkpoint.agreement
        typer.echo(f"transformers checkpoint: {report.checkpoint.folder}")
        typer.echo(
            f"its pipeline and the trained model agree on {agreement.common} of {agreement.union} "
            f'spans; load it with stride={agreement.stride}, aggregation_strategy="first"'
        )
