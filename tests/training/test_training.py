"""`orbat train` on real articles with the real encoder, and on other encoders and label sets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, sha256_file, write_documents
from orbat.evaluation.counts import total_counts
from orbat.training.backends import load_run
from orbat.training.run_folder import run_documents
from orbat.training.tagger.thresholds import drop_below
from orbat.training.tagging import tag_documents, tune_threshold
from tests.conftest import Orbat, Trained

pytestmark = pytest.mark.slow


def settings(*values: str) -> list[str]:
    return [part for value in values for part in ("--set", value)]


def test_a_small_model_learns(trained: Trained) -> None:
    metrics = json.loads((trained.run / "metrics.json").read_text())
    assert metrics["dev"]["f1"] > 0.25
    assert len(metrics["epochs"]) == 10
    losses = [entry["loss"] for entry in metrics["losses"]]
    assert losses[-1] < losses[0] / 3


def test_the_run_folder_records_recipe_inputs_and_versions(trained: Trained) -> None:
    manifest = json.loads((trained.run / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["recipe"]["window"] == 64
    assert manifest["inputs"]["train"] == [
        {"file": "train.jsonl", "sha256": sha256_file(trained.train)}
    ]
    assert {"python", "torch", "transformers", "orbat"} <= set(manifest["versions"])
    assert manifest["gazetteer"] == sha256_file(trained.run / "model" / "gazetteer.json")
    assert run_documents(trained.run, "train") == list(read_documents(trained.train))
    assert not (trained.run / "checkpoints").exists()
    assert {path.name for path in (trained.run / "model").iterdir()} == {
        *("model.safetensors", "config.json", "tokenizer.json"),
        *("tagger.json", "gazetteer.json"),
    }


def test_tagging_gives_valid_spans_and_keeps_the_rest(trained: Trained) -> None:
    documents = run_documents(trained.run, "dev")
    tagged = list(tag_documents(load_run(trained.run), documents))
    assert [(d.id, d.text, d.meta) for d in tagged] == [(d.id, d.text, d.meta) for d in documents]
    assert sum(len(document.spans) for document in tagged) > 10
    threshold = json.loads((trained.run / "metrics.json").read_text())["threshold"]
    scores = [s.score for d in tagged for s in d.spans if s.score is not None]
    assert len(scores) == sum(len(document.spans) for document in tagged)
    assert all(max(threshold, 1e-4) <= score <= 1 for score in scores)


def test_the_threshold_is_tuned_on_enough_mentions(trained: Trained) -> None:
    assert json.loads((trained.run / "metrics.json").read_text())["threshold"] == 0, "too few"
    tagger, documents = load_run(trained.run), 5 * run_documents(trained.run, "dev")
    tagged = list(tag_documents(tagger, documents))
    threshold = tune_threshold(documents, tagged)
    assert 0 < threshold < 1
    pairs = list(zip(documents, tagged, strict=True))
    best, _ = total_counts(pairs)
    thresholds = dict.fromkeys(tagger.labels, threshold)
    kept, _ = total_counts(
        (gold, found.with_spans(drop_below(found.spans, thresholds))) for gold, found in pairs
    )
    assert kept.f1 >= best.f1 - 0.005
    assert kept.fp < best.fp


def tiny_data(folder: Path, labels: tuple[str, str] = ("RANK", "UNIT")) -> tuple[Path, Path]:
    # The last two repeat patterns of the others: every model that learns gets them right.
    names = ((4, "Smith"), (5, "Brown"), (6, "Jones"), (7, "Miller"), (5, "Smith"), (4, "Brown"))
    documents = [
        Document(
            f"d{index}",
            f"Gen. {name} leads the {n}th Brigade.",
            (Span(0, 4, labels[0]), Span(16 + len(name), 27 + len(name), labels[1])),
        )
        for index, (n, name) in enumerate(names)
    ]
    for name, part in (("train", documents[:4]), ("dev", documents[4:])):
        write_documents(folder / f"{name}.jsonl", part)
    return folder / "train.jsonl", folder / "dev.jsonl"


def tiny_files(folder: Path) -> Path:
    """Write gold, unlabeled articles and a small encoder."""
    tiny_data(folder)
    tiny_encoder(folder / "encoder")
    names = ("Smith", "Brown", "Jones", "Miller")
    text = "On day {}, Gen. {} of troop {} leads the 5th Brigade."
    pool = [Document(f"u{n}", text.format(n, names[n % 4], n)) for n in range(20)]
    write_documents(folder / "pool.jsonl", pool)
    return folder


def tiny_encoder(folder: Path, layers: int = 1) -> Path:
    """A random BERT with a few thousand weights and its own word-piece tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = "[PAD] [UNK] [CLS] [SEP] Gen . leads the Brigade 4th 5th 6th 7th Smith Brown"
    vocabulary = {word: index for index, word in enumerate(words.split())}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


