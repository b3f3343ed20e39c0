"""Gold documents of files and folders in any format, to train on and to evaluate with."""

from __future__ import annotations

import re
import shlex
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

from ..corpus.document import Document, check_spans
from ..corpus.files import read_documents
from ..corpus.reading.bounded import refuse_pipe
from ..corpus.reading.json_arrays import is_json_array
from ..errors import InputError, did_you_mean
from .formats.conversion import read_format
from .formats.conversion_report import ConversionReport
from .formats.detection.sources import find_format
from .formats.imported import ReadOptions
from .formats.overlaps import parse_flatten
from .formats.registry import FORMATS
from .gold_ids import with_unique_ids

Part = Literal["train", "dev", "test"]
_PART_NAME = re.compile(
    r"(?:.*[-_.])?(?:(?P<train>train(?:ing)?)|(?P<dev>val(?:id(?:ation)?)?|dev(?:elopment)?)"
    r"|(?P<test>test(?:ing)?))[ab]?(?:[-_]?\d+(?:-of-\d+)?)?",
    re.IGNORECASE,
)
_RUN_MANIFEST = "manifest.json"
_ONE_DOCUMENT_PER_FILE = ("brat", "xmi", "cas-json", "webanno")
_CONVERTER_OPTION = re.compile(
    r"--(?:(?:token|tag|text)-column|separator|layer|(?:by-)?annotator|predictions|skip-bad)\b"
)
"""Options that readers name, but only `orbat annotate convert` has."""


class GoldReader:
    """Reads gold documents; those of other formats are converted once and kept.

    JSON Lines of orbat are read as strictly as everywhere else.

    Args:
        format_name: one of :data:`~orbat.annotation.formats.registry.FORMATS`; None to find it
            from each file.
        flatten: `longest` keeps the longest of spans that overlap; None refuses them.
        has_options: whether the command has the options `--from` and `--flatten`; otherwise,
            messages name the conversion that has them.

    Raises:
        InputError: if there is no such format or policy.
    """

    def __init__(
        self,
        format_name: str | None = None,
        flatten: str | None = None,
        *,
        has_options: bool = True,
    ) -> None:
        if format_name is not None and format_name not in FORMATS:
            raise InputError(
                f"--from {format_name}: no such format{did_you_mean(format_name, FORMATS)}; "
                f"choose one of {', '.join(FORMATS)}"
            )
        self._format_name = format_name
        self._flatten = flatten
        self._has_options = has_options
        self._options = ReadOptions(overlaps=parse_flatten(flatten))
        self._notices: dict[tuple[Path, Part | None], list[str]] = {}
        self._changed_ids: dict[Part, list[str]] = {}
        self._converted: dict[tuple[Path, Part | None, bool], Sequence[Document]] = {}

    @property
    def notices(self) -> list[str]:
        """Lines about what was left out of the files that have been read, and changed ids."""
        lines = [f"{path}: {line}" for (path, _), lines in self._notices.items() for line in lines]
        return [*lines, *(line for lines in self._changed_ids.values() for line in lines)]

    def read_files(
        self, paths: Sequence[Path], labels: Iterable[str] | None = None, *, part: Part
    ) -> list[Document]:
        """Return the documents of several files and folders; see :meth:`read`.

        Records of orbat that have not been annotated are refused. Ids that occur in several files
        are changed; see :func:`~.gold_ids.with_unique_ids`.

        Raises:
            InputError: as :meth:`read`, and if documents are in several files.
        """
        allowed = None if labels is None else tuple(labels)
        files = [
            (path, list(self.read(path, allowed, part=part, spans_required=True)))
            for path in map(Path, paths)
        ]
        documents, self._changed_ids[part] = with_unique_ids(files, f"--{part}")
        return documents

    def read(
        self,
        path: Path,
        labels: Iterable[str] | None = None,
        *,
        part: Part | None = None,
        spans_required: bool = False,
    ) -> Iterator[Document]:
        """Yield the documents of a file or folder.

        Of a data set with several splits, only that of the wanted part is read. Other folders and
        archives with several of train, dev and test are refused. Without a part, all are read.

        Args:
            path: the file, folder or zip archive.
            labels: the allowed label names; None allows any.
            part: what the documents are for; None for anything.
            spans_required: refuse records of orbat that have not been annotated.

        Raises:
            InputError: naming the file, the position and the fix.
        """
        path = Path(path)
        refuse_pipe(path)
        try:
            name = self._format_name or find_gold_format(path)
        except InputError as error:
            raise InputError(f"{error}{self._advise(path, None, str(error))}") from error
        if name == "jsonl" and path.is_file() and is_json_array(path):
            quoted = shlex.quote(str(path))
            raise InputError(
                f"{path}: records in an array; write one in each line: jq -c '.[]' {quoted} > "
                "gold.jsonl"
            )
        if name == "jsonl" and path.is_file() and self._flatten is None:
            yield from read_documents(path, labels, spans_required=spans_required)
            return
        key = (path, part, spans_required)
        if key not in self._converted:
            self._converted[key] = self._convert(path, name, part, spans_required)
        allowed = None if labels is None else tuple(labels)
        for document in self._converted[key]:
            check_spans(document, document.spans, f"{path}: document '{document.id}'", allowed)
            yield document

    def _convert(
        self, path: Path, name: str, part: Part | None, spans_required: bool
    ) -> Sequence[Document]:
        """Return the documents of a part of a source in another format."""
        if name != "datasets" and part is not None:
            _refuse_several_parts(path, part, is_by_document=name in _ONE_DOCUMENT_PER_FILE)
        report = ConversionReport()
        try:
            options = replace(self._options, spans_required=spans_required)
            documents = list(read_format(path, name, report, options=options))
        except InputError as error:
            raise InputError(f"{error}{self._advise(path, name, str(error))}") from error
        chosen: Sequence[Document] = documents
        if name == "datasets" and part is not None:
            chosen = _choose_split(path, documents, part)
        lines = report.lines()
        if len(chosen) < len(documents):
            lines.insert(0, f"{len(chosen)} of {len(documents)} documents, those of split {part}")
        self._notices[path, part] = lines
        return chosen

    def _advise(self, path: Path, name: str | None, message: str) -> str:
        """Return what else to try where a file cannot be read, in a format if one is known."""
        convert = f"orbat annotate convert {shlex.quote(str(path))} gold.jsonl"
        if self._format_name is not None and name is not None:
            try:
                found = find_format(path)
            except InputError:
                pass
            else:
                if FORMATS[found.name].read is not FORMATS[name].read:
                    return f"; {path} has {found.evidence}: try --from {found.name}"
        # Without a known format, only columns that are not certain have such options.
        if "annotate convert" not in message and _CONVERTER_OPTION.search(message):
            return f" (options of {convert} --from {name or 'conll'})"
        if self._has_options or "annotate convert" in message:
            return ""
        if "--flatten" in message:
            return f" ({convert} does so)"
        return f" (an option of {convert})" if "--from" in message else ""


