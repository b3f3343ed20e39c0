"""The network: a pretrained encoder, the word features that it lacks, and a tag classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..tagger.decoding import lawful_transitions
from ..tagger.words import begins_line
from .cased_vocabulary import SIGNS, Casing
from .encoder import encoder_layers
from .token_pruning import Skimmer, additive_mask, skimming_loss

READ_TOGETHER = 1024
"""Of a network that skims: pieces of about so many are read on in one row, whose attention grows
with the square of its length."""


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
        crf: whether it learns which tag follows which.
        by_line: whether each line is a sequence of its own.
        casing: what the entries of a cased vocabulary stand for; None if the encoder's own is used.
        skim: layers that read every piece, see :mod:`training.skimming`; None if all do.
        skim_sure: chance of being outside any mention from which a piece is not read on.
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
        crf: bool,
        by_line: bool,
        casing: Casing | None = None,
        skim: int | None = None,
        skim_sure: float = 1.0,
        dropout: float = 0.0,
        gazetteer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.get_input_embeddings().embedding_dim
        self.cased = CasedEmbedding(casing, width) if casing else None
        self.feature_count = features
        self.features = _zero_embedding(features, width) if word_features else None
        self.gazetteer = _zero_embedding(tags, width) if gazetteer else None
        self.gazetteer_dropout = gazetteer_dropout
        self.skimmer = None
        if skim is not None:
            hidden = encoder.config.hidden_size
            self.skimmer = Skimmer(layers=skim, width=hidden, tags=tags, sure=skim_sure)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(encoder.config.hidden_size, tags)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)
        self.chain = Chain(tags, by_line=by_line) if crf else None

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
            `logits`, *Shape:* (batch, pieces, tags), and with labels the mean `loss` of a word.
        """
        skimmed = None
        if self.skimmer is None:
            embedded = self._embed(input_ids, features)
            hidden = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask)[0]
            logits = self.classifier(self.dropout(hidden)).float()
        else:
            few = max(1, READ_TOGETHER // input_ids.shape[1])
            given = [torch.split(each, few) for each in (input_ids, attention_mask, features)]
            parts = [self.skim(*part) for part in zip(*given, strict=True)]
            skimmed = torch.cat([scores for scores, _, _ in parts])
            logits = torch.cat([self.read_on(*part) for part in parts])
        if labels is None:
            return {"logits": logits}
        if self.chain is None:
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        else:
            loss = self.chain(logits, labels, begins_line(self._shapes(features)))
        if skimmed is not None:
            loss = loss + skimming_loss(skimmed, labels, features)
        return {"loss": loss, "logits": logits}

    def skim(
        self, input_ids: Tensor, attention_mask: Tensor, features: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read pieces by the first layers of a network that skims; see :meth:`forward`.

        Returns:
            Their tags' scores, *Shape:* (batch, pieces, tags); what the other layers read, *Shape:*
            (batch, pieces, width); which pieces these read, *Shape:* (batch, pieces).
        """
        assert self.skimmer is not None
        hidden = self.encoder.embeddings(inputs_embeds=self._embed(input_ids, features))
        mask = additive_mask(attention_mask.unsqueeze(1))
        for layer in encoder_layers(self.encoder)[: self.skimmer.layers]:
            hidden = layer(hidden, mask)
        logits = self.skimmer(hidden)
        return logits, hidden, self.skimmer.choose(logits, attention_mask, features)

    def read_on(self, skimmed: Tensor, hidden: Tensor, chosen: Tensor) -> Tensor:
        """Score the chosen pieces of few windows by the other layers; all others stay as skimmed.

        The chosen pieces of all windows go through the layers as one row, so that there is no
        padding; each looks at those of its own window.

        Args:
            skimmed: the scores so far. *Shape:* (batch, pieces, tags).
            hidden: what the first layers made of the pieces. *Shape:* (batch, pieces, width).
            chosen: which are read on, at least one. *Shape:* (batch, pieces).

        Returns:
            *Shape:* (batch, pieces, tags).
        """
        assert self.skimmer is not None
        windows, places = chosen.nonzero(as_tuple=True)
        row = hidden[windows, places].unsqueeze(0)
        mask = additive_mask((windows.unsqueeze(1) == windows).unsqueeze(0))
        for layer in encoder_layers(self.encoder)[self.skimmer.layers :]:
            row = layer(row, mask)
        logits: Tensor = self.classifier(self.dropout(row[0])).float()
        return skimmed.index_put((windows, places), logits)

    def chain_scores(self) -> dict[str, Any]:
        """Return the learnt `transitions` and `starts` of :class:`training.tagging.TagDecoder`."""
        if self.chain is None:
            return {}
        return {
            "transitions": tuple(map(tuple, self.chain.transitions.tolist())),
            "starts": tuple(self.chain.starts.tolist()),
        }

    def _shapes(self, features: Tensor) -> Tensor:
        return torch.remainder(features, self.feature_count)

    def _embed(self, input_ids: Tensor, features: Tensor) -> Tensor:
        pieces = self.encoder.get_input_embeddings()
        embedded: Tensor = self.cased(input_ids, pieces) if self.cased else pieces(input_ids)
        shapes = self._shapes(features)
        if self.features is not None:
            embedded = embedded + self.features(shapes)
        if self.gazetteer is not None:
            known = torch.div(features - shapes, self.feature_count, rounding_mode="trunc")
            if self.training and self.gazetteer_dropout:
                kept = torch.rand(len(known), 1, device=known.device) >= self.gazetteer_dropout
                known = known * kept
            embedded = embedded + self.gazetteer(known)
        return embedded


class CasedEmbedding(nn.Module):
    """Embeds the entries of a cased vocabulary; see :mod:`training.casing`.

    Args:
        casing: what its entries stand for.
        width: of the encoder's embeddings.
    """

    base: Tensor
    signs: Tensor

    def __init__(self, casing: Casing, width: int) -> None:
        super().__init__()
        self.register_buffer("base", torch.as_tensor(casing.base))
        self.register_buffer("signs", torch.as_tensor(casing.signs))
        self.embedding = _zero_embedding(SIGNS, width)

    def forward(self, input_ids: Tensor, pieces: nn.Module) -> Tensor:
        """Return the sum of each piece's small form in `pieces`, and its sign."""
        embedded: Tensor = pieces(self.base[input_ids]) + self.embedding(self.signs[input_ids])
        return embedded

    @torch.no_grad()
    def table(self, pieces: nn.Module) -> Tensor:
        """Return what every entry is embedded as, *Shape:* (entries, width)."""
        return self.forward(torch.arange(len(self.base)), pieces)


class Chain(nn.Module):
    """The loss of a linear-chain conditional random field; see :class:`TagDecoder`.

    Args:
        tags: number of tags.
        by_line: whether a line break begins a new sequence.
    """

    forbidden: Tensor

    def __init__(self, tags: int, *, by_line: bool) -> None:
        super().__init__()
        self.by_line = by_line
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.starts = nn.Parameter(torch.zeros(tags))
        # A window may cut a span, and a tokenizer drop a word: gold may look unlawful.
        lawful, _ = lawful_transitions(tags)
        self.register_buffer("forbidden", torch.from_numpy(~lawful) * -1e4, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor, breaks: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of a word.

        Args:
            logits: *Shape:* (batch, pieces, tags).
            labels: tag indices, negative where no word is read off. *Shape:* (batch, pieces).
            breaks: whether a line break stands before the piece's word. *Shape:* (batch, pieces).
        """
        # Words move to the front of each row, in their order.
        read = labels >= 0
        count = read.sum(dim=1)
        order = torch.argsort((~read).int(), dim=1, stable=True)[:, : int(count.max())]
        emissions = logits.gather(1, order.unsqueeze(2).expand(-1, -1, logits.shape[2]))
        tags = labels.gather(1, order).clamp(min=0)
        fresh = breaks.gather(1, order) & self.by_line
        real = torch.arange(order.shape[1], device=labels.device) < count.unsqueeze(1)
        scores = self.transitions + self.forbidden
        every = self.starts + emissions[:, 0]
        gold = self.starts[tags[:, 0]] + _at(emissions[:, 0], tags[:, 0])
        for place in range(1, order.shape[1]):
            begun = fresh[:, place].unsqueeze(1)
            going = torch.logsumexp(every.unsqueeze(2) + scores, dim=1)
            anew = torch.logsumexp(every, dim=1, keepdim=True) + self.starts
            step = torch.where(begun, anew, going) + emissions[:, place]
            here, before = tags[:, place], tags[:, place - 1]
            arrive = torch.where(
                begun.squeeze(1), self.starts[here], self.transitions[before, here]
            )
            gain = arrive + _at(emissions[:, place], here)
            every = torch.where(real[:, place].unsqueeze(1), step, every)
            gold = gold + gain * real[:, place]
        loss: Tensor = (torch.logsumexp(every, dim=1) - gold).sum() / count.sum()
        return loss


def _at(scores: Tensor, tags: Tensor) -> Tensor:
    return scores.gather(1, tags.unsqueeze(1)).squeeze(1)


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
