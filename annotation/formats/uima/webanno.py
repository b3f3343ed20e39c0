"""WebAnno TSV 3, the text format of WebAnno and INCEpTION.

https://inception-project.github.io/releases/latest/docs/user-guide.html#sect_formats_webannotsv3
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from .layers import Layer, LayerChoice
from .project_files import iterate_files
from .webanno_text import Columns, Row, read_sentences, rebuild_text

_STACKED = re.compile(r"(?:\\.|[^|])+")
_WITH_ID = re.compile(r"((?:\\.|[^\\])*)\[(\d+)\]", re.DOTALL)
_CHAIN_ELEMENT = re.compile(r"(.*)->(\d+-\d+)", re.DOTALL)
_ESCAPE = re.compile(r"\\(->|[\\\[\]|_;tn*])")
_CHARACTERS = {"t": "\t", "n": "\n"}
_NOTHING = ("_", "")
_ROLE = "ROLE_"


def read_webanno(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read WebAnno TSV 3.0 to 3.3: a file, a folder of them, or a project of INCEpTION.

    Args:
        path: the file, folder or zip archive. In projects the file's name is the annotator.
        options: `layer` is the span layer, `LAYER` or `LAYER.FEATURE`.
        report: records other layers, relations and chains.

    Raises:
        InputError: naming the line that cannot be read, or the layers of which to choose one.
    """
    choice = LayerChoice(options.layer)
    for file in iterate_files(path, (".tsv",), options, report):
        columns, sentences = read_sentences(file.path, file.where)
        try:
            text, unit = rebuild_text(sentences)
        except ValueError as error:
            report.reject(*error.args)
            continue
        rows = [row for sentence in sentences for row in sentence.rows]
        layers = _find_layers(columns, rows)
        chosen = choice.choose(layers, file.where)
        _count_others(columns, rows, chosen, report)
        spans = _read_spans(columns, rows, chosen, report) if chosen else ()
        yield ImportedDocument(
            *(file.where, file.document, text, spans),
            annotator=file.annotator,
            part=file.part,
            units=(unit,),
        )
    choice.check(path)


def _find_layers(columns: Sequence[Columns], rows: Sequence[Row]) -> list[Layer]:
    """Return the span layers."""
    layers = []
    for group in (group for group in columns if group.kind == "SP"):
        layer = Layer(group.layer, [name for name in group.names if _is_feature(group, name)])
        indices = range(group.first, group.first + len(group.names))
        layer.is_annotated = any(row.cells[i] not in _NOTHING for row in rows for i in indices)
        for name in layer.features:
            index = group.first + group.names.index(name)
            if any(value is not None for row in rows for value, _ in _items(row.cells[index])):
                layer.valued.add(name)
        layers.append(layer)
    return layers


def _is_feature(group: Columns, name: str) -> bool:
    """Return whether a column has strings; links to other annotations take two columns."""
    index = group.names.index(name)
    is_link = name.startswith(_ROLE) or (index and group.names[index - 1].startswith(_ROLE))
    return bool(name) and not is_link


def _read_spans(
    columns: Sequence[Columns],
    rows: Sequence[Row],
    chosen: tuple[Layer, str | None],
    report: ConversionReport,
) -> list[ImportedSpan]:
    layer, feature = chosen
    group = next(group for group in columns if group.layer == layer.name)
    index = group.first + (group.names.index(feature) if feature else 0)
    spans: list[ImportedSpan] = []
    continued: dict[str, tuple[ImportedSpan, int]] = {}
    token = 0
    for row in rows:
        token += not row.is_part
        for value, number in _items(row.cells[index]):
            span, last = continued.get(number, (None, 0))
            # Scripts number the annotations of each sentence from 1.
            if span is not None and token - last <= 1:
                span.start, span.end = min(span.start, row.start), max(span.end, row.end)
            else:
                label = value if feature else layer.short_name
                span = ImportedSpan(row.start, row.end, label, where=row.where)
                spans.append(span)
            if number:
                continued[number] = span, token
    labeled = [span for span in spans if span.label is not None]
    report.drop("annotations without a label", len(spans) - len(labeled))
    kept = [span for span in labeled if span.start < span.end]
    report.drop("annotations of no characters", len(labeled) - len(kept))
    return kept


def _count_others(
    columns: Sequence[Columns],
    rows: Sequence[Row],
    chosen: tuple[Layer, str | None] | None,
    report: ConversionReport,
) -> None:
    """Record the annotations of other layers, and the other features of the chosen one."""
    for group in columns:
        if chosen is None or group.layer != chosen[0].name:
            short = group.layer.rpartition(".")[2]
            kinds = {"SP": f"annotations of layer {short}", "RL": "relations", "CH": "chain links"}
            indices = range(group.first, group.first + len(group.names))
            report.drop(kinds[group.kind], max(_count(group, index, rows) for index in indices))
            continue
        for index, name in enumerate(group.names, start=group.first):
            if name.startswith(_ROLE):
                report.drop("links between annotations", _count(group, index, rows))
            elif name != chosen[1] and name in chosen[0].valued:
                count = _count(group, index, rows, values_only=True)
                report.drop(f"values of feature {name}", count)


def _count(group: Columns, index: int, rows: Sequence[Row], *, values_only: bool = False) -> int:
    """Return the number of annotations in a column; those of several tokens count once."""
    single, numbers = 0, set()
    for row in rows:
        for value, number in _items(row.cells[index], is_chain=group.kind == "CH"):
            if values_only and value is None:
                continue
            single += not number
            numbers.add(number)
    return single + len(numbers - {""})


def _items(cell: str, *, is_chain: bool = False) -> Iterator[tuple[str | None, str]]:
    """Yield the values stacked in a cell, and their numbers; "" for those of one token."""
    if cell in _NOTHING:
        return
    for item in _STACKED.findall(cell):
        match = (_CHAIN_ELEMENT if is_chain else _WITH_ID).fullmatch(item)
        value, number = match.groups() if match else (item, "")
        is_empty = value in ("*", *_NOTHING)
        yield None if is_empty else _ESCAPE.sub(_unescape, value), number


def _unescape(match: re.Match[str]) -> str:
    return _CHARACTERS.get(match[1], match[1])
