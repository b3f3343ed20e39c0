"""False alarms in documents without annotations: `orbat evaluate --false-alarms`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ...annotation.commands.options import print_notices, split_names
from ...annotation.gold_files import GoldReader
from ...corpus.files import write_text
from ...terminal import echo, echo_json, echo_warnings
from ...ui import print_tables, progress_bars, render_tables
from ..false_alarms.unannotated import measure_false_alarms
from ..report import tables

if TYPE_CHECKING:
    from ...models.model import Model


def evaluate_unannotated(
    systems: Sequence[Model | Path],
    documents: str,
    labels: str,
    *,
    where: str | None,
    resamples: int,
    report: Path | None,
    json_output: bool,
) -> None:
    """Count and print false alarms; see :func:`..false_alarms.unannotated.measure_false_alarms`.

    Args:
        systems: models, or paths of files with predictions.
        documents: path of the documents.
        labels: labels that do not occur in them, separated by commas.
        where: ``KEY=VALUE``; only documents with this value in their meta are counted.
        resamples: number of bootstrap resamples.
        report: HTML report to write; None for none.
        json_output: print JSON instead of tables.

    Raises:
        InputError: if a file or a label is not valid.
    """
    names = split_names(labels)
    reader = GoldReader(has_options=False)
    with progress_bars() as on_progress:
        results = measure_false_alarms(
            *(systems, documents, names),
            where=where,
            read=reader.read,
            resamples=resamples,
            on_progress=on_progress,
        )
    print_notices(reader)
    for result in results:
        echo_warnings(f"{result.name}: {warning}" for warning in result.warnings)
    shown = [
        table
        for result in results
        for table in (
            tables.false_alarm_table(
                result.false_alarms,
                f"False alarms of {result.name}",
                f"{result.false_alarms.perfect} documents have none",
            ),
            tables.surface_table(result),
        )
    ]
    if report:
        write_text(report, render_tables("False alarms", results[0].file, shown))
    if json_output:
        values = [result.to_json() for result in results]
        echo_json(values if len(values) > 1 else values[0])
    else:
        print_tables(shown, Console(), max_rows=max(len(table.rows) for table in shown))
        if report:
            echo(f"report: {report}")
