"""Training of a length that the dev F1 decides: when it ends, and the learning rate until then.

The learning rate rises, stays, and falls to 0 once the dev F1 no longer rises: the schedule of
Hägele et al. 2024 (arXiv:2405.18392). Unlike a linear decay, it needs no length in advance, and
unlike a bare stop it gains what the decay gains.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..recipe import Recipe

_SHORTEST_INTERVAL = 50
"""Steps between two evaluations on dev, at least: on few documents, epochs are of a few steps."""
_LONGEST_INTERVAL = 1000
"""The same, at most."""
_PATIENCE_AT_ZERO = 5
"""Factor of the patience while the dev F1 is 0, where much may be learned before it shows."""
_DECAY_SHARE = 0.25
"""Steps in which the learning rate falls, as a share of those before."""


class AutoLength:
    """Learning rate and end of a training with `epochs = "auto"`.

    Everything follows from the dev scores so far, so that a resumed training ends as one that was
    not interrupted. An instance is the `lr_lambda` of a `LambdaLR`, which saves its attributes.

    Args:
        recipe: how to train.
        steps_per_epoch: optimizer steps in an epoch.

    Attributes:
        interval: steps between two evaluations on dev. Short epochs are evaluated together, long
            ones in parts.
        max_steps: the highest number of steps.
        decay_start: the step after which the learning rate falls; None while it is not known.
        found_plateau: whether the dev F1 had stopped to rise there.
    """

    def __init__(self, recipe: Recipe, steps_per_epoch: int) -> None:
        self.interval = _choose_interval(steps_per_epoch, recipe.max_steps)
        self.max_steps = recipe.max_steps
        self.decay_start: int | None = None
        self.found_plateau = False
        self._min_steps = recipe.min_steps
        self._patience = recipe.patience
        self._warmup_steps = recipe.warmup * max(recipe.min_steps, steps_per_epoch)

    @property
    def end(self) -> int:
        """The step after which training ends, as far as it is known now."""
        if self.decay_start is None:
            return self.max_steps
        return self.decay_start + self._decay_steps(self.decay_start)

    def update(self, scores: Iterable[tuple[int, float]]) -> None:
        """Decide from all dev scores so far whether the learning rate begins to fall.

        Args:
            scores: steps and the dev F1 after them, in order.
        """
        best_f1, best_step = 0.0, 0
        for step, f1 in scores:
            if f1 > best_f1:
                best_f1, best_step = f1, step
            waited = step - best_step
            patience = max(self._patience, 2 * self.interval)
            if best_f1 == 0:
                patience *= _PATIENCE_AT_ZERO
            if best_f1 == 1:
                patience = 0  # It cannot rise.
            plateau = step >= self._min_steps and waited >= patience
            following = step + self.interval
            if plateau or following + self._decay_steps(following) > self.max_steps:
                self.decay_start, self.found_plateau = step, plateau
                return

    def __call__(self, step: int) -> float:
        """Return the factor of the learning rate after a number of steps."""
        if step < self._warmup_steps:
            return step / self._warmup_steps
        if self.decay_start is None or step <= self.decay_start:
            return 1.0
        return max(0.0, (self.end - step) / (self.end - self.decay_start))

    def _decay_steps(self, start: int) -> int:
        """Return the steps of a decay, which ends with an evaluation."""
        return self.interval * math.ceil(_DECAY_SHARE * start / self.interval)


def _choose_interval(steps_per_epoch: int, max_steps: int) -> int:
    """Return the steps between two evaluations."""
    longest = min(_LONGEST_INTERVAL, max(1, max_steps // 4))
    if steps_per_epoch > longest:
        return math.ceil(steps_per_epoch / math.ceil(steps_per_epoch / longest))
    epochs = math.ceil(min(_SHORTEST_INTERVAL, longest) / steps_per_epoch)
    return min(longest, epochs * steps_per_epoch)
