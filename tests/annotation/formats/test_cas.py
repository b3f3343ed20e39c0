"""UIMA documents as XMI and JSON, as dkpro-cassis writes them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cassis import Cas, TypeSystem
from cassis.typesystem import TypeSystemMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents
from orbat.errors import InputError
from tests.conftest import Orbat
from tests.corpus.test_document import documents

TEXT = "Hi 😊, Col. Brandt of the 5th Rifles."
DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
NER = f"{DKPRO}.ner.type.NamedEntity"
RANK, UNIT = Span(6, 10, "RANK"), Span(25, 35, "UNIT")


def type_system() -> TypeSystem:
    types = TypeSystem()
    annotation, string = "uima.tcas.Annotation", "uima.cas.String"
    for name, supertype, features in (
        (NER, annotation, ("value", "identifier")),
        (f"{DKPRO}.ner.type.Person", NER, ()),
        (f"{DKPRO}.segmentation.type.Token", annotation, ()),
        (f"{DKPRO}.lexmorph.type.pos.POS", annotation, ("PosValue", "coarseValue")),
        (f"{DKPRO}.metadata.type.DocumentMetaData", annotation, ("documentTitle",)),
        ("webanno.custom.Rank", annotation, ("grade", "name")),
        ("webanno.custom.Ship", annotation, ()),
        ("webanno.custom.Commands", annotation, ("role",)),
    ):
        kind = types.create_type(name, supertypeName=supertype)
        for feature in features:
            types.create_feature(kind, feature, rangeType=string)
    relation = types.get_type("webanno.custom.Commands")
    for feature in ("Governor", "Dependent"):
        types.create_feature(relation, feature, rangeType=annotation)
    return types


def cas(*annotations: tuple[str, int, int, dict[str, Any]], text: str = TEXT) -> Cas:
    made = Cas(type_system(), sofa_string=text, sofa_mime="text/plain")
    for name, start, end, features in annotations:
        made.add(made.typesystem.get_type(name)(begin=start, end=end, **features))
    return made


GOLD = ((NER, 6, 10, {"value": "RANK"}), (NER, 25, 35, {"value": "UNIT"}))


def write(path: Path, document: Cas) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        document.to_json(path)
    else:
        document.to_xmi(path)
        document.typesystem.to_xml(path.parent / "TypeSystem.xml")
    return path


def read(
    path: Path, layer: str | None = None, annotator: str | None = None, form: str | None = None
) -> tuple[list[Document], dict[str, int]]:
    report = ConversionReport()
    form = form or ("cas-json" if path.suffix == ".json" else "xmi")
    options = ReadOptions(layer=layer, annotator=annotator)
    return list(read_format(path, form, report, options=options)), dict(report.dropped)


@pytest.mark.parametrize("name", ["news.xmi", "news.json"])
def test_offsets_count_utf16_units_in_the_file(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, cas(*GOLD))
    assert re.search(rb'begin"?[=:] ?"?7\b', path.read_bytes())
    ((document,), dropped) = read(path)
    assert (document.id, document.text, document.spans) == ("news", TEXT, (RANK, UNIT))
    assert not dropped


def test_json_without_types_needs_the_type_system_beside_it(tmp_path: Path) -> None:
    made = cas(*GOLD)
    made.to_json(tmp_path / "a.json", type_system_mode=TypeSystemMode.NONE)
    with pytest.raises(InputError, match=r"no TypeSystem.xml beside it"):
        read(tmp_path / "a.json")
    made.typesystem.to_xml(tmp_path / "TypeSystem.xml")
    ((document,), _) = read(tmp_path / "a.json")
    assert document.spans == (RANK, UNIT)


def test_other_views_are_counted(tmp_path: Path) -> None:
    made = cas(*GOLD)
    made.create_view("translation").sofa_string = "Bonjour"
    ((document,), dropped) = read(write(tmp_path / "a.xmi", made))
    assert (document.text, document.spans) == (TEXT, (RANK, UNIT))
    assert dropped == {"other views of a document": 1}


def test_an_export_of_inception_is_a_zip_archive(orbat: Orbat, tmp_path: Path) -> None:
    title = (f"{DKPRO}.metadata.type.DocumentMetaData", 0, len(TEXT), {"documentTitle": "n.txt"})
    path = write(tmp_path / "x" / "ann.xmi", cas(*GOLD, title))
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for file in path.parent.iterdir():
            archive.write(file, file.name)
    outcome = orbat(
        *("annotate", "convert", tmp_path / "export.zip", tmp_path / "o.jsonl", "--from", "xmi")
    )
    assert outcome.code == 0, outcome.err
    (document,) = read_documents(tmp_path / "o.jsonl")
    assert (document.id, document.spans) == ("n.txt", (RANK, UNIT))


def project(folder: Path) -> Path:
    """Write a project export with an archive for each annotator of a document."""
    for kind, user, count in (
        ("annotation", "ann", 1),
        ("annotation", "ben", 2),
        ("annotation", "INITIAL_CAS", 0),
        ("curation", "CURATION_USER", 2),
    ):
        path = write(folder / "scratch" / f"{user}.xmi", cas(*GOLD[:count]))
        archive_path = folder / "export" / kind / "news.txt" / f"{user}.zip"
        archive_path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive_path, "w") as archive:
            archive.write(path, path.name)
            archive.write(path.parent / "TypeSystem.xml", "TypeSystem.xml")
    (folder / "export" / "exportedproject.json").write_text("{}")
    return folder / "export"


def test_gold_of_a_project_or_one_annotator(tmp_path: Path) -> None:
    folder = project(tmp_path)
    ((document,), dropped) = read(folder)
    assert (document.id, document.spans) == ("news.txt", (RANK, UNIT))
    assert document.meta == {"annotation": {"annotator": "CURATION_USER"}}
    assert dropped == {
        "documents before annotation (INITIAL_CAS)": 1,
        "annotators' versions of curated documents": 2,
    }
    ((document,), _) = read(folder, annotator="ann")
    assert document.spans == (RANK,)
    with zipfile.ZipFile(tmp_path / "project.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    ((document,), _) = read(tmp_path / "project.zip", form="xmi")
    assert (document.id, document.spans) == ("news.txt", (RANK, UNIT))


OTHERS = (
    (f"{DKPRO}.lexmorph.type.pos.POS", 6, 10, {"PosValue": "NN"}),
    (f"{DKPRO}.segmentation.type.Token", 6, 10, {}),
    ("webanno.custom.Commands", 6, 10, {"role": "x"}),
)


def test_parts_of_speech_relations_and_other_features_are_counted(tmp_path: Path) -> None:
    empty = (NER, 3, 3, {"value": "X"})
    unlabeled = (NER, 3, 4, {"identifier": "http://kb.test/1"})
    ((document,), dropped) = read(write(tmp_path / "a.xmi", cas(*GOLD, *OTHERS, empty, unlabeled)))
    assert document.spans == (RANK, UNIT)
    assert dropped == {
        "annotations of layer POS": 1,
        "relations": 1,
        "annotations of no characters": 1,
        "annotations without a label": 1,
        "values of feature identifier": 1,
    }


@pytest.mark.parametrize(
    ("layer", "spans"),
    [
        ("Rank.grade", [Span(6, 10, "OF-5")]),
        ("webanno.custom.Rank.name", [Span(6, 10, "colonel")]),
        ("Ship", [Span(11, 17, "Ship")]),
        ("NamedEntity", [Span(25, 35, "UNIT")]),
        ("POS.PosValue", [Span(6, 10, "NN")]),
    ],
)
def test_a_layer_can_be_chosen(tmp_path: Path, layer: str, spans: list[Span]) -> None:
    ranks = ("webanno.custom.Rank", 6, 10, {"grade": "OF-5", "name": "colonel"})
    ships = ("webanno.custom.Ship", 11, 17, {})
    path = write(tmp_path / "a.xmi", cas(GOLD[1], ranks, ships, *OTHERS))
    with pytest.raises(InputError, match=r"several layers; choose one with --layer: .*custom.Rank"):
        read(path)
    with pytest.raises(InputError, match=r"choose one with --layer: Rank.grade, Rank.name"):
        read(path, "Rank")
    with pytest.raises(InputError, match="no layer 'Plane'; choose --layer from"):
        read(path, "Plane")
    ((document,), _) = read(path, layer)
    assert list(document.spans) == spans


def test_all_documents_have_the_same_layer(tmp_path: Path) -> None:
    write(tmp_path / "c" / "a.xmi", cas(*GOLD))
    write(tmp_path / "c" / "b.xmi", cas(("webanno.custom.Ship", 11, 17, {})))
    write(tmp_path / "c" / "c.xmi", cas())
    with pytest.raises(InputError, match=r"b.xmi: annotations in several layers"):
        read(tmp_path / "c")
    found, dropped = read(tmp_path / "c", "NamedEntity")
    assert [len(document.spans) for document in found] == [2, 0, 0]
    assert dropped == {"annotations of layer Ship": 1}


def test_subtypes_belong_to_their_layer(tmp_path: Path) -> None:
    person = (f"{DKPRO}.ner.type.Person", 11, 17, {"value": "PER"})
    ((document,), _) = read(write(tmp_path / "a.xmi", cas(*GOLD, person)))
    assert document.spans == (RANK, Span(11, 17, "PER"), UNIT)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<xmi:XMI", '<!DOCTYPE x [<!ENTITY a "aa">]><xmi:XMI', "with a document type is not"),
        ("<xmi:XMI", "<xmi", "cannot be read"),
        ("NamedEntity", "NoEntity", "cannot be read"),
        ("sofaString=", "sofaText=", "cannot be read"),
        ('begin="7"', 'begin="4"', "an annotation is not in the text"),
        ('end="11"', 'end="900"', "an annotation is not in the text"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = write(tmp_path / "a.xmi", cas(*GOLD))
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["{}", "{", '{"_context": {}, "_views": {}}', "[]", ""])
def test_other_json_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=f"^{tmp_path / 'a.json'}: "):
        read(tmp_path / "a.json")


def test_xmi_needs_its_type_system(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xmi", cas(*GOLD))
    (tmp_path / "TypeSystem.xml").rename(tmp_path / "my types.xml")
    ((document,), _) = read(path)
    assert document.spans == (RANK, UNIT)
    (tmp_path / "my types.xml").unlink()
    with pytest.raises(InputError, match=r"no TypeSystem.xml beside it"):
        read(path)


def test_a_type_system_cannot_read_other_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xmi", cas(*GOLD))
    types = tmp_path / "TypeSystem.xml"
    entity = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    body = types.read_text(encoding="utf-8").split("?>", 1)[-1]
    types.write_text(entity + body, encoding="utf-8")
    with pytest.raises(InputError, match=r"TypeSystem.xml: XML with a document type is not read"):
        read(path)


def xml_text(text: str) -> bool:
    return not re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)


@given(st.lists(documents(), min_size=1, max_size=3))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, many: list[Document]
) -> None:
    folder = tmp_path_factory.mktemp("x")
    sent = [
        Document(f"d{n}", document.text, document.spans)
        for n, document in enumerate(many)
        if xml_text(document.text) and all(xml_text(span.label) for span in document.spans)
    ]
    report = ConversionReport()
    assert write_format(folder / "out", "xmi", sent, report) == len(sent)
    if not sent:
        return
    found, dropped = read(folder / "out")
    assert found == sent
    assert not dropped and not report.dropped


def test_characters_that_xml_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="document 'a': XML cannot hold it"):
        write_format(tmp_path / "o", "xmi", [Document("a", "a\x00b")], ConversionReport())
    assert not (tmp_path / "o").exists()


@given(documents())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_json_of_any_document_is_read(
    tmp_path_factory: pytest.TempPathFactory, document: Document
) -> None:
    made = cas(
        *((NER, s.start, s.end, {"value": s.label}) for s in document.spans), text=document.text
    )
    ((back,), _) = read(write(tmp_path_factory.mktemp("x") / "a.json", made))
    assert (back.text, back.spans) == (document.text, document.spans)
