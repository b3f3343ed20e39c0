"""The network: a pretrained encoder, the word features that it lacks, and a tag classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class TokenClassifier(nn.Module):
    """Scores the BIO tags of every piece.

    Word features are embedded and added to the encoder's own piece embeddings, so that any
    encoder that takes `inputs_embeds` can be used unchanged. Their embedding starts at zero:
    before the first step the encoder sees what it was pretrained on. So are the tags that known
    phrases give a word; in training whole windows are left without them, so that the network does
    not come to trust them blindly.

    Args:
        encoder: a transformers model without head.
        tags: number of classes.
        features: number of word features.
        word_features: whether they are used.
        gazetteer: whether the tags of known phrases are used.
        dropout: before the classifier.
        gazetteer_dropout: share of the windows that are left without known phrases in training.
    """

    def __init__(
        self,
        encoder: Any,
        *,
        tags: int,
        features: int,
        word_features: bool,
        gazetteer: bool,
        dropout: float = 0.0,
        gazetteer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.get_input_embeddings().embedding_dim
        self.feature_count = features
        self.features = _zero_embedding(features, width) if word_features else None
        self.gazetteer = _zero_embedding(tags, width) if gazetteer else None
        self.gazetteer_dropout = gazetteer_dropout
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(encoder.config.hidden_size, tags)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        features: Tensor,
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Score pieces.

        Args:
            input_ids: *Shape:* (batch, pieces).
            attention_mask: 1 for pieces, 0 for padding. *Shape:* (batch, pieces).
            features: word feature ids, plus the number of word features times the tag that known
                phrases give. *Shape:* (batch, pieces).
            labels: tag indices, -100 where none is asked for. *Shape:* (batch, pieces).

        Returns:
            `logits`, *Shape:* (batch, pieces, tags), and with labels the mean cross-entropy `loss`.
        """
        embedded = self.encoder.get_input_embeddings()(input_ids)
        shapes = torch.remainder(features, self.feature_count)
        if self.features is not None:
            embedded = embedded + self.features(shapes)
        if self.gazetteer is not None:
            known = torch.div(features - shapes, self.feature_count, rounding_mode="trunc")
            if self.training and self.gazetteer_dropout:
                kept = torch.rand(len(known), 1, device=known.device) >= self.gazetteer_dropout
                known = known * kept
            embedded = embedded + self.gazetteer(known)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask)[0]
        logits = self.classifier(self.dropout(hidden)).float()
        if labels is None:
            return {"logits": logits}
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return {"loss": loss, "logits": logits}


def _zero_embedding(count: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(count, width)
    nn.init.zeros_(embedding.weight)
    return embedding


def bf16_is_fast() -> bool:
    """Whether this machine has bf16 arithmetic: a GPU's, or a CPU's AVX512-BF16 or AMX."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
