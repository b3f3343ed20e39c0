"""Token classifiers of transformers with random weights and tokenizers trained on the articles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orbat.corpus.files import read_documents
from tests.conftest import ARTICLES

LABELS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


def texts() -> list[str]:
    return [document.text for document in list(read_documents(ARTICLES / "train.jsonl"))[:40]]


def word_piece(*, lowercase: bool) -> Any:
    """A WordPiece tokenizer, as of BERT."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    trained = BertWordPieceTokenizer(lowercase=lowercase)
    trained.train_from_iterator(
        texts(), vocab_size=600, special_tokens=SPECIAL, show_progress=False
    )
    return BertTokenizerFast(
        tokenizer_object=trained._tokenizer, do_lower_case=lowercase, model_max_length=64
    )


def byte_level(*, trim_offsets: bool = True) -> Any:
    """A byte-level BPE tokenizer, as of RoBERTa."""
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(
        texts(), vocab_size=800, special_tokens=special, show_progress=False
    )
    trained._tokenizer.post_processor = RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=trim_offsets
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        model_max_length=64,
        **dict(zip(("cls_token", "pad_token", "sep_token", "unk_token"), special, strict=True)),
    )


def sentence_piece() -> Any:
    """A unigram tokenizer with marked spaces, as of DeBERTa and XLM-RoBERTa."""
    from tokenizers import SentencePieceUnigramTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    trained = SentencePieceUnigramTokenizer()
    trained.train_from_iterator(
        texts(), vocab_size=600, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False
    )
    trained._tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        model_max_length=64,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def make(kind: str, tokenizer: Any, labels: Sequence[str] = LABELS) -> Any:
    """Return a random model of a kind, such as `Bert`, with clear preferences for some classes."""
    import torch
    import transformers

    torch.manual_seed(1)
    sizes: dict[str, Any] = dict(SIZES)
    if kind == "DistilBert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    if kind == "DebertaV2":
        sizes |= {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
        sizes["position_biased_input"] = False
    if kind == "Electra":
        sizes["embedding_size"] = 16
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        max_position_embeddings=66,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **sizes,
    )
    model = getattr(transformers, f"{kind}ForTokenClassification")(config)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.weight *= 20
        model.classifier.weight *= 40
        model.classifier.bias[0] += 1
    return model.eval()


def save(
    folder: Path, kind: str, tokenizer: Any, labels: Sequence[str] = LABELS, **options: Any
) -> Path:
    """Write a random model and its tokenizer, and return the folder."""
    make(kind, tokenizer, labels).save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)
    return folder
