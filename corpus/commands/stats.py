"""`orbat corpus stats`."""

from __future__ import annotations

from ...annotation.commands.options import read_labeled
from ...terminal import echo, echo_json
from .options import CorpusArgument, JsonOption, ReportOption


def stats(
    corpus: CorpusArgument, report: ReportOption = None, json_output: JsonOption = False
) -> None:
    """Measure a corpus: sizes, sources, dates, languages and label densities."""
    from rich.console import Console

    from ...ui import print_tables, render_tables
    from ..analysis.statistics import (
        measure_statistics,
        statistics_summary,
        statistics_tables,
        statistics_to_json,
    )
    from ..files import check_output_file, write_text

    check_output_file(report, corpus)
    with Console(stderr=True).status("Measuring"):
        statistics = measure_statistics(read_labeled(corpus))
    tables, summary = statistics_tables(statistics), statistics_summary(statistics)
    if report:
        write_text(report, render_tables(corpus.name, summary, tables))
    if json_output:
        echo_json(statistics_to_json(statistics))
        return
    echo(summary)
    print_tables(tables, Console())
