"""Skimming: the first layers read every piece, those above only what may be of a mention.

Most of a text is surely outside any mention, and one layer can tell. The pieces that are left, with
a few around them, go through the other layers among themselves: they have taken up their context
below. Which pieces go on is decided alike in training and in use, so that the layers above learn
from just what they will see (after Kim et al. 2022, Learned Token Pruning, arXiv:2107.00910).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .dataset import IGNORED

NEIGHBOURS = 1
"""Pieces on each side of one that may be of a mention which are read on with it."""


class Skimmer(nn.Module):
    """Tells after the first layers what each piece is, and which are read on.

    Args:
        layers: the first layers, which read every piece.
        width: of the encoder.
        tags: number of classes, the first of them outside any mention.
        sure: chance of being outside from which a piece is not read on.
    """

    def __init__(self, *, layers: int, width: int, tags: int, sure: float) -> None:
        super().__init__()
        self.layers = layers
        self.sure = sure
        self.classifier = nn.Linear(width, tags)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Score the tags of skimmed pieces, *Shape:* (batch, pieces, tags)."""
        logits: Tensor = self.classifier(hidden).float()
        return logits

    @torch.no_grad()
    def choose(self, logits: Tensor, attention_mask: Tensor, features: Tensor) -> Tensor:
        """Return which pieces are read on.

        Args:
            logits: see :meth:`forward`. *Shape:* (batch, pieces, tags).
            attention_mask: 1 for pieces, 0 for padding. *Shape:* (batch, pieces).
            features: word feature ids, 0 for special tokens and padding. *Shape:* (batch, pieces).

        Returns:
            *Shape:* (batch, pieces). Special tokens go with the pieces of their window, if any. The
            very first piece always does: the other layers need something to read.
        """
        given = attention_mask > 0
        words = given & (features > 0)
        found = words & (logits.softmax(dim=2)[:, :, 0] < self.sure)
        span = 2 * NEIGHBOURS + 1
        near = nn.functional.max_pool1d(found.float().unsqueeze(1), span, 1, NEIGHBOURS) > 0
        chosen: Tensor = near.squeeze(1) & words
        chosen = chosen | (given & ~words & chosen.any(dim=1, keepdim=True))
        rows, columns = (torch.arange(size, device=given.device) for size in given.shape)
        return chosen | (rows.unsqueeze(1) + columns == 0)


def skimming_loss(logits: Tensor, labels: Tensor, features: Tensor) -> Tensor:
    """Return the cross-entropy of skimmed pieces, each of them labelled as its word is.

    Args:
        logits: *Shape:* (batch, pieces, tags).
        labels: tag indices at the pieces where words are read off, else negative. *Shape:* (batch,
            pieces).
        features: word feature ids, 0 for special tokens and padding. *Shape:* (batch, pieces).
    """
    places = torch.arange(labels.shape[1], device=labels.device)
    last = torch.where(labels >= 0, places, -1).cummax(dim=1).values
    spread = labels.gather(1, last.clamp(min=0))
    # The further pieces of a word that begins a span are inside it.
    spread = torch.where((labels < 0) & (spread % 2 == 1), spread + 1, spread)
    spread = torch.where((last >= 0) & ((features > 0) | (labels >= 0)), spread, IGNORED)
    return nn.functional.cross_entropy(logits.flatten(0, 1), spread.flatten())


def additive_mask(mask: Tensor) -> Tensor:
    """Return what is added to attention's scores, *Shape:* (batch, 1, pieces or 1, pieces).

    Args:
        mask: which pieces each looks at, or all alike. *Shape:* (batch, pieces or 1, pieces).
    """
    hidden = (mask == 0).to(torch.float32).unsqueeze(1)
    return hidden * torch.finfo(torch.float32).min
