"""Token pruning: upper layers process only the pieces that may belong to a mention."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from orbat.corpus.files import read_documents
from orbat.models.onnx import quantization
from orbat.models.onnx.export import export_onnx
from orbat.training.transformer.layers.token_pruning import TokenPruner, pruning_loss
from orbat.training.transformer.network import TokenClassifier
from tests.conftest import Orbat
from tests.training.test_training import settings, tiny_data, tiny_encoder

pytestmark = pytest.mark.slow


def network(folder: Path) -> TokenClassifier:
    """A random network of three layers that prunes after the first."""
    from transformers import AutoModel

    torch.manual_seed(0)
    encoder: Any = AutoModel.from_pretrained(tiny_encoder(folder, layers=3))
    net = TokenClassifier(
        encoder,
        tags=5,
        features=25,
        word_features=True,
        gazetteer=False,
        crf=False,
        by_line=False,
        prune_after_layer=1,
        prune_threshold=0.23,
    )
    # Random scores, far enough apart that some pieces are pruned and some kept.
    assert net.pruner is not None
    torch.nn.init.normal_(net.pruner.classifier.weight, std=0.15)
    return net.eval()


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Six windows of up to 40 pieces, special tokens at both ends."""
    lengths = torch.tensor([40, 40, 33, 20, 12, 3])
    positions = torch.arange(40)
    mask = (positions < lengths[:, None]).long()
    ids = torch.randint(4, 13, mask.shape, generator=torch.Generator().manual_seed(1)) * mask
    features = torch.full_like(mask, 5) * mask
    features[:, 0] = 0
    features[torch.arange(6), lengths - 1] = 0
    return ids, mask, features


def test_kept_pieces_do_not_depend_on_pruned_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, (ids, mask, features) = network(tmp_path), batch()
    with torch.inference_mode():
        logits = net(ids, mask, features)["logits"]
        lower_logits, hidden, kept = net.run_lower_layers(ids, mask, features)
        shares = (kept.sum(dim=1) / mask.sum(dim=1)).tolist()
        assert any(0 < share < 1 for share in shares)
        assert torch.equal(logits[~kept], lower_logits[~kept])
        for row in np.flatnonzero(kept.any(dim=1)).tolist():
            row_kept = kept[row : row + 1]
            alone = hidden[row][row_kept[0]].unsqueeze(0)
            zeros = torch.zeros(*alone.shape[:2], 5)
            scores = net.run_upper_layers(zeros, alone, torch.ones(alone.shape[:2]) > 0)
            torch.testing.assert_close(logits[row][row_kept[0]], scores[0])
        # Nor does the result depend on the other windows of the batch.
        monkeypatch.setattr("orbat.training.transformer.network.PIECES_PER_ROW", 1)
        alone = net(ids, mask, features)["logits"]
        torch.testing.assert_close(alone[features > 0], logits[features > 0])
        # With a threshold of 0, all pieces are pruned.
        assert net.pruner is not None
        net.pruner.threshold = 0.0
        alone = net(ids, mask, features)["logits"]
        assert torch.equal(alone[features > 0], lower_logits[features > 0])