def find_gold_format(path: Path) -> str:
    """Return the name of the format in which a file or folder is read.

    Raises:
        InputError: if it does not exist, or its format is not certain.
    """
    if (path / _RUN_MANIFEST).is_file() and (path / "data").is_dir():
        raise InputError(f"{path}: a run of orbat train; name a file or folder of documents")
    # Its reader says best what is wrong with a file that is missing, empty or damaged.
    if path.name.endswith((".jsonl", ".jsonl.gz")) and not path.is_dir():
        try:
            return find_format(path).name
        except InputError:
            return "jsonl"
    return find_format(path).name


def _choose_split(path: Path, documents: Sequence[Document], part: Part) -> Sequence[Document]:
    """Return the documents of the split for a part, if there are several splits.

    Raises:
        InputError: if none of them is for the part.
    """
    splits = {str(document.meta.get("split", "")) for document in documents}
    if len(splits) < 2:
        return documents
    wanted = {name for name in splits if part_of(name) == part}
    if not wanted:
        names = ", ".join(sorted(splits))
        raise InputError(
            f"{path}: has the splits {names}, none of which is named {part}; name the file of one"
        )
    return [document for document in documents if document.meta.get("split") in wanted]


def _refuse_several_parts(path: Path, part: Part, *, is_by_document: bool) -> None:
    """Refuse a folder or archive with several of train, dev and test, by their names.

    Raises:
        InputError: naming one that can be given, that for the wanted part if there is one.
    """
    if path.is_dir():
        files = [PurePosixPath(file.relative_to(path)) for file in sorted(path.rglob("*"))]
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            files = [PurePosixPath(name) for name in archive.namelist()]
    else:
        return
    found: dict[Part, PurePosixPath] = {}
    for file in files:
        inner = file.parent if is_by_document else file
        for place in (inner, *inner.parents):
            kinds = (part_of(piece) for piece in place.name.split("."))
            if kind := next((kind for kind in kinds if kind), None):
                found.setdefault(kind, place)
    if len(found) > 1:
        names = ", ".join(map(str, found.values()))
        example = path / found.get(part, next(iter(found.values())))
        fix = f"name one, such as {example}" if path.is_dir() else "unpack it and name one"
        raise InputError(f"{path}: holds several parts ({names}); {fix}")


def part_of(name: str) -> Part | None:
    """Return the part that the name of a split, folder or file stands for; None for other names."""
    match = _PART_NAME.fullmatch(name)
    parts: tuple[Part, ...] = ("train", "dev", "test")
    return next((part for part in parts if match and match[part]), None)
