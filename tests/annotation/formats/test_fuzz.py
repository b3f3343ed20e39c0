"""Damaged files of every format: read, or refused with one line.

Small valid files are changed at random (`tests/damage.py`).
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import cassis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.annotation.formats.registry import FORMATS
from orbat.corpus.document import Document, Span, document_to_json, parse_document
from orbat.errors import InputError
from tests.damage import Files, damage_files

DOCUMENTS = [
    Document(
        "one",
        "Gen. Ada Osei 🎖 led\nthe 4th Brigade.",
        (Span(0, 4, "RANK", "ann", 0.5, "sure"), Span(24, 35, "UNIT")),
        {"title": "a", "tags": ["b", 1], "annotation": {"annotator": "ann", "confirmed": True}},
    ),
    Document("two/b", "No name here.", (), {"date": "2024-05-01"}),
    Document("3", "Maj. Roe\r\nmet Col. Doe", (Span(0, 4, "RANK"), Span(14, 18, "RANK"))),
]

READ_ONLY = {
    "spacy": """[["Gen. Osei leads 3 Wing.", {"entities": [[0, 4, "RANK"], [16, 22, "UNIT"]]}],
["Maj. Roe left.", {"entities": [{"start": 0, "end": 4, "label": "RANK"}]}]]""",
    "webanno": """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value


#Text=Gen. Osei leads 3 Wing.
1-1\t0-4\tGen.\t_\tRANK\t
1-2\t5-9\tOsei\t_\t_\t
1-3\t10-15\tleads\t_\t_\t
1-4\t16-17\t3\t*[1]\tUNIT[1]\t
1-5\t18-22\tWing\t*[1]\tUNIT[1]\t
""",
}
"""Files of formats that orbat only reads."""

SLOW = ("docbin", "datasets", "xmi", "cas-json")
"""Formats of large libraries, which need more time for a file."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    return make_samples(tmp_path_factory.mktemp("samples"))


def make_samples(folder: Path) -> dict[str, Files]:
    """Write a valid source of each format; return their files."""
    result = {}
    for name, format_ in FORMATS.items():
        path = folder / f"{name}{format_.suffix}"
        if format_.write is not None:
            write_format(path, name, DOCUMENTS, ConversionReport())
            result[name] = read_files(path)
        elif name in READ_ONLY:
            result[name] = {"": READ_ONLY[name].encode()}
    result["cas-json"] = {"": to_cas_json(result["xmi"])}
    return result


def to_cas_json(files: Files) -> bytes:
    """Convert a document of an XMI folder to CAS JSON, which orbat only reads."""
    types = next(content for name, content in files.items() if name.endswith(".xml"))
    document = next(content for name, content in files.items() if name.endswith(".xmi"))
    type_system = cassis.load_typesystem(io.BytesIO(types))
    return cassis.load_cas_from_xmi(io.BytesIO(document), type_system).to_json().encode()


def read_files(path: Path) -> Files:
    if path.is_file():
        return {"": path.read_bytes()}
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


def write_files(path: Path, files: Files) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    for name, content in files.items():
        file = path / name if name else path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def check_reading(path: Path, name: str, options: ReadOptions, *, skip_bad: bool) -> None:
    """Read a source, and check what comes of it."""
    ids = set()
    try:
        for document in read_format(
            path, name, ConversionReport(), skip_bad=skip_bad, options=options
        ):
            line = json.dumps(document_to_json(document), ensure_ascii=False, allow_nan=False)
            assert parse_document(json.loads(line.encode()), "f") == document
            assert options.by_annotator or document.id not in ids
            ids.add(document.id)
    except InputError as error:
        assert str(error).splitlines() == [str(error)]
        assert path.name in str(error)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_source_is_read_or_refused(
    name: str, samples: dict[str, Files], tmp_path: Path
) -> None:
    path = tmp_path / f"source{FORMATS[name].suffix}"

    @settings(max_examples=60 if name in SLOW else 250, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        write_files(path, damage_files(samples[name], data.draw(st.randoms())))
        options = ReadOptions(
            predictions=data.draw(st.booleans()), by_annotator=data.draw(st.booleans())
        )
        check_reading(path, name, options, skip_bad=data.draw(st.booleans()))

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_an_undamaged_source_is_read(name: str, samples: dict[str, Files], tmp_path: Path) -> None:
    path = tmp_path / f"source{FORMATS[name].suffix}"
    write_files(path, samples[name])
    documents = list(read_format(path, name, ConversionReport()))
    assert "RANK" in {span.label for document in documents for span in document.spans}
