"""Token pruning: upper layers process only the pieces that may belong to a mention.

Most pieces are outside all mentions, and a single layer suffices to recognize them. So the lower
layers of the encoder process every piece, and a classifier on top of them scores the tags. A piece
that is outside with a probability of at least the threshold keeps these scores. The other pieces,
their neighbors and the special tokens of their window go through the upper layers and attend to
each other only; their hidden states already contain context from the lower layers. Training and
inference select pieces by the same rule, so the upper layers are trained on the inputs of
inference.

After Kim et al. 2022, Learned Token Pruning for Transformers, arXiv:2107.00910, which prunes by
attention scores instead of by tags.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..dataset import IGNORE_INDEX

NEIGHBORS = 2
"""Pieces kept on each side of a piece that may belong to a mention."""
LOSS_WEIGHT = 0.05
"""Weight of :func:`pruning_loss` beside the loss of the final tags, as the lower layers serve both.
With a weight of 1, strict F1 was lower (evaluation/benchmarks/training.md)."""
_MASKED = -50.0
"""Added to the attention scores of pieces that are not attended to. If the scores of a piece differ
by less than 35, their weights are below 1e-6 of the others, but still normal numbers: weights below
1e-38 are subnormal, and the softmax takes ten times as long."""


class TokenPruner(nn.Module):
    """Scores pieces after the lower layers, and selects those that the upper layers process.

    Args:
        layers: number of lower layers, which process every piece.
        width: width of the encoder.
        tags: number of tags, the first of them O.
        threshold: prune a piece when its probability of O is at least this.
    """

    def __init__(self, *, layers: int, width: int, tags: int, threshold: float) -> None:
        super().__init__()
        self.layers = layers
        self.threshold = threshold
        self.classifier = nn.Linear(width, tags)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Score the tags of pieces.

        Args:
            hidden: output of the lower layers. *Shape:* (batch, pieces, width).

        Returns:
            *Shape:* (batch, pieces, tags).
        """
        logits: Tensor = self.classifier(hidden).float()
        return logits

    @torch.no_grad()
    def select(self, logits: Tensor, attention_mask: Tensor, features: Tensor) -> Tensor:
        """Return whether the upper layers process a piece.

        Special tokens are kept if any piece of their window is. The first piece of the batch is
        always kept, as the upper layers need at least one piece.

        Args:
            logits: see :meth:`forward`. *Shape:* (batch, pieces, tags).
            attention_mask: 1 for pieces, 0 for padding. *Shape:* (batch, pieces).
            features: word feature ids, 0 for special tokens and padding. *Shape:* (batch, pieces).

        Returns:
            *Shape:* (batch, pieces).
        """
        real = attention_mask > 0
        in_word = real & (features > 0)
        uncertain = in_word & (logits.softmax(dim=2)[:, :, 0] < self.threshold)
        span = 2 * NEIGHBORS + 1
        near = nn.functional.max_pool1d(uncertain.float().unsqueeze(1), span, 1, NEIGHBORS) > 0
        kept: Tensor = near.squeeze(1) & in_word
        kept = kept | (real & ~in_word & kept.any(dim=1, keepdim=True))
        rows, columns = (torch.arange(size, device=real.device) for size in real.shape)
        return kept | (rows.unsqueeze(1) + columns == 0)


def pruning_loss(logits: Tensor, labels: Tensor, features: Tensor) -> Tensor:
    """Return the mean cross-entropy of the pruner's scores; all pieces of a word have its label.

    Args:
        logits: *Shape:* (batch, pieces, tags).
        labels: tag indices at the first pieces of words, elsewhere negative. *Shape:* (batch,
            pieces).
        features: word feature ids, 0 for special tokens and padding. *Shape:* (batch, pieces).

    Returns:
        *Shape:* ().
    """
    indices = torch.arange(labels.shape[1], device=labels.device)
    first_pieces = torch.where(labels >= 0, indices, -1).cummax(dim=1).values
    spread = labels.gather(1, first_pieces.clamp(min=0))
    # The further pieces of a word with a B- tag get the I- tag.
    spread = torch.where((labels < 0) & (spread % 2 == 1), spread + 1, spread)
    has_word = (first_pieces >= 0) & ((features > 0) | (labels >= 0))
    spread = torch.where(has_word, spread, IGNORE_INDEX)
    return nn.functional.cross_entropy(logits.flatten(0, 1), spread.flatten())


def additive_mask(mask: Tensor) -> Tensor:
    """Return the mask to add to attention scores, *Shape:* (batch, 1, pieces or 1, pieces).

    Args:
        mask: nonzero where a piece (second axis) may attend to a piece (third axis). The second
            axis has length 1 if that is the same for all. *Shape:* (batch, pieces or 1, pieces).
    """
    hidden = (mask == 0).to(torch.float32).unsqueeze(1)
    return hidden * _MASKED
