"""The files of a source: documents alone, or a project that INCEpTION exports.

A project has `annotation/DOCUMENT/ANNOTATOR.xmi` and `curation/DOCUMENT/CURATION_USER.xmi`, or zip
archives of these names with the file and its type system
(https://inception-project.github.io, user guide, "Exporting project data").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..conversion_report import ConversionReport
from ..imported import ReadOptions
from ..sources import open_source

CURATOR = "CURATION_USER"
"""INCEpTION's name for the one who made the gold annotations."""
_UNANNOTATED = "INITIAL_CAS"
_ARCHIVE = ".zip"


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file with one document.

    Attributes:
        path: where to read it; it may be in a temporary folder.
        where: its name for messages.
        document: the document's name: that of its folder in a project, else the file's.
        annotator: who annotated it; None outside of projects.
        part: its path without suffix, for documents with the same id; "" in projects.
    """

    path: Path
    where: str
    document: str
    annotator: str | None = None
    part: str = ""


def iterate_files(
    source: Path, suffixes: Sequence[str], options: ReadOptions, report: ConversionReport
) -> Iterator[ProjectFile]:
    """Yield the files of a source; archives inside it are unpacked one at a time.

    Of a document with gold annotations only these are read, unless the options ask for annotators.

    Args:
        source: a file, a folder or a zip archive.
        suffixes: endings of the names to read in folders and archives.
        options: which annotators are wanted.
        report: records the files that are left out.

    Raises:
        InputError: if there are no such files.
    """
    others = ConversionReport()
    with open_source(source, (*suffixes, _ARCHIVE), others) as paths:
        found = [_describe(source, path, part) for path, part in paths]
        is_project = any(file.annotator is not None for file in found)
        if not is_project:
            report.leave_unread(others.unread)
        curated = {file.document for file in found if file.annotator == CURATOR}
        has_choice = options.annotator is not None or options.by_annotator
        for file in found:
            if is_project and file.annotator is None:
                continue
            if file.annotator == _UNANNOTATED:
                report.drop("documents before annotation (INITIAL_CAS)")
            elif file.document in curated and file.annotator != CURATOR and not has_choice:
                report.drop("annotators' versions of curated documents")
            elif file.path.suffix == _ARCHIVE:
                yield from _unpack(file, suffixes, report)
            else:
                yield file


def _describe(source: Path, path: Path, part: str) -> ProjectFile:
    is_inside = path == source or source in path.parents
    where = str(path) if is_inside else f"{source}: {part or path.name}"
    folder = path.parent
    if path != source and folder.parent.name in ("annotation", "curation"):
        return ProjectFile(path, where, folder.name, path.stem)
    return ProjectFile(path, where, path.name.removesuffix(path.suffix), None, part)


def _unpack(
    file: ProjectFile, suffixes: Sequence[str], report: ConversionReport
) -> Iterator[ProjectFile]:
    with open_source(file.path, suffixes, report) as paths:
        for path, part in paths:
            where = f"{file.where}: {path.name}"
            if file.annotator is not None:
                yield ProjectFile(path, where, file.document, file.annotator)
            else:
                name = path.name.removesuffix(path.suffix)
                inner = "/".join(filter(None, (file.part, part)))
                yield ProjectFile(path, where, name, None, inner)
