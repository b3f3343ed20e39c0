"""Ids that begin anew in each file, and files of several annotators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from tests.conftest import Orbat

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of documents of a folder: id to text, and the annotator."""

    def write(name: str, texts: dict[str, str], annotator: str | None = None) -> Path:
        meta = {} if annotator is None else {"annotation": {"annotator": annotator}}
        (tmp_path / "source").mkdir(exist_ok=True)
        write_documents(
            tmp_path / "source" / f"{name}.jsonl",
            [Document(doc_id, text, (), meta) for doc_id, text in texts.items()],
        )
        return tmp_path / "source"

    return write


def read(folder: Path, **options: Any) -> tuple[dict[str, str], ConversionReport]:
    report = ConversionReport()
    documents = list(read_format(folder, "jsonl", report, options=ReadOptions(**options)))
    assert len({document.id for document in documents}) == len(documents)
    return {document.id: document.text for document in documents}, report


def test_ids_that_begin_anew_in_each_file_get_its_name(write: Write) -> None:
    write("dev", {"1": "a", "2": "b"})
    folder = write("train", {"1": "c", "2": "d", "3": "e"})
    documents, report = read(folder)
    expected = {"1": "a", "2": "b", "train/1": "c", "train/2": "d", "train/3": "e"}
    assert documents == expected
    assert report.dropped == {"ids that occur in several splits or files": 3}


def test_ids_that_differ_stay(write: Write) -> None:
    write("dev", {"dev-1": "a"})
    documents, report = read(write("train", {"train-1": "b"}))
    assert documents == {"dev-1": "a", "train-1": "b"}
    assert not report.dropped


def test_files_of_two_annotators_are_the_same_documents(
    write: Write, orbat: Orbat, tmp_path: Path
) -> None:
    write("ann", {"1": "a", "2": "b"}, "ann")
    folder = write("ben", {"1": "a", "2": "b"}, "ben")
    with pytest.raises(InputError, match=r"'1' was annotated by ann and by ben; .*--by-annotator"):
        read(folder)
    documents, report = read(folder, annotator="ben")
    assert documents == {"1": "a", "2": "b"}
    assert set(report.dropped) <= {"annotations of other annotators"}
    with pytest.raises(InputError, match="nothing by annotator 'cay'; choose one of ann, ben"):
        read(folder, annotator="cay")
    command = ("annotate", "convert", folder, tmp_path / "out", "--from", "jsonl")
    assert orbat(*command, "--by-annotator").code == 0
    files = [tmp_path / "out" / f"{name}.jsonl" for name in ("ann", "ben")]
    for path in files:
        assert [document.id for document in read_documents(path)] == ["1", "2"]
    assert orbat("annotate", "agree", *files, "--json").json()["documents"] == 2


def test_a_document_is_repeated_or_its_id_refused(tmp_path: Path) -> None:
    source = tmp_path / "doccano.jsonl"
    task = '{"id": %s, "text": "%s", "label": []}\n'
    source.write_text(task % ("7", "same") + task % ('"7"', "same"))
    report = ConversionReport()
    (document,) = read_format(source, "doccano", report)
    assert (document.id, report.dropped) == ("7", {"repeated documents": 1})
    source.write_text(task % ("7", "same") + task % ("7.0", "other"))
    with pytest.raises(InputError, match="duplicate id '7'; ids must be unique"):
        list(read_format(source, "doccano", ConversionReport()))


def test_annotators_with_similar_names_keep_their_files(
    write: Write, orbat: Orbat, tmp_path: Path
) -> None:
    write("first", {"1": "a"}, "Ann/B")
    folder = write("second", {"1": "a"}, "ann_b")
    command = ("annotate", "convert", folder, tmp_path / "out", "--from", "jsonl")
    assert orbat(*command, "--by-annotator").code == 0
    found = {
        document.meta["annotation"]["annotator"]
        for path in (tmp_path / "out").glob("*.jsonl")
        for document in read_documents(path)
    }
    assert found == {"Ann/B", "ann_b"}
