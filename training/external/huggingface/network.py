"""A token classifier of transformers as a network with BIO tags as outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

_ABSENT = -1e4
"""Logit of a tag that the model does not have."""


class BioClassifier(nn.Module):
    """Reorders and merges the classes of a token classifier to BIO tags.

    A tag takes the largest logit of its classes, so the best tag is that of the best class.

    Args:
        model: the token classifier.
        classes: the classes of each tag; see :class:`LabelScheme`.
    """

    pruner = None
    """It prunes no tokens; see :class:`TokenClassifier`."""
    columns: Tensor

    def __init__(self, model: Any, classes: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.encoder = model
        absent, width = model.config.num_labels, max(map(len, classes))
        columns = [[*indices, *[absent] * (width - len(indices))] for indices in classes]
        self.register_buffer("columns", torch.tensor(columns), persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, features: Tensor
    ) -> dict[str, Tensor]:
        """Score BIO tags.

        Args:
            input_ids: *Shape:* (batch, pieces).
            attention_mask: *Shape:* (batch, pieces).
            features: not used. *Shape:* (batch, pieces).

        Returns:
            `logits`, *Shape:* (batch, pieces, tags).
        """
        logits: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).logits
        absent = torch.full_like(logits[..., :1], _ABSENT)
        chosen = torch.cat([logits, absent], dim=-1)[..., self.columns]
        return {"logits": chosen.amax(dim=-1)}
