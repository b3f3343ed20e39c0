"""Packaging token classifiers of transformers that orbat did not train."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import sha256_text, write_documents
from orbat.errors import InputError, ModelError
from orbat.models.huggingface.licensing import checkpoint_license
from orbat.models.huggingface.packaging import package_checkpoint
from orbat.models.loading import load_model
from orbat.training.external.huggingface.label_schemes import read_label_scheme
from orbat.training.external.huggingface.loading import is_checkpoint, load_checkpoint
from tests.models import token_classifiers
from tests.models.conftest import spans


@pytest.mark.parametrize(
    ("classes", "name", "labels", "columns"),
    [
        (["O", "B-A", "I-A", "B-B", "I-B"], "BIO", ("A", "B"), ((0,), (1,), (2,), (3,), (4,))),
        (["I-A", "O", "I-B", "B-A"], "BIO", ("A", "B"), ((1,), (3,), (0,), (), (2,))),
        (["O", "A", "B-C"][:2], "IO", ("A",), ((0,), (), (1,))),
        (["O", "B-A", "I-A", "E-A", "S-A"], "BIOES", ("A",), ((0,), (1, 4), (2, 3))),
        (["O", "B-A", "I-A", "L-A", "U-A"], "BILOU", ("A",), ((0,), (1, 4), (2, 3))),
    ],
)
def test_label_schemes_become_bio(
    classes: Sequence[str], name: str, labels: tuple[str, ...], columns: tuple[Any, ...]
) -> None:
    scheme = read_label_scheme(dict(enumerate(classes)), "model")
    assert (scheme.name, scheme.labels, scheme.classes) == (name, labels, columns)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["LABEL_0", "LABEL_1"], "does not name its classes"),
        (["NOUN", "VERB"], "has no class O"),
        (["O", "B-A", "C"], "not BIO tags"),
        (["O", "A-B", "A-I"], "not BIO tags"),
        (["O"], "not BIO tags"),
    ],
)
def test_other_classes_are_refused(classes: Sequence[str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_label_scheme(dict(enumerate(classes)), "model")


@pytest.mark.parametrize(
    ("weights", "expression"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("cc-by-nc-4.0", "Apache-2.0 AND CC-BY-NC-4.0"),
        ("other", "Apache-2.0 AND LicenseRef-other"),
        ("unknown", "Apache-2.0 AND LicenseRef-unknown"),
        ('My "own"\nterms', "Apache-2.0 AND LicenseRef-My-own-terms"),
    ],
)
def test_licenses_of_code_and_weights(weights: str, expression: str, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("Terms of the weights.")
    license = checkpoint_license(weights, tmp_path)
    assert license.expression == expression
    assert set(license.files) == {"Apache-2.0.txt", "weights-LICENSE"}


def test_names_of_checkpoints(tmp_path: Path) -> None:
    assert is_checkpoint("org/model")
    assert not is_checkpoint("en_orbat_news")
    assert not is_checkpoint(tmp_path / "missing")
    assert not is_checkpoint(tmp_path)
    (tmp_path / "config.json").touch()
    assert is_checkpoint(tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "model.safetensors").touch()  # so that the missing file is named
    assert is_checkpoint(tmp_path)


KINDS = {
    "Bert": lambda: token_classifiers.word_piece(lowercase=True),
    "Roberta": lambda: token_classifiers.byte_level(trim_offsets=False),
    "DistilBert": lambda: token_classifiers.word_piece(lowercase=False),
    "DebertaV2": token_classifiers.sentence_piece,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_wheel_finds_the_spans_of_the_pipeline(
    kind: str, test_articles: list[Document], tmp_path: Path
) -> None:
    from transformers import pipeline

    # Several files of weights, as large checkpoints have.
    options = {"max_shard_size": "30KB"} if kind == "Bert" else {}
    folder = token_classifiers.save(tmp_path / "tiny-ner", kind, KINDS[kind](), **options)
    report = package_checkpoint(folder, tmp_path / "dist")
    assert report.wheel.name == "xx_tiny_ner-0.1.0-py3-none-any.whl"
    assert report.comparison.common > 0.995 * report.comparison.union > 100
    sentences = [
        Document(str(index), " ".join(sentence.split()[:12]))
        for index, sentence in enumerate(test_articles[0].text.split(". "))
        if sentence.strip()
    ]
    find = pipeline("token-classification", model=str(folder), aggregation_strategy="first")
    packaged, checkpoint = load_model(report.wheel), load_model(folder)
    assert packaged.labels == checkpoint.labels == ("PER", "ORG", "LOC", "MISC")
    for tagged, on_torch in zip(packaged.tag(sentences), checkpoint.tag(sentences), strict=True):
        found = [(e["start"], e["end"], e["entity_group"]) for e in find(tagged.text)]
        starts = [
            start + len(tagged.text[start:end]) - len(tagged.text[start:end].lstrip())
            for start, end, _ in found
        ]
        expected = [
            (start, end, label) for start, (_, end, label) in zip(starts, found, strict=True)
        ]
        assert spans(tagged) == expected == spans(on_torch)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = token_classifiers.word_piece(lowercase=True)
    return token_classifiers.save(tmp_path_factory.mktemp("hf") / "tiny", "Bert", tokenizer)


@pytest.fixture
def changed(checkpoint: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a copy of the checkpoint with other settings or without some files."""

    def change(*removed: str, **settings: Any) -> Path:
        folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
        for name in removed:
            (folder / name).unlink()
        return folder

    return change