def test_8_bits_can_be_limited_to_the_upper_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "LARGE", 500)
    export_onnx(network(tmp_path), tmp_path / "plain.onnx")
    named = zip(("input_ids", "attention_mask", "features"), batch(), strict=True)
    arrays = {name: tensor.numpy() for name, tensor in named}
    inputs = quantization.measure_inputs(tmp_path / "plain.onnx", [arrays])
    upper = quantization.inputs_after_pruning(tmp_path / "plain.onnx", inputs)
    # Two of the three layers are upper layers.
    assert 0 < len(inputs) == len(upper) * 3 / 2
    # The inputs of the first layer are left out.
    assert set(list(inputs)[len(inputs) // 3 :]) == set(upper)


def test_neighbors_and_special_tokens_of_kept_pieces_are_kept() -> None:
    pruner = TokenPruner(layers=1, width=4, tags=3, threshold=0.9)
    certain, uncertain = [9.0, 0.0, 0.0], [1.0, 1.0, 0.0]
    mask = torch.tensor([[1] * 8 + [0], [1] * 6 + [0] * 3])
    features = torch.tensor([[0, *[3] * 6, 0, 0], [0, *[3] * 4, 0, 0, 0, 0]])
    logits = torch.tensor([[certain] * 9, [certain] * 9])
    # At least one piece is kept.
    assert pruner.select(logits, mask, features).nonzero().tolist() == [[0, 0]]
    logits[0, 3] = torch.tensor(uncertain)
    # The scores of special tokens and padding do not matter.
    logits[1, [0, 5, 8]] = torch.tensor(uncertain)
    kept = pruner.select(logits, mask, features)
    assert np.flatnonzero(kept[0]).tolist() == [0, 1, 2, 3, 4, 5, 7]
    assert not kept[1].any()


def test_all_pieces_of_a_word_have_its_label_in_the_pruning_loss() -> None:
    labels = torch.tensor([[-100, 1, -100, 2, 0, -100, -100]])
    features = torch.tensor([[0, 7, 7, 7, 7, 7, 0]])
    expected = torch.tensor([[0, 1, 2, 2, 0, 0, 0]])
    right = torch.nn.functional.one_hot(expected, 3).float() * 30
    assert pruning_loss(right, labels, features) < 1e-6
    for piece in range(1, 6):
        wrong = right.clone()
        wrong[0, piece] = wrong[0, piece].roll(1)
        assert pruning_loss(wrong, labels, features) > 1
    # Special tokens have no label.
    other = right.clone()
    other[0, [0, 6]] = 5.0
    assert torch.equal(pruning_loss(other, labels, features), pruning_loss(right, labels, features))


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    train, dev = tiny_data(tmp_path)
    return [
        *("train", "quick", "--train", train, "--dev", dev),
        *settings("window=32", "stride=8", "epochs=24", "batch_size=2"),
    ]


def test_a_model_with_token_pruning_learns_and_its_wheel_agrees(
    orbat: Orbat, arguments: list[object], tmp_path: Path
) -> None:
    encoder = tiny_encoder(tmp_path / "encoder", layers=3)
    run, dist = tmp_path / "run", tmp_path / "dist"
    pruning = settings(f"encoder={encoder}", "prune_after_layer=1", "quantization_aware=true")
    outcome = orbat(*arguments, *pruning, "--output", run)
    assert outcome.code == 0, outcome.err
    outcome = orbat("package", run, "--output", dist)
    assert outcome.code == 0, outcome.err
    wheel = next(dist.glob("*.whl"))
    tagged = []
    for number, model in enumerate((run, wheel)):
        output = tmp_path / f"{number}.jsonl"
        assert orbat("tag", model, tmp_path / "dev.jsonl", "--output", output).code == 0
        tagged.append(
            [[(s.start, s.end, s.label) for s in d.spans] for d in read_documents(output)]
        )
    gold = [
        [(s.start, s.end, s.label) for s in d.spans] for d in read_documents(tmp_path / "dev.jsonl")
    ]
    assert tagged == [gold, gold]


def test_an_encoder_without_token_pruning_is_refused(
    refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    from transformers import AutoConfig, ModernBertConfig, ModernBertModel

    two = tiny_encoder(tmp_path / "two", layers=2)
    output = ("--output", tmp_path / "run")
    assert "prune_after_layer 2: the encoder has 2 layers" in refused(
        *arguments, *settings(f"encoder={two}", "prune_after_layer=2"), *output
    )
    other = tiny_encoder(tmp_path / "other")
    size = AutoConfig.from_pretrained(other)
    ModernBertModel(
        ModernBertConfig(
            vocab_size=size.vocab_size,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            pad_token_id=0,
            bos_token_id=2,
            cls_token_id=2,
            eos_token_id=3,
            sep_token_id=3,
        )
    ).save_pretrained(other)
    line = refused(*arguments, *settings(f"encoder={other}", "prune_after_layer=1"), *output)
    assert "an encoder of kind modernbert does not support token pruning" in line
    assert not (tmp_path / "run").exists()
