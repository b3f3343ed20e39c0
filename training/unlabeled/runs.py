"""Finished runs as teachers of unlabeled articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..base import TextTagger
from ..teachers import SPANS, hash_model, read_teacher
from ..transformer.device import Precision, autocast_dtype, training_device
from ..transformer.distillation import WindowTeacher
from ..transformer.model_folder import load_tagger
from .scores import SCORES_FILE, ScoreStore
from .teachers import CutWindows, PoolTeachers, RunTeacher


def find_pool_teachers(
    names: Sequence[str],
    labels: tuple[str, ...],
    held_out: set[str],
    load_run: Callable[[Path], TextTagger],
    cut: CutWindows,
    *,
    crf: bool,
    precision: Precision,
) -> PoolTeachers:
    """Return the teachers that a recipe names; their models are loaded when they score.

    Args:
        names: run folders of any kind, or :data:`..teachers.SPANS`.
        labels: the labels of the student.
        held_out: SHA-256 of the texts on which no teacher may have been trained.
        load_run: loads a run that is not a transformer.
        cut: cuts texts into the windows of the student.
        crf: see :class:`..transformer.distillation.Teachers`.
        precision: the arithmetic of transformers.

    Raises:
        InputError: if a run has other labels or was trained on a held-out text.
        ModelError: if a run is unfinished or damaged.
    """

    def find(run: Path) -> RunTeacher:
        manifest = read_teacher(run, labels, held_out)

        def load() -> TextTagger | WindowTeacher:
            if manifest["recipe"]["kind"] != "transformer":
                return load_run(run)
            device, autocast = training_device(), autocast_dtype(precision)
            return WindowTeacher(load_tagger(run, device=device, autocast=autocast), crf=crf)

        scores = f"{'emissions' if crf else 'marginals'} {precision}"
        return RunTeacher(f"{hash_model(run)} {scores}", ScoreStore(run / SCORES_FILE), load)

    runs = [find(Path(name)) for name in names if name != SPANS]
    return PoolTeachers(runs, SPANS in names, labels, cut)
