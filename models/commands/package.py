"""`orbat package`: build a pip-installable wheel from a run or a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...terminal import echo, echo_json, echo_warnings

if TYPE_CHECKING:
    from ..package_info import PackageInfo


_FACTS = "Metadata and model card"
_CONTENT = "What the model has"
"""Groups of options in the help."""


def package(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A finished run folder; or a token classifier of transformers: a folder written "
            "by save_pretrained, or an id on the Hugging Face Hub.",
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for the wheel and the model card.")],
    name: Annotated[
        str | None,
        typer.Option(
            help="The model's name without the language; default: that of the label set or "
            "checkpoint.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            help="Language code of the pipeline; default: that of the label set or of the "
            "checkpoint's card, else xx, for several languages.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    version: Annotated[
        str, typer.Option(help="The model's version.", rich_help_panel=_FACTS)
    ] = "0.1.0",
    author: Annotated[
        str, typer.Option(help="Who publishes the model.", rich_help_panel=_FACTS)
    ] = "",
    email: Annotated[str, typer.Option(help="The author's address.", rich_help_panel=_FACTS)] = "",
    url: Annotated[
        str, typer.Option(help="Address of a page about the model.", rich_help_panel=_FACTS)
    ] = "",
    description: Annotated[
        str | None,
        typer.Option(
            help="What the model finds, in one line; default: that of the label set.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            help="Text of the card's example code; default: that of the label set.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    datasets: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            help="Id on the Hugging Face Hub of a data set that it was trained on.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    transformers: Annotated[
        bool,
        typer.Option(
            "--transformers",
            help="Write a transformers checkpoint as well, into OUTPUT/transformers; for runs of "
            "the recipe transformers.",
            rich_help_panel=_CONTENT,
        ),
    ] = False,
    values: Annotated[
        Path | None,
        typer.Option(
            help="Gazetteer file (.toml) whose values the model gives to its mentions; default: "
            "those of the gazetteer that the run was trained with.",
            rich_help_panel=_CONTENT,
        ),
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option(
            help="For a checkpoint: documents with gold spans in its labels, for 8-bit weights, "
            "calibration and thresholds. A run has its own.",
            rich_help_panel=_CONTENT,
        ),
    ] = None,
    license: Annotated[
        str | None,
        typer.Option(
            help="License of the weights; default: that of the base model or of the checkpoint's "
            "card.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    license_file: Annotated[
        Path | None,
        typer.Option(
            help="Text of that license, for the wheel; orbat has those of Apache-2.0 and CC0-1.0.",
            rich_help_panel=_FACTS,
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build a pip-installable wheel and a model card from a run or a checkpoint.

    The card of a run shows every score that orbat evaluate has recorded in its folder.
    """
    from ...errors import InputError
    from ...training.external.huggingface.loading import is_checkpoint
    from ..package_info import run_package_info

    fields: dict[str, Any] = {
        "name": name,
        "lang": lang,
        "version": version,
        "author": author,
        "email": email,
        "url": url,
        "license": license,
        "license_file": license_file,
        "datasets": tuple(datasets or ()),
    }
    # Those that are not given come from the label set.
    texts = {"description": description, "example": example}
    fields |= {field: text for field, text in texts.items() if text is not None}
    if is_checkpoint(source):
        if transformers:
            raise InputError(f"--transformers: {source} is a transformers checkpoint already")
        if values is not None:
            raise InputError("--values is for runs; orbat does not know the labels of a checkpoint")
        _package_checkpoint(source, output, {**fields, "dev": dev}, json_output)
        return
    if not Path(source).exists():
        raise InputError(
            f"{source}: no such folder; name a run, a checkpoint of transformers, or an id such as "
            "org/model"
        )
    if dev is not None:
        raise InputError("--dev is for checkpoints; a run has its own")
    info = run_package_info(Path(source), **fields)
    _package_run(Path(source), output, info, transformers, values, json_output)


def _package_run(
    run: Path,
    output: Path,
    info: PackageInfo,
    transformers: bool,
    values: Path | None,
    json_output: bool,
) -> None:
    from dataclasses import asdict

    from ...ui import format_value, progress_bars
    from ..packaging import package as build_package

    with progress_bars() as on_progress:
        report = build_package(
            run, output, info, transformers=transformers, values=values, on_progress=on_progress
        )
    echo_warnings(report.notices)
    if json_output:
        megabytes = report.wheel.stat().st_size / 1e6
        echo_json({**asdict(report), "megabytes": megabytes})
        return
    _print_files(report.wheel, report.card, report.weights)
    echo(
        "dev documents in which float32 ONNX finds the trained model's spans: "
        f"{report.identical} of {report.documents}; F1 of the packaged model on them: "
        f"{format_value(report.f1)}"
    )
    if report.checkpoint is not None:
        agreement = report.checkpoint.agreement
        echo(f"transformers checkpoint: {report.checkpoint.folder}")
        echo(
            f"its pipeline and the trained model agree on {agreement.common} of {agreement.union} "
            f'spans; load it with stride={agreement.stride}, aggregation_strategy="first"'
        )


def _package_checkpoint(
    source: str,
    output: Path,
    options: dict[str, Any],
    json_output: bool,
) -> None:
    """Package a checkpoint; the options are those of :func:`package_checkpoint`."""
    from dataclasses import asdict

    from ...ui import format_value, progress_bars
    from ..huggingface.packaging import package_checkpoint

    with progress_bars() as on_progress:
        report = package_checkpoint(source, output, **options, on_progress=on_progress)
    echo_warnings(report.notices)
    if json_output:
        megabytes = report.wheel.stat().st_size / 1e6
        echo_json({**asdict(report), "megabytes": megabytes})
        return
    _print_files(report.wheel, report.card, report.weights)
    comparison = report.comparison
    echo(
        f"float32 ONNX and transformers agree on {comparison.common} of {comparison.union} spans "
        f"in {comparison.texts} short texts"
    )
    if options["dev"] is None:
        echo("no --dev: weights stay in float32, confidences are not calibrated")
    else:
        echo(f"F1 of the packaged model on the dev documents: {format_value(report.f1)}")


def _print_files(wheel: Path, card: Path, weights: str) -> None:
    echo(f"wheel: {wheel} ({wheel.stat().st_size / 1e6:.1f} MB, weights {weights})")
    echo(f"card:  {card}")