@pytest.mark.slow
def test_broken_checkpoints_are_refused_in_one_line(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    cases: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
        (("config.json",), {}, "no readable config.json"),
        ((), {"architectures": ["BertForMaskedLM"]}, "not a token classifier, but BertForMaskedLM"),
        ((), {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, "does not name its classes"),
        (("model.safetensors",), {}, "has no weights"),
        (("tokenizer.json", "tokenizer_config.json"), {}, "has no fast tokenizer"),
        ((), {"hidden_size": 64}, "missing or of another size"),
        ((), {"id2label": {"0": "O", "1": "B-PER", "99": "I-PER"}}, "must name classes 0, 1, 2"),
        ((), {"id2label": ["O", "B-PER"]}, "must name classes 0, 1, 2"),
        ((), {"id2label": {"0": "O", "1": "B-PER"}}, "missing or of another size"),
        ((), {"model_type": "unheard-of"}, "the model cannot be loaded"),
    ]
    for removed, settings, message in cases:
        folder = changed(*removed, **settings)
        with pytest.raises(ModelError, match=message) as caught:
            load_checkpoint(folder)
        assert "\n" not in str(caught.value)
        shutil.rmtree(folder)
    folder = changed()
    (folder / "config.json").write_text("[]")
    with pytest.raises(ModelError, match=r"no readable config\.json"):
        load_checkpoint(folder)
    shutil.rmtree(folder)
    folder = changed("model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02.")
    with pytest.raises(InputError, match="pickled weights only, which are never read"):
        load_checkpoint(folder)


@pytest.mark.slow
def test_dev_documents_and_facts_reach_the_wheel(
    checkpoint: Path, dev_articles: list[Document], tmp_path: Path
) -> None:
    # The model's own spans are the gold, some of them missing, so that precision is high.
    model = load_model(checkpoint)
    gold = [d.with_spans(d.spans[1:]) for d in model.tag(dev_articles[:12])]
    write_documents(tmp_path / "gold.jsonl", gold)
    folder = Path(shutil.copytree(checkpoint, tmp_path / "source"))
    (folder / "README.md").write_text("---\nlicense: llama3\nlanguage: en\n---\n# Own card\n")
    (folder / "LICENSE").write_text("Terms of the weights.")
    report = package_checkpoint(
        folder, tmp_path / "dist", dev=tmp_path / "gold.jsonl", author="Ann Doe"
    )
    assert report.f1 is not None and report.f1 > 0.9
    assert report.wheel.name == "en_source-0.1.0-py3-none-any.whl"
    card = report.card.read_text()
    assert "which also selected the numeric format" in card and "the epoch" not in card
    assert "> # Own card" in card
    with zipfile.ZipFile(report.wheel) as wheel:
        metadata = wheel.read("en_source-0.1.0.dist-info/METADATA").decode()
        licenses = {Path(name).name for name in wheel.namelist() if "/licenses/" in name}
    assert "License-Expression: Apache-2.0 AND LicenseRef-llama3\n" in metadata
    assert "Author: Ann Doe\n" in metadata
    assert licenses == {"Apache-2.0.txt", "weights-LICENSE"}
    packaged = load_model(report.wheel)
    assert packaged.with_threshold(target_precision=0.9).thresholds
    assert packaged.seen == {sha256_text(document.text) for document in gold}


@pytest.mark.slow
def test_names_and_options_are_checked(
    checkpoint: Path, refused: Callable[..., str], trained: Any, tmp_path: Path
) -> None:
    output = ("--output", tmp_path / "dist")
    assert "no such folder; name a run" in refused("package", tmp_path / "missing", *output)
    assert "--name" in refused("package", checkpoint, *output, "--name", "X")
    assert "is another installed package" in refused(
        "package", checkpoint, *output, "--lang", "gt", "--name", "all_minilm_l6_v2"
    )
    assert "is a transformers checkpoint already" in refused(
        "package", checkpoint, *output, "--transformers"
    )
    assert "is for checkpoints" in refused("package", trained.run, *output, "--dev", "x.jsonl")
    assert "download it where there is a connection" in refused(
        "package", "no-such-organization/no-such-model", *output, env={"HF_HUB_OFFLINE": "1"}
    )
