"""The record of a session's control documents: known gold among the documents to annotate.

    SESSION/control/control.json             the control documents, with their gold
    SESSION/control/pulled/ANNOTATOR.jsonl   the annotators' versions, as the last pull read them

The folder is readable by its owner only. The server holds control documents like all others, under
ids of the same kind and with suggestions of the same source: only this folder tells which they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...corpus.document import Document, document_to_json, parse_document
from ...corpus.files import write_json
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError


@dataclass(frozen=True)
class ControlDocument:
    """One control document of a session.

    Attributes:
        source: its id in the file of gold that it comes from.
        before: id of the document to annotate that it is placed before.
        gold: the document under the id that annotators see, with its gold spans.
    """

    source: str
    before: str
    gold: Document

    @property
    def blank(self) -> Document:
        """The document as it is pushed, without spans."""
        return self.gold.with_spans(())


def read_control(folder: Path) -> list[ControlDocument]:
    """Return the control documents of a session, in the order of adding; [] without any.

    Raises:
        InputError: if the record is damaged.
    """
    path = _path(folder)
    if not path.is_file():
        return []
    try:
        return [
            ControlDocument(
                str(record["source"]),
                str(record["before"]),
                parse_document(record["gold"], str(path), spans_required=True),
            )
            for record in read_json_object(path)["documents"]
        ]
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a record of control documents; restore the file from a copy"
        ) from error


def read_control_gold(folder: Path) -> dict[str, Document]:
    """Return the control documents of a session with their gold spans, by id."""
    return {document.gold.id: document.gold for document in read_control(folder)}


def write_control(folder: Path, documents: Iterable[ControlDocument]) -> None:
    """Write the record of a session's control documents."""
    records = [
        {"source": d.source, "before": d.before, "gold": document_to_json(d.gold)}
        for d in documents
    ]
    control_folder(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(_path(folder), {"documents": records}, private=True)


def control_folder(folder: Path) -> Path:
    """Return the folder of a session that tells its control documents."""
    return Path(folder) / "control"


def _path(folder: Path) -> Path:
    return control_folder(folder) / "control.json"
