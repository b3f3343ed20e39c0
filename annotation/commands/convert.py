"""`orbat annotate convert`: convert between corpus formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...terminal import echo

_FORMATS = "Formats and labels"
_ANNOTATORS = "Sources with several annotators"
_PLACES = "Where text and labels are in the source"
"""Groups of options in the help."""


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="File, folder or zip archive to read.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or new folder to write.")],
    source_format: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="Format of IN; default: found from IN.",
            rich_help_panel=_FORMATS,
        ),
    ] = None,
    target_format: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="Format of OUT; default: found from its ending, such as .jsonl.",
            rich_help_panel=_FORMATS,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Label set file. Spans of other labels are dropped.", rich_help_panel=_FORMATS
        ),
    ] = None,
    scheme: Annotated[
        str,
        typer.Option(
            help="Tagging scheme of formats of tokens and tags: bio or bilou.",
            rich_help_panel=_FORMATS,
        ),
    ] = "bio",
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Leave out malformed lines, and documents and annotations that contradict "
            "themselves or the text.",
            rich_help_panel=_FORMATS,
        ),
    ] = False,
    annotator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Read the annotations of one annotator.",
            rich_help_panel=_ANNOTATORS,
        ),
    ] = None,
    by_annotator: Annotated[
        bool,
        typer.Option(
            "--by-annotator",
            help="Write a folder with a file for each annotator, JSON Lines without --to.",
            rich_help_panel=_ANNOTATORS,
        ),
    ] = False,
    predictions: Annotated[
        bool,
        typer.Option(
            "--predictions",
            help="Read predictions of tasks that nobody annotated.",
            rich_help_panel=_ANNOTATORS,
        ),
    ] = False,
    text_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Field with the text.", rich_help_panel=_PLACES),
    ] = None,
    token_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Name or number of the tokens' column; -1 is the last.",
            rich_help_panel=_PLACES,
        ),
    ] = None,
    tag_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Likewise of the tags; MISC:NER for a key in column MISC.",
            rich_help_panel=_PLACES,
        ),
    ] = None,
    separator: Annotated[
        str | None,
        typer.Option(help="Characters between columns; \\t is a tab.", rich_help_panel=_PLACES),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Annotation layer, LAYER.FEATURE or span group to read.",
            rich_help_panel=_PLACES,
        ),
    ] = None,
) -> None:
    """Convert an annotated corpus to another format.

    FORMAT is jsonl (orbat's own), doccano, brat, conll, iob, words-tags, docbin, labelstudio,
    prodigy, datasets, re3d or xmi, or, for reading only, spacy (its JSON), webanno or cas-json.
    brat, words-tags and re3d are folders. The others are read from a file, a folder of files or a
    zip archive, and written to a file; datasets and xmi are written to a folder. OUT is written in
    the format of its ending: .jsonl, .conll, .iob, .spacy (docbin) or .json (labelstudio); others,
    and folders, need --to. conll and iob read words and tags in any columns; conll writes four, iob
    two. Tokens of the source are kept. What a format cannot keep is counted and printed.
    """
    from ...corpus.labels import load_labels
    from ...ui import format_count, progress_bars
    from ..formats.conversion import convert as convert_corpus
    from ..formats.detection.sources import find_format
    from ..formats.detection.targets import find_target_format
    from ..formats.imported import ReadOptions

    names = load_labels(labels).names if labels else None
    options = ReadOptions(
        text_column=text_column,
        token_column=token_column,
        tag_column=tag_column,
        separator=None if separator is None else separator.replace("\\t", "\t"),
        layer=layer,
        predictions=predictions,
        annotator=annotator,
        by_annotator=by_annotator,
    )
    target_format = find_target_format(target, target_format, by_annotator=by_annotator)
    if source_format is None:
        found = find_format(source)
        source_format = found.name
        echo(f"format: {found.name} ({found.evidence})", err=True)
    with progress_bars() as on_progress:
        report = convert_corpus(
            source,
            target,
            source_format,
            target_format,
            labels=names,
            scheme=scheme,
            skip_bad=skip_bad,
            options=options,
            on_progress=on_progress,
        )
    written = format_count(report.documents, "document")
    echo(f"{written} in {target} (format {target_format})")
    for line in report.label_lines():
        echo(line)
    for line in (*report.reading_lines(), *report.lines(), *report.rejection_lines()):
        echo(line, err=True)
