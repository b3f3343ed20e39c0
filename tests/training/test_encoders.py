"""Training on tiny random encoders of every common family."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from orbat.training.transformer.encoder import refuse_pickles
from tests.conftest import Orbat

pytestmark = pytest.mark.slow

SIZES = {
    "hidden_size": 128,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 128,
}
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEXTS = ["Gen. Smith leads the 4th Brigade.", "Gen. Brown left.\nThe Brigade stays – “here”."]


def byte_level() -> Any:
    """A byte-level BPE tokenizer, as of RoBERTa and ModernBERT."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def sentence_pieces() -> Any:
    """A unigram tokenizer with marked spaces, as of DeBERTa."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=80, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS * 5, trainer)
    return tokenizer


def roberta(vocabulary: int) -> Any:
    from transformers import RobertaConfig, RobertaModel

    return RobertaModel(
        RobertaConfig(vocab_size=vocabulary, pad_token_id=1, max_position_embeddings=34, **SIZES)
    )


def deberta(vocabulary: int) -> Any:
    from transformers import DebertaV2Config, DebertaV2Model

    return DebertaV2Model(
        DebertaV2Config(
            vocab_size=vocabulary,
            pad_token_id=1,
            max_position_embeddings=32,
            relative_attention=True,
            pos_att_type=["p2c", "c2p"],
            position_biased_input=False,
            type_vocab_size=0,
            **SIZES,
        )
    )


def modernbert(vocabulary: int) -> Any:
    from transformers import ModernBertConfig, ModernBertModel

    return ModernBertModel(
        ModernBertConfig(
            vocab_size=vocabulary,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
            cls_token_id=0,
            sep_token_id=2,
            max_position_embeddings=32,
            **SIZES,
        )
    )


def test_safetensors_are_not_mistaken_for_pickles(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    # Safetensors files begin with the header's length: 0x0480 and 0x0280 look like a pickle.
    path = tmp_path / "model.safetensors"
    for length in (0x0480, 0x0280):
        header = json.dumps({"__metadata__": {"format": "pt"}}).encode().ljust(length)
        path.write_bytes(length.to_bytes(8, "little") + header)
        assert load_file(path) == {}
        refuse_pickles(tmp_path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(InputError, match="pickled weights are never read"):
        refuse_pickles(tmp_path)


FAMILIES = {
    "roberta": (byte_level, roberta),
    "deberta": (sentence_pieces, deberta),
    "modernbert": (byte_level, modernbert),
}


def save_encoder(
    folder: Path, make_tokenizer: Callable[[], Any], make_model: Callable[[int], Any]
) -> Path:
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = make_tokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos": "<s>", "cls": "<s>", "pad": "<pad>", "eos": "</s>", "sep": "</s>"}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        **{f"{name}_token": token for name, token in names.items()},
    ).save_pretrained(folder)
    make_model(tokenizer.get_vocab_size()).save_pretrained(folder)
    return folder


def write_gold(folder: Path) -> tuple[Path, Path]:
    """Write gold spans that begin and end at characters that tokenizers treat differently."""
    train, dev = [], []
    for index, name in enumerate(("Smith", "Brown", "Jones", "Miller", "Brown", "Smith")):
        text = f"Gen. {name} leads the 4th Brigade.\nThe (4th Brigade) – “4th Brigade”\u00a0stays."
        spans, start = [Span(0, 4, "RANK")], 0
        while (start := text.find("4th Brigade", start)) >= 0:
            spans.append(Span(start, start + 11, "UNIT"))
            start += 1
        (train if index < 4 else dev).append(Document(f"d{index}", text, tuple(spans)))
    write_documents(folder / "train.jsonl", train)
    write_documents(folder / "dev.jsonl", dev)
    return folder / "train.jsonl", folder / "dev.jsonl"


@pytest.mark.parametrize("family", FAMILIES)
def test_an_encoder_of_each_family_learns_exact_spans(
    family: str, orbat: Orbat, tmp_path: Path, refused: Callable[..., str]
) -> None:
    encoder = save_encoder(tmp_path / "encoder", *FAMILIES[family])
    train, dev = write_gold(tmp_path)
    fields = {
        "encoder": encoder,
        "gazetteer": "none",
        "dtype": "fp32",
        "batch_size": 2,
        "window": 32,
        "stride": 8,
        "epochs": 25,
        "warmup": 0,
        "learning_rate": 1e-3,
        "head_learning_rate": 3e-3,
        "freeze_embeddings": "false",
    }
    arguments = [part for key, value in fields.items() for part in ("--set", f"{key}={value}")]
    command = ("train", "quick", "--train", train, "--dev", dev, *arguments)
    outcome = orbat(*command, "--output", tmp_path / "run", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json()["dev"]["f1"] > 0.9
    tagged = orbat("tag", tmp_path / "run", dev, "--output", tmp_path / "tagged.jsonl")
    assert tagged.code == 0, tagged.err
    surfaces = {
        document.text[span.start : span.end]
        for document in read_documents(tmp_path / "tagged.jsonl")
        for span in document.spans
    }
    assert {"Gen.", "4th Brigade"} <= surfaces
    outcome = orbat("package", tmp_path / "run", "--output", tmp_path / "dist", "--json")
    assert outcome.code == 0, outcome.err
    packaged = outcome.json()
    assert packaged["weights"] == "int8"
    assert packaged["identical"] == packaged["documents"] == 2
    line = refused(*command, "--set", "window=33", "--output", tmp_path / "long")
    assert "at most 32" in line
