"""Finished runs, and taggers that orbat did not train, as teachers of unlabeled articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ...corpus.labels import LabelSet
from ..base import TextTagger
from ..external.loading import is_external
from ..teachers import SPANS, hash_model, load_other_teacher, read_teacher
from ..transformer.device import Precision, autocast_dtype, training_device
from ..transformer.distillation import WindowTeacher
from ..transformer.model_folder import load_tagger
from .external import ExternalTeacher, default_store
from .scores import SCORES_FILE, ScoreStore
from .teachers import CutWindows, PoolTeachers, StoredTeacher


def find_pool_teachers(
    names: Sequence[str],
    labels: LabelSet,
    guidelines: str,
    held_out: set[str],
    load_run: Callable[[Path], TextTagger],
    cut: CutWindows,
    *,
    crf: bool,
    precision: Precision,
) -> PoolTeachers:
    """Return the teachers that a recipe names; the models of runs are loaded when they score.

    Args:
        names: run folders of any kind, names of taggers that orbat did not train, or
            :data:`..teachers.SPANS`.
        labels: the labels of the student.
        guidelines: what language models are told about them.
        held_out: SHA-256 of the texts on which no teacher may have been trained.
        load_run: loads a run that is not a transformer.
        cut: cuts texts into the windows of the student.
        crf: see :class:`..transformer.distillation.Teachers`.
        precision: the arithmetic of transformers.

    Raises:
        InputError: if a teacher has other labels or was trained on a held-out text.
        ModelError: if a run is unfinished or damaged, or a tagger cannot be loaded.
    """

    def find(name: str) -> StoredTeacher:
        return find_other(name) if is_external(name) else find_run(Path(name))

    def find_run(run: Path) -> StoredTeacher:
        manifest = read_teacher(run, labels.names, held_out)
        is_transformer = manifest["recipe"]["kind"] == "transformer"

        def load() -> TextTagger | WindowTeacher:
            if not is_transformer:
                return load_run(run)
            device, autocast = training_device(), autocast_dtype(precision)
            return WindowTeacher(load_tagger(run, device=device, autocast=autocast), crf=crf)

        scores = f"{'emissions' if crf else 'marginals'} {precision}"
        store = ScoreStore(run / SCORES_FILE)
        return StoredTeacher(f"{hash_model(run)} {scores}", store, load, by_window=is_transformer)

    def find_other(name: str) -> StoredTeacher:
        other = load_other_teacher(name, labels, guidelines, held_out)
        teacher = ExternalTeacher(name, other.tagger, other.label_map, labels)
        store = ScoreStore(default_store(other.fingerprint))
        return StoredTeacher(other.fingerprint, store, lambda: teacher, by_window=False)

    stored = [find(name) for name in names if name != SPANS]
    return PoolTeachers(stored, SPANS in names, labels.names, cut)
