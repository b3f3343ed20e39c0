"""The training loss of a linear-chain conditional random field."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...tagger.decoding import allowed_transitions


class CRF(nn.Module):
    """A linear-chain conditional random field over the tags of words.

    Lafferty, McCallum and Pereira 2001. This module computes the loss;
    :class:`~orbat.training.tagger.decoding.TagDecoder` decodes.

    Args:
        tags: number of tags.
        by_line: whether a line break starts a new sequence.
    """

    forbidden: Tensor

    def __init__(self, tags: int, *, by_line: bool) -> None:
        super().__init__()
        self.by_line = by_line
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start_transitions = nn.Parameter(torch.zeros(tags))
        # Forbidden transitions get a penalty instead of -inf: a window may cut a gold mention and a
        # tokenizer may drop a word, so gold tags may break the constraints.
        allowed, _ = allowed_transitions(tags)
        self.register_buffer("forbidden", torch.from_numpy(~allowed) * -1e4, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor, line_starts: Tensor) -> Tensor:
        """Return the negative log-likelihood of the gold tags, divided by the number of words.

        Args:
            logits: emission scores. *Shape:* (batch, pieces, tags).
            labels: tag indices; negative where no word is scored. *Shape:* (batch, pieces).
            line_starts: whether a line break precedes the piece's word. *Shape:* (batch, pieces).

        Returns:
            *Shape:* ().
        """
        # Pieces with a word move to the front of each row, in order.
        has_word = labels >= 0
        count = has_word.sum(dim=1)
        order = torch.argsort((~has_word).int(), dim=1, stable=True)[:, : int(count.max())]
        emissions = logits.gather(1, order.unsqueeze(2).expand(-1, -1, logits.shape[2]))
        tags = labels.gather(1, order).clamp(min=0)
        restarts = line_starts.gather(1, order) & self.by_line
        real = torch.arange(order.shape[1], device=labels.device) < count.unsqueeze(1)
        transitions = self.transitions + self.forbidden
        # The log-sum-exp of the scores of all paths by last tag, and the score of the gold path.
        alpha = self.start_transitions + emissions[:, 0]
        gold = self.start_transitions[tags[:, 0]] + _select(emissions[:, 0], tags[:, 0])
        for index in range(1, order.shape[1]):
            restart = restarts[:, index].unsqueeze(1)
            continued = torch.logsumexp(alpha.unsqueeze(2) + transitions, dim=1)
            restarted = torch.logsumexp(alpha, dim=1, keepdim=True) + self.start_transitions
            step = torch.where(restart, restarted, continued) + emissions[:, index]
            tag, previous = tags[:, index], tags[:, index - 1]
            arrival = torch.where(
                restart.squeeze(1), self.start_transitions[tag], self.transitions[previous, tag]
            )
            gain = arrival + _select(emissions[:, index], tag)
            alpha = torch.where(real[:, index].unsqueeze(1), step, alpha)
            gold = gold + gain * real[:, index]
        loss: Tensor = (torch.logsumexp(alpha, dim=1) - gold).sum() / count.sum()
        # Distributed training requires a gradient even if no window has two words.
        return loss + self.transitions.sum() * 0


def _select(scores: Tensor, tags: Tensor) -> Tensor:
    """Return one score a row, *Shape:* (batch,).

    Args:
        scores: *Shape:* (batch, tags).
        tags: *Shape:* (batch,).
    """
    return scores.gather(1, tags.unsqueeze(1)).squeeze(1)
