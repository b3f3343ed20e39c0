"""Files of a folder or archive that a reader does not read are named."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.detection.sources import find_format
from orbat.annotation.gold_files import GoldReader
from orbat.errors import InputError
from tests.conftest import Orbat
from tests.german_news import german_news

SUFFIXES = {"conll": ".conll", "jsonl": ".jsonl", "docbin": ".spacy", "prodigy": ".jsonl"}
BY_FILES = ("README", "README.txt", "LICENSE", ".DS_Store", ".git/config", "__MACOSX/._a.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of other endings, and with files that hold no documents."""
    folder = tmp_path / "mixed"
    for name in (*BY_FILES, "notes.md", "old/scan.pdf"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Bonn tagt heute.\n")
    return folder


def unread(source: Path, name: str) -> list[str]:
    report = ConversionReport()
    assert len(list(read_format(source, name, report))) == 3
    return sorted(report.unread)


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("is_archive", [False, True])
def test_files_of_other_endings_are_named(name: str, is_archive: bool, folder: Path) -> None:
    path = folder / f"a{SUFFIXES[name]}"
    write_format(path, name, german_news()[:3], ConversionReport())
    source = folder
    if is_archive:
        source = Path(shutil.make_archive(str(folder), "zip", folder))
    assert unread(source, name) == ["notes.md", "old/scan.pdf"]


@pytest.mark.parametrize("name", ["brat", "words-tags", "re3d", "datasets", "xmi"])
def test_stray_files_in_a_folder_of_a_format_are_named(name: str, folder: Path) -> None:
    written = folder.with_name("written")
    write_format(written, name, german_news()[:3], ConversionReport())
    shutil.copytree(folder, written, dirs_exist_ok=True)
    (written / "Ort.txt").write_text("Ulm.")
    assert unread(written, name) == ["Ort.txt", "notes.md", "old/scan.pdf"]


def test_text_beside_columns_is_named_and_columns_in_a_text_file_are_read(folder: Path) -> None:
    documents = german_news()
    write_format(folder / "a.conll", "conll", documents[:2], ConversionReport())
    write_format(folder / "b.txt", "conll", documents[2:3], ConversionReport())
    (folder / "notes.txt").write_text("See the wiki.\n\nIt says more.\n")
    assert unread(folder, "conll") == ["notes.md", "notes.txt", "old/scan.pdf"]
    (folder / "c.conll").write_text("See the wiki.\n\nIt says more.\n")
    with pytest.raises(InputError, match=r"c\.conll: .* none of which surely holds"):
        list(read_format(folder, "conll", ConversionReport()))


def test_a_format_is_found_beside_files_that_tell_none(folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"version": 3}))
    write_format(folder / "b.txt", "iob", german_news()[:3], ConversionReport())
    assert find_format(folder).name == "iob"
    reader = GoldReader()
    assert len(list(reader.read(folder, part="train"))) == 3
    assert reader.notices == [f"{folder}: not read: 3 files (a.json, notes.md, old/scan.pdf)"]


def test_an_archive_of_brat_has_to_be_unpacked(folder: Path) -> None:
    write_format(folder / "brat", "brat", german_news()[:3], ConversionReport())
    archive = Path(shutil.make_archive(str(folder), "zip", folder))
    with pytest.raises(InputError, match=r"an archive with files \*\.ann; unpack it and name the"):
        find_format(archive)


def test_commands_print_what_they_did_not_read(orbat: Orbat, folder: Path) -> None:
    write_format(folder / "a.conll", "conll", german_news()[:3], ConversionReport())
    outcome = orbat("annotate", "convert", folder, folder.with_name("a.jsonl"))
    assert "not read: 2 files (notes.md, old/scan.pdf)\n" in outcome.err
    for number in range(5):
        (folder / f"{number}.md").write_text("x")
    outcome = orbat("annotate", "convert", folder, folder.with_name("b.jsonl"))
    assert "not read: 7 files (0.md, 1.md, 2.md, 3.md, 4.md and 2 more)\n" in outcome.err


def test_files_that_an_archive_names_outside_of_it_are_read(tmp_path: Path) -> None:
    """Their paths are cut, so that they are unpacked inside the folder."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.conll", "Bonn B-ORT\ntagt O\n")
        archive.writestr("../b.conll", "Ulm B-ORT\ntagt O\n")
    texts = sorted(document.text for document in GoldReader().read(tmp_path / "a.zip"))
    assert texts == ["Bonn tagt", "Ulm tagt"]
