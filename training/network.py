"""The network: a pretrained encoder, the word features that it lacks, and a tag classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class TokenClassifier(nn.Module):
    """Scores the BIO tags of every piece.

    Word features are embedded and added to the encoder's own piece embeddings, so that any
    encoder that takes `inputs_embeds` can be used unchanged. Their embedding starts at zero:
    before the first step the encoder sees what it was pretrained on.

    Args:
        encoder: a transformers model without head.
        tags: number of classes.
        features: number of word features; 0 for none.
        dropout: before the classifier.
    """

    def __init__(self, encoder: Any, *, tags: int, features: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.get_input_embeddings().embedding_dim
        self.features = nn.Embedding(features, width) if features else None
        if self.features is not None:
            nn.init.zeros_(self.features.weight)
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
            features: word feature ids. *Shape:* (batch, pieces).
            labels: tag indices, -100 where none is asked for. *Shape:* (batch, pieces).

        Returns:
            `logits`, *Shape:* (batch, pieces, tags), and with labels the mean cross-entropy `loss`.
        """
        embedded = self.encoder.get_input_embeddings()(input_ids)
        if self.features is not None:
            embedded = embedded + self.features(features)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask)[0]
        logits = self.classifier(self.dropout(hidden)).float()
        if labels is None:
            return {"logits": logits}
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return {"loss": loss, "logits": logits}


def bf16_is_fast() -> bool:
    """Whether this machine has bf16 arithmetic: a GPU's, or a CPU's AVX512-BF16 or AMX."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
