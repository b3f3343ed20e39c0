"""The run folder: what training writes, and reading it.

RUN/manifest.json   recipe, labels, seed, versions, hashes of every input and article
RUN/sha256.json     the hash of each file of manifest, metrics, data, model and values
RUN/metrics.json    scores on the dev documents: by epoch, and of the model that was kept
RUN/data/           the documents: train.jsonl, dev.jsonl
RUN/model/          the model; its files depend on the recipe's kind
RUN/values.json     the value tables of the gazetteer
RUN/evaluations/    results of `orbat evaluate`, one file for each gold file
RUN/teacher/        the run that taught it on unlabeled articles, if the recipe names no teachers
RUN/scores.sqlite   what it answered as a teacher of unlabeled articles
RUN/tensorboard/    losses and scores, with the tracker tensorboard
RUN/checkpoints/    only while training is unfinished
RUN/training.log    what happened when: beginnings, epochs, warnings and the end; nothing reads it

A file that has a hash is read only after :func:`check_files` has compared it with its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ..corpus.document import Document
from ..corpus.files import read_documents, sha256_file, sha256_text, write_json, write_text
from ..corpus.json_values import encode_json
from ..corpus.labels import LabelSet
from ..corpus.reading.bounded import MAX_FILE_BYTES
from ..corpus.reading.json_files import read_json_file, read_json_object
from ..errors import InputError, ModelError, first_error

RUN_FORMAT = 6
"""Version of the run folder. Folders of other versions are refused."""
MANIFEST_FILE = "manifest.json"
"""The manifest, in run folders, sweep folders and packaged models."""
HASHES_FILE = "sha256.json"
"""The SHA-256 of each file of a run, by its path in the run folder."""
METRICS_FILE = "metrics.json"
"""The scores on the dev documents."""
DATA_FOLDER = "data"
"""Folder of a run with its documents."""
MODEL_FOLDER = "model"
"""Folder of a run with its model."""
GAZETTEER_FILE = "gazetteer.json"
"""The phrases and patterns of the gazetteer, in model folders."""
CHECKPOINTS_FOLDER = "checkpoints"
"""Folder of an unfinished run of a transformer with the state after its epochs."""
LOG_FILE = "training.log"
"""What happened when, in lines for people."""
VALUES_FILE = "values.json"
"""The value tables, in run folders and packaged models."""
TEACHER_FOLDER = "teacher"
"""Folder of a run with its own teacher, another run."""
EVALUATIONS_FOLDER = "evaluations"
"""Folder of a run with the results of `orbat evaluate`."""
_HASHED = (METRICS_FILE, VALUES_FILE, DATA_FOLDER, MODEL_FOLDER)
"""What is hashed beside the manifest. Evaluations, answers and the teacher are added or are runs
of their own."""
_MEND = "restore the original file or train again"


class _Entry(BaseModel):
    """A document in a manifest."""

    id: str
    sha256: str


class _Manifest(BaseModel):
    """The parts of a manifest that are read; others may have written it with its hash."""

    recipe: dict[str, Any]
    labels: LabelSet
    documents: dict[str, list[_Entry]]
    code: dict[str, str | None] = {}


def finish_run(run: Path, manifest: Mapping[str, Any]) -> None:
    """Write the hashes of a run's files, and then its manifest, by which the run is finished.

    Args:
        run: the run folder with all its other files.
        manifest: the manifest, with the status `finished`.
    """
    text = encode_json(manifest, indent=2) + "\n"
    hashes = {MANIFEST_FILE: sha256_text(text)}
    for part in _HASHED:
        hashes |= {path: sha256_file(run / path) for path in _list_files(run, part)}
    write_json(run / HASHES_FILE, hashes)
    write_text(run / MANIFEST_FILE, text)


def read_hashes(run: Path) -> dict[str, str]:
    """Return the SHA-256 of each hashed file of a run, by its path in the run folder.

    Raises:
        ModelError: if they are missing or broken.
    """
    path = run / HASHES_FILE
    value = read_json(path)
    if not isinstance(value, dict) or not all(map(_is_inside, value)):
        raise ModelError(f"{path}: missing or broken; {_MEND}")
    return value


def check_files(run: Path, part: str) -> Path:
    """Check that a file or folder of a finished run is as training wrote it.

    A hash finds damage and mistakes. It does not say who wrote the run: whoever can change a file
    can change its hash as well.

    Args:
        run: the run folder.
        part: a path in it, such as `values.json` or `model`.

    Returns:
        The path of the part.

    Raises:
        ModelError: naming the first file that is missing, changed or not of the run.
    """
    run = Path(run)
    expected = {
        name: digest
        for name, digest in read_hashes(run).items()
        if part in (name, *map(str, PurePosixPath(name).parents))
    }
    if not expected:
        raise ModelError(f"{run / HASHES_FILE}: has no hash of {part}; {_MEND}")
    for name, digest in expected.items():
        path = run / name
        if not path.is_file():
            raise ModelError(f"{path}: is missing; {_MEND}")
        if sha256_file(path) != digest:
            raise ModelError(f"{path}: was changed after training; {_MEND}")
    for name in _list_files(run, part):
        if name not in expected:
            raise ModelError(f"{run / name}: is not a file of this run; remove it")
    return run / part


def _list_files(run: Path, part: str) -> list[str]:
    """Return the paths of a part's files in the run folder, sorted; [] if there are none.

    Hidden files are not of the run: systems and network drives leave some, such as `.DS_Store`.
    """
    path = run / part
    files = path.rglob("[!.]*") if path.is_dir() else [path]
    return sorted(file.relative_to(run).as_posix() for file in files if file.is_file())


def _is_inside(name: str) -> bool:
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


def read_manifest(run: Path) -> dict[str, Any]:
    """Return the manifest of a finished run.

    Raises:
        ModelError: if the folder is not a run, its format is of another version, its training
            is unfinished, or the manifest was changed after training or is no manifest.
    """
    run = Path(run)
    path = run / MANIFEST_FILE
    try:
        manifest = read_json_file(path, MAX_FILE_BYTES)
    except InputError as error:
        if path.is_file() and (run / HASHES_FILE).is_file():
            check_files(run, MANIFEST_FILE)
        raise ModelError(
            f"{run}: not a run folder (no readable {MANIFEST_FILE}); "
            "name the --output of orbat train"
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != RUN_FORMAT:
        raise ModelError(f"{path}: written by another version of orbat; train again")
    if manifest.get("status") != "finished":
        fix = "resume with orbat train --resume"
        if kept := read_kept_epochs(run):
            fix += f", or keep the best of its {kept.epochs:g} epochs with --finish"
        raise ModelError(f"{run}: its training has not finished; {fix}")
    check_files(run, MANIFEST_FILE)
    try:
        _Manifest.model_validate(manifest)
    except ValidationError as error:
        raise ModelError(f"{path}: {first_error(error)}; {_MEND}") from error
    return manifest


def run_documents(run: Path, part: str) -> list[Document]:
    """Return the documents of a run.

    Args:
        run: the run folder.
        part: `train` or `dev`.

    Raises:
        ModelError: as :func:`read_manifest`, and if the file is missing or was changed.
    """
    run = Path(run)
    read_manifest(run)
    return list(read_documents(check_files(run, f"{DATA_FOLDER}/{part}.jsonl")))


class KeptEpochs(NamedTuple):
    """What an unfinished run keeps.

    Attributes:
        epochs: the number of finished epochs.
        best_f1: the F1 of the best of them on the dev documents.
    """

    epochs: float
    best_f1: float


def read_kept_epochs(run: Path) -> KeptEpochs | None:
    """Return what the checkpoints of an unfinished run keep; None for none."""
    states = []
    for path in (Path(run) / CHECKPOINTS_FOLDER).glob(f"checkpoint-*/{HASHES_FILE}"):
        with suppress(InputError, KeyError, TypeError, ValueError):
            state = read_json_object(path.with_name("trainer_state.json"))
            states.append(KeptEpochs(round(state["epoch"], 2), float(state["best_metric"])))
    return max(states, default=None)


def append_log(run: Path, line: str) -> None:
    """Add a line with the time to the log of a run."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    with (run / LOG_FILE).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{time} {line}\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        ModelError: if it is missing or broken.
    """
    try:
        return read_json_file(path)
    except InputError as error:
        raise ModelError(f"{path}: missing or broken; train again") from error
