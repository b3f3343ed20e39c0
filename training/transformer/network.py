"""The network: a pretrained encoder, extra input features and a tag classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..tagger.words import starts_line
from .encoder import encoder_layers
from .layers.cased_vocabulary import CasedEmbedding, CasedVocabulary
from .layers.crf import CRF
from .layers.token_pruning import LOSS_WEIGHT, TokenPruner, additive_mask, pruning_loss

PIECES_PER_ROW = 1024
"""With token pruning: pieces of a batch whose kept pieces go through the upper layers together. The
cost of attention grows with the square of their number."""


class TokenClassifier(nn.Module):
    """Scores the BIO tags of every piece.

    Word features and gazetteer tags are embedded and added to the encoder's piece embeddings, so
    any encoder that takes `inputs_embeds` can be used unchanged. These embeddings start at zero, so
    that training starts from the pretrained encoder. In training, some windows are shown without
    gazetteer tags, so that the network does not rely on them alone.

    Args:
        encoder: a transformers model without head.
        tags: number of tags.
        features: number of word feature ids.
        word_features: whether to use word features.
        gazetteer: whether to use gazetteer tags.
        crf: whether to learn transitions between tags; see :mod:`.layers.crf`.
        by_line: whether each line is a sequence of its own.
        cased_vocabulary: composition of a cased vocabulary; None for the encoder's own vocabulary.
        prune_after_layer: number of layers that process every piece; None for no token pruning.
            See :mod:`.layers.token_pruning`.
        prune_threshold: prune a piece when its probability of O is at least this.
        dropout: dropout before the classifier.
        gazetteer_dropout: share of the training windows without gazetteer tags.
    """

    def __init__(
        self,
        encoder: Any,
        *,
        tags: int,
        features: int,
        word_features: bool,
        gazetteer: bool,
        crf: bool,
        by_line: bool,
        cased_vocabulary: CasedVocabulary | None = None,
        prune_after_layer: int | None = None,
        prune_threshold: float = 1.0,
        dropout: float = 0.0,
        gazetteer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.get_input_embeddings().embedding_dim
        self.cased_embedding = CasedEmbedding(cased_vocabulary, width) if cased_vocabulary else None
        self.feature_count = features
        self.word_features = _zero_embedding(features, width) if word_features else None
        self.gazetteer = _zero_embedding(tags, width) if gazetteer else None
        self.gazetteer_dropout = gazetteer_dropout
        hidden_size = encoder.config.hidden_size
        self.pruner = None
        if prune_after_layer is not None:
            self.pruner = TokenPruner(
                layers=prune_after_layer, width=hidden_size, tags=tags, threshold=prune_threshold
            )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, tags)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)
        self.crf = CRF(tags, by_line=by_line) if crf else None

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        features: Tensor,
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Score pieces, and compute the loss if there are labels.

        Args:
            input_ids: *Shape:* (batch, pieces).
            attention_mask: 1 for pieces, 0 for padding. *Shape:* (batch, pieces).
            features: word feature ids, plus the number of word features times the gazetteer tag.
                *Shape:* (batch, pieces).
            labels: tag indices; -100 where no word is scored. Windows without any label, which are
                those of unlabeled articles, do not contribute to the loss. *Shape:* (batch,
                pieces).

        Returns:
            `logits`, *Shape:* (batch, pieces, tags), and with labels `loss`, the mean over words.
        """
        lower_logits = None
        if self.pruner is None:
            embedded = self._embed(input_ids, features)
            hidden = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask)[0]
            logits = self.classifier(self.dropout(hidden)).float()
        else:
            windows = max(1, PIECES_PER_ROW // input_ids.shape[1])
            inputs = (torch.split(t, windows) for t in (input_ids, attention_mask, features))
            parts = [self.run_lower_layers(*part) for part in zip(*inputs, strict=True)]
            lower_logits = torch.cat([part_logits for part_logits, _, _ in parts])
            logits = torch.cat([self.run_upper_layers(*part) for part in parts])
        if labels is None:
            return {"logits": logits}
        labeled = (labels >= 0).any(dim=1)
        if not labeled.any():
            # All parameters take part, as distributed training requires.
            sums = [weights.sum() for weights in self.parameters() if weights.requires_grad]
            return {"loss": torch.stack(sums).sum() * 0, "logits": logits}
        scores, labels, features = logits[labeled], labels[labeled], features[labeled]
        if self.crf is None:
            loss = nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten())
        else:
            loss = self.crf(scores, labels, starts_line(self._word_feature_ids(features)))
        if lower_logits is not None:
            loss = loss + LOSS_WEIGHT * pruning_loss(lower_logits[labeled], labels, features)
        return {"loss": loss, "logits": logits}

    def run_lower_layers(
        self, input_ids: Tensor, attention_mask: Tensor, features: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the layers that process every piece, and select pieces for the upper ones.

        For networks with token pruning only. The arguments are those of :meth:`forward`.

        Returns:
            The logits of all pieces, *Shape:* (batch, pieces, tags); the hidden states, *Shape:*
            (batch, pieces, width); and which pieces are kept, *Shape:* (batch, pieces).
        """
        assert self.pruner is not None
        hidden = self.encoder.embeddings(inputs_embeds=self._embed(input_ids, features))
        mask = additive_mask(attention_mask.unsqueeze(1))
        for layer in encoder_layers(self.encoder)[: self.pruner.layers]:
            hidden = layer(hidden, mask)
        logits = self.pruner(hidden)
        return logits, hidden, self.pruner.select(logits, attention_mask, features)

    def run_upper_layers(self, logits: Tensor, hidden: Tensor, kept: Tensor) -> Tensor:
        """Score the kept pieces of a few windows by the upper layers; others keep their logits.

        For networks with token pruning only. The kept pieces of all windows form one row, so that
        there is no padding; each attends to those of its own window.

        Args:
            logits: of the lower layers. *Shape:* (batch, pieces, tags).
            hidden: hidden states of the lower layers. *Shape:* (batch, pieces, width).
            kept: which pieces the upper layers process, at least one. *Shape:* (batch, pieces).

        Returns:
            *Shape:* (batch, pieces, tags).
        """
        assert self.pruner is not None
        windows, positions = kept.nonzero(as_tuple=True)
        row = hidden[windows, positions].unsqueeze(0)
        mask = additive_mask((windows.unsqueeze(1) == windows).unsqueeze(0))
        for layer in encoder_layers(self.encoder)[self.pruner.layers :]:
            row = layer(row, mask)
        upper_logits: Tensor = self.classifier(self.dropout(row[0])).float()
        return logits.index_put((windows, positions), upper_logits)

    def crf_parameters(self) -> dict[str, Any]:
        """Return the fields of :class:`TaggerConfig` that the CRF has learned; {} without one."""
        if self.crf is None:
            return {}
        return {
            "transitions": tuple(map(tuple, self.crf.transitions.tolist())),
            "start_transitions": tuple(self.crf.start_transitions.tolist()),
        }

    def _word_feature_ids(self, features: Tensor) -> Tensor:
        return torch.remainder(features, self.feature_count)

    def _embed(self, input_ids: Tensor, features: Tensor) -> Tensor:
        """Return the encoder's input, *Shape:* (batch, pieces, width)."""
        pieces = self.encoder.get_input_embeddings()
        embedded: Tensor = (
            self.cased_embedding(input_ids, pieces) if self.cased_embedding else pieces(input_ids)
        )
        word_features = self._word_feature_ids(features)
        if self.word_features is not None:
            embedded = embedded + self.word_features(word_features)
        if self.gazetteer is not None:
            tags = torch.div(features - word_features, self.feature_count, rounding_mode="trunc")
            if self.training and self.gazetteer_dropout:
                kept = torch.rand(len(tags), 1, device=tags.device) >= self.gazetteer_dropout
                tags = tags * kept
            embedded = embedded + self.gazetteer(tags)
        return embedded


def _zero_embedding(count: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(count, width)
    nn.init.zeros_(embedding.weight)
    return embedding
