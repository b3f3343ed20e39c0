"""UIMA documents as XMI (https://uima.apache.org) or JSON (https://github.com/apache/uima-uimaj-io-jsoncas).

INCEpTION and WebAnno export both. Offsets count UTF-16 units in the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.output.atomic import open_folder_atomic
from ....errors import InputError, first_line
from ..conversion_report import (
    ConversionReport,
    drop_meta,
    drop_span_fields,
    file_name,
    unused_name,
)
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..write_options import WriteOptions
from .cas_files import CasLoader, is_type_system
from .layers import LABEL_FEATURE, Layer, LayerChoice
from .project_files import iterate_files

_ANNOTATION = "uima.tcas.Annotation"
_STRING = "uima.cas.String"
_METADATA = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_SEGMENTS = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type."
_NO_ANNOTATIONS = (
    *("uima.", "de.tudarmstadt.ukp.dkpro.core.api.metadata.", "de.tudarmstadt.ukp.clarin.webanno."),
    *(f"{_SEGMENTS}Token", f"{_SEGMENTS}Sentence"),
)
"""Types of text segments and of data on the document."""
_RESERVED = {"self": "self_", "type": "type_"}
"""cassis renames these features."""


def read_xmi(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read XMI files with `TypeSystem.xml` beside them.

    Args:
        path: a file, a folder, a zip archive, or a project that INCEpTION exports. In projects the
            file's name is the annotator.
        options: `layer` is the type of the annotations, `TYPE` or `TYPE.FEATURE`; annotations of
            its subtypes are read too.
        report: records annotations of other types, relations and chains.

    Raises:
        InputError: naming the file that cannot be read, or the layers of which to choose one.
    """
    return _read(path, (".xmi", ".xml"), options, report)


def read_cas_json(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read UIMA CAS JSON 0.4; otherwise as :func:`read_xmi`."""
    return _read(path, (".json",), options, report)


def _read(
    path: Path, suffixes: Sequence[str], options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    choice, loader = LayerChoice(options.layer), CasLoader()
    for file in iterate_files(path, suffixes, options, report):
        if file.path.suffix == ".xml" and is_type_system(file.path):
            continue
        try:
            view = loader.load(file.path, file.where)
        except ValueError as error:
            report.reject(file.where, f"an annotation is not in the text ({error})")
            continue
        texts = sum(other.sofa.sofaString is not None for other in view.views)
        report.drop("other views of a document", texts - 1)
        spans = _read_spans(view, file.where, choice, report)
        doc_id = file.document if file.annotator else _read_title(view) or file.document
        yield ImportedDocument(
            *(file.where, doc_id, view.sofa_string, spans),
            annotator=file.annotator,
            part=file.part,
        )
    choice.check(path)


def _read_title(view: Any) -> str | None:
    if not view.typesystem.contains_type(_METADATA):
        return None
    return next((data.documentTitle for data in view.select(_METADATA)), None)


def _read_spans(
    view: Any, where: str, choice: LayerChoice, report: ConversionReport
) -> list[ImportedSpan]:
    annotations = []
    for annotation in view.select(_ANNOTATION):
        names = {feature.name for feature in annotation.type.all_features}
        if annotation.type.name.startswith(_NO_ANNOTATIONS):
            continue
        if {"Governor", "Dependent"} <= names:
            report.drop("relations")
        elif {"next", "referenceType"} <= names:
            report.drop("chain links")
        else:
            annotations.append(annotation)
    chosen = choice.choose(_find_layers(view, annotations), where)
    spans = []
    for annotation in annotations:
        lineage = _lineage(annotation.type)
        if chosen is None or chosen[0].name not in [kind.name for kind in lineage]:
            report.drop(f"annotations of layer {lineage[-1].name.rpartition('.')[2]}")
            continue
        layer, feature = chosen
        for name in layer.features:
            if name != feature and _value(annotation, name) is not None:
                report.drop(f"values of feature {name}")
        own_name = annotation.type.name.rpartition(".")[2]
        label = _value(annotation, feature) if feature else own_name
        if label is None:
            report.drop("annotations without a label")
        elif annotation.begin == annotation.end:
            report.drop("annotations of no characters")
        else:
            position = f"{where}: annotation {annotation.xmiID}"
            spans.append(ImportedSpan(annotation.begin, annotation.end, label, where=position))
    return spans


def _lineage(kind: Any) -> list[Any]:
    """Return a type and its supertypes below `uima.tcas.Annotation`."""
    lineage = []
    while kind is not None and kind.name != _ANNOTATION:
        lineage.append(kind)
        kind = kind.supertype
    return lineage


def _find_layers(view: Any, annotations: Iterable[Any]) -> Iterable[Layer]:
    """Return the types of the annotations, and their supertypes.

    Without a choice of the user only the uppermost type of a lineage is a layer.
    """
    layers: dict[str, Layer] = {}
    for annotation in annotations:
        lineage = _lineage(annotation.type)
        for kind in lineage:
            if kind.name not in layers:
                layers[kind.name] = Layer(kind.name, _string_features(view.typesystem, kind))
            layer = layers[kind.name]
            layer.is_annotated |= kind is lineage[-1]
            layer.valued |= {n for n in layer.features if _value(annotation, n) is not None}
    return layers.values()


def _string_features(types: Any, kind: Any) -> list[str]:
    return [
        feature.name
        for feature in kind.all_features
        if types.is_instance_of(feature.rangeType.name, _STRING)
    ]


def _value(annotation: Any, feature: str) -> str | None:
    value = getattr(annotation, _RESERVED.get(feature, feature), None)
    return value if isinstance(value, str) and value else None


def write_xmi(
    folder: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a new folder of XMI files and `TypeSystem.xml`; return the document count.

    Spans become annotations of the layer NamedEntity, which INCEpTION has.

    Raises:
        InputError: if a text or label has characters that XML cannot hold.
    """
    from cassis import Cas, TypeSystem

    types = TypeSystem()
    metadata = types.create_type(_METADATA, supertypeName=_ANNOTATION)
    for name in ("documentTitle", "documentId"):
        types.create_feature(metadata, name, rangeType=_STRING)
    entity = types.create_type(_ENTITY, supertypeName=_ANNOTATION)
    types.create_feature(entity, LABEL_FEATURE, rangeType=_STRING)
    names: set[str] = set()
    with open_folder_atomic(folder) as draft:
        types.to_xml(draft / "TypeSystem.xml")
        for document in documents:
            drop_meta(document, report)
            drop_span_fields(document, report)
            name = unused_name(file_name(document.id).replace("/", "_"), names)
            cas = Cas(types, sofa_string=document.text, sofa_mime="text/plain")
            length = len(document.text)
            cas.add(metadata(begin=0, end=length, documentTitle=document.id, documentId=name))
            for span in document.spans:
                cas.add(entity(begin=span.start, end=span.end, **{LABEL_FEATURE: span.label}))
            try:
                cas.to_xmi(draft / f"{name}.xmi")
            except ValueError as error:
                raise InputError(
                    f"document '{document.id}': XML cannot hold it ({first_line(error)})"
                ) from error
    return len(names)
