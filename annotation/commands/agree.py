"""`orbat annotate agree`: measure agreement between annotators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...terminal import echo, echo_json
from .options import ANY_FORMAT, Json, Labels, Texts, Unconfirmed, print_notices, read_labeled


def agree(
    annotation_sets: Annotated[
        list[Path], typer.Argument(help=f"Each annotator's documents {ANY_FORMAT}; two or more.")
    ],
    unconfirmed: Unconfirmed = False,
    texts: Texts = None,
    labels: Labels = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    json_output: Json = False,
) -> None:
    """Measure inter-annotator agreement for each label, and list the confused labels.

    Documents with one annotator, and documents that fewer than two have confirmed, are skipped.
    Kappa and alpha are measured over tokens, and need texts.
    """
    from rich.console import Console

    from ...corpus.files import check_output_file, write_text
    from ...corpus.labels import load_labels
    from ...ui import print_tables, render_tables
    from ..adjudication.set_files import read_set
    from ..agreement.measures import compare_annotators
    from ..agreement.presentation import agreement_summary, agreement_tables, agreement_to_json
    from ..gold_files import GoldReader

    check_output_file(html, *annotation_sets, texts)
    names = load_labels(labels).names
    documents = {d.id: d for d in read_labeled(texts)} if texts else None
    reader = GoldReader(has_options=False)
    sets = [read_set(path, names, reader, documents) for path in annotation_sets]
    print_notices(reader)
    agreement = compare_annotators(sets, unconfirmed=unconfirmed)
    tables, summary = agreement_tables(agreement), agreement_summary(agreement)
    if html is not None:
        title = f"Agreement of {', '.join(agreement.annotators)}"
        write_text(html, render_tables(title, summary, tables))
    if json_output:
        echo_json(agreement_to_json(agreement))
        return
    print_tables(tables, Console())
    echo(summary)