LABELS = """name = "other"
[[label]]
name = "Rank"
[[label]]
name = "Organization"
"""


def test_another_encoder_and_label_set_can_be_trained(orbat: Orbat, tmp_path: Path) -> None:
    train, dev = tiny_data(tmp_path, ("Rank", "Organization"))
    (tmp_path / "labels.toml").write_text(LABELS)
    encoder = tiny_encoder(tmp_path / "encoder")
    arguments = (
        *("train", "quick", "--train", train, "--dev", dev, "--labels", tmp_path / "labels.toml"),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=30", "dtype=fp32"),
        *settings("learning_rate=3e-3", "head_learning_rate=3e-3", "batch_size=2"),
        # The random encoder gives mentions a confidence of about 0.3.
        *settings("threshold=0.1"),
    )
    outcome = orbat(*arguments, "--output", tmp_path / "run", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json()["threshold"] == 0.1
    assert json.loads((tmp_path / "run/model/tagger.json").read_text())["threshold"] == 0.1
    scores = outcome.json()["dev"]["labels"]
    assert set(scores) == {"Rank", "Organization"}
    assert all(score["f1"] > 0.5 for score in scores.values())
    tagged = orbat("tag", tmp_path / "run", dev, "--output", tmp_path / "out.jsonl")
    assert tagged.code == 0, tagged.err
    spans = [span for d in read_documents(tmp_path / "out.jsonl") for span in d.spans]
    assert {span.label for span in spans} == {"Rank", "Organization"}
    assert min(span.score for span in spans) >= 0.1


def test_the_same_seed_gives_the_same_weights_even_after_a_kill(
    orbat: Orbat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Forked commands have one thread, and sums differ with the number of threads.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    train, dev = tiny_data(tmp_path)
    encoder = tiny_encoder(tmp_path / "encoder")
    arguments = [
        *("train", "quick", "--train", train, "--dev", dev),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=60", "dtype=fp32"),
        *settings("batch_size=1"),
    ]
    for name, fresh in (("one", False), ("two", True)):
        assert orbat(*arguments, "--output", tmp_path / name, fresh=fresh).code == 0
    assert weights(tmp_path / "one") == weights(tmp_path / "two")

    command = [sys.executable, "-m", "orbat", *map(str, arguments)]
    killed = subprocess.Popen(
        [*command, "--output", str(tmp_path / "killed")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and killed.poll() is None:
        if list((tmp_path / "killed" / "checkpoints").glob("checkpoint-*/trainer_state.json")):
            break
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    unfinished = orbat("tag", tmp_path / "killed", dev, "--output", tmp_path / "o.jsonl")
    assert unfinished.code == 2
    assert "has not finished" in unfinished.err
    again = orbat(*arguments, "--output", tmp_path / "killed")
    assert again.code == 2
    assert "add --resume" in again.err
    resumed = orbat(*arguments, "--output", tmp_path / "killed", "--resume")
    assert resumed.code == 0, resumed.err
    assert weights(tmp_path / "killed") == weights(tmp_path / "one")


def test_after_ctrl_c_the_best_epoch_can_be_kept(orbat: Orbat, tmp_path: Path) -> None:
    train, dev = tiny_data(tmp_path)
    encoder, run = tiny_encoder(tmp_path / "encoder"), tmp_path / "run"
    arguments = [
        *("train", "quick", "--train", train, "--dev", dev, "--output", run),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=999"),
        *settings("learning_rate=0.01"),
    ]
    assert "holds no interrupted run; leave out --finish" in orbat(*arguments, "--finish").err
    with (tmp_path / "err").open("wb") as err:
        started = subprocess.Popen(
            [sys.executable, "-m", "orbat", *map(str, arguments)],
            stderr=err,
            env={**os.environ, "TTY_COMPATIBLE": "1", "COLUMNS": "200"},  # as on a terminal
        )
        while started.poll() is None and not list(run.glob("checkpoints/*/sha256.json")):
            time.sleep(0.01)
        started.send_signal(signal.SIGINT)
        assert started.wait() == 130
    shown = (tmp_path / "err").read_text()
    assert "epoch 1  step 1 of 999  precision " in shown
    assert "; the same command with --resume trains on, and with --finish makes the best" in shown
    assert f"interrupted: {run} keeps " in shown
    refused = orbat("package", run, "--output", tmp_path / "dist")
    assert refused.code == 2
    assert "resume with orbat train --resume, or keep the best of its " in refused.err
    states = [json.loads(p.read_text()) for p in run.glob("checkpoints/*/trainer_state.json")]
    last = max(states, key=lambda state: state["epoch"])
    best = Path(last["best_model_checkpoint"]) / "model.safetensors"
    expected = load_file(best)
    finished = orbat(*arguments, "--finish", "--quiet")
    assert (finished.code, finished.out) == (0, ""), finished.err
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["finished_after_epochs"] == last["epoch"]
    assert metrics["dev"]["f1"] == last["best_metric"]
    kept = load_file(run / "model" / "model.safetensors")
    assert all((kept[name] == expected[name]).all() for name in kept)
    log = (run / "training.log").read_text()
    assert "  f1 " in log and "ended by KeyboardInterrupt" in log
    assert " finished after " in log and f"of {last['epoch']:g} epochs before --finish" in log
    before = max(entry.get("eval_seconds", 0) for entry in last["log_history"])
    assert metrics["seconds"] > before > 0
    assert orbat("package", run, "--output", tmp_path / "dist").code == 0
    card = (tmp_path / "dist" / "MODEL_CARD.md").read_text()
    assert f"ended early, by `orbat train --finish`. Epochs: {last['epoch']:g}, of which" in card


def weights(run: Path) -> str:
    return sha256_file(run / "model" / "model.safetensors")


def test_bad_input_is_refused_and_leaves_no_run(
    refused: Callable[..., str], tmp_path: Path, trained: Trained
) -> None:
    train, dev = tiny_data(tmp_path)
    run = tmp_path / "run"
    base = ("--train", train, "--dev", dev, "--output", run)
    assert "unknown key 'epoch'" in refused("train", "quick", *base, *settings("epoch=3"))
    assert "no such recipe" in refused("train", "faster", *base)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "x", "text": "a b", "spans": [{"start": 0, "end": 1, "label": "BAD"}]}')
    assert f"{bad}:1: unknown label 'BAD'" in refused("train", "quick", *base, "--train", bad)
    assert "duplicate id 'd0' (also in another --train file); keep one of them" in refused(
        "train", "quick", *base, "--train", train
    )
    write_documents(tmp_path / "unlabeled.jsonl", [Document("x", "No spans.")])
    assert "have no spans" in refused(
        *("train", "quick", "--train", tmp_path / "unlabeled.jsonl", "--dev", dev, "--output", run)
    )
    pickled = tiny_encoder(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "pickled weights are never read" in refused(
        "train", "quick", *base, *settings(f"encoder={pickled}", "window=32", "stride=8")
    )
    assert "cannot be loaded" in refused(
        "train", "quick", *base, *settings(f"encoder={tmp_path / 'nowhere'}")
    )
    encoder = tiny_encoder(tmp_path / "encoder")
    assert "set window to at most 64" in refused(
        "train", "quick", *base, *settings(f"encoder={encoder}", "window=128")
    )
    assert not run.exists()
    assert "holds a run already" in refused(
        *("train", "quick", "--train", train, "--dev", dev, "--output", trained.run),
    )


def test_leakage_between_train_and_dev_is_warned_of(orbat: Orbat, tmp_path: Path) -> None:
    train, _ = tiny_data(tmp_path)
    encoder = tiny_encoder(tmp_path / "encoder")
    outcome = orbat(
        *("train", "quick", "--train", train, "--dev", train, "--output", tmp_path / "run"),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=1"),
    )
    assert outcome.code == 0, outcome.err
    assert "warning: 4 dev documents repeat training documents" in outcome.err
