"""Learning from trained models beside the gold: knowledge distillation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from corpus.errors import InputError
from training.run import load_network, read_manifest
from training.tagging import TaggerConfig
from training.windows import IGNORED

_ALIKE = ("labels", "features", "gazetteer", "prefix", "suffix")


class Teachers:
    """Trained runs whose odds a network learns beside the gold tags (Hinton et al. 2015).

    The mean of several seeds' scores is better than each; what they are unsure of tells the
    network more than the gold tag alone.

    Args:
        runs: finished run folders.
        config: of the network that learns.
        tokenizer: its `tokenizers.Tokenizer`.
        held_out: SHA-256 of the texts that no teacher may have been trained on.

    Raises:
        InputError: if a run cannot be used, reads texts in another way or has been trained on a
            text that is held out.
    """

    def __init__(
        self, runs: Sequence[Path], config: TaggerConfig, tokenizer: Any, held_out: set[str]
    ) -> None:
        self._networks = []
        for run in runs:
            network, theirs = load_network(run)
            path = run / "model" / "tokenizer.json"
            unlike = [name for name in _ALIKE if getattr(theirs, name) != getattr(config, name)]
            if path.read_text(encoding="utf-8") != tokenizer.to_str(pretty=True):
                unlike.append("tokenizer")
            if unlike:
                raise InputError(
                    f"teacher {run}: another {unlike[0]} than the recipe's; train it with the same "
                    "encoder, label set and features"
                )
            taught = {entry["sha256"] for entry in read_manifest(run)["documents"]["train"]}
            if taught & held_out:
                raise InputError(
                    f"teacher {run}: was trained on {len(taught & held_out)} of the dev documents; "
                    "name a teacher that was not"
                )
            self._networks.append(network.requires_grad_(False))

    def loss(self, inputs: Mapping[str, Tensor], logits: Tensor) -> Tensor:
        """Return how far a batch's odds are from the teachers', averaged over its words.

        The Kullback-Leibler divergence of the tags' odds, word by word.

        Args:
            inputs: the batch; see :meth:`training.network.TokenClassifier.forward`.
            logits: the network's, *Shape:* (batch, pieces, tags).
        """
        given = (inputs["input_ids"], inputs["attention_mask"], inputs["features"])
        read = inputs["labels"] != IGNORED
        with torch.no_grad():
            scores = [network.to(logits.device)(*given)["logits"] for network in self._networks]
            wanted = torch.stack(scores).mean(dim=0)[read].log_softmax(dim=1)
        found = logits[read].log_softmax(dim=1)
        return nn.functional.kl_div(found, wanted, log_target=True, reduction="batchmean")
