"""Speed, memory and size of an installed model, compared with the alternatives.

    python -m orbat.evaluation.benchmarks.tagging WHEEL TEXTS [--rounds 3]

WHEEL is a wheel of `orbat package`, TEXTS a JSON Lines file of documents. The wheel is installed
into a temporary folder. All systems tag the same texts in turn, in several rounds:

- the wheel with `nlp.pipe`;
- the wheel with one text at a time;
- its network without the wheel's code: eight windows at a time in their order, with the threads of
  onnxruntime;
- `transformers.pipeline("token-classification")` with a plain classifier on the same encoder, for
  several batch sizes, of which the fastest counts;
- the same classifier in plain torch: windows sorted by length, in bf16 if the processor has it;
- spaCy's convolutional recognizer, as `spacy init config` configures it, with random weights.

The weights of the classifiers are random too, because speed does not depend on them. Prints
Markdown tables.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ...corpus.files import read_documents
from ...corpus.labels import load_labels
from .common import describe_machine, encoder_folder

PIECES = 512
BATCHES = (1, 4, 16)
SENTENCE = "Lt. Gen. Ann Doe took command of the 3rd Infantry Division on Monday, officials said."
_MODEL = "en_orbat_news"

_START = f"""
import sys, time, resource
sys.path.insert(0, sys.argv[1])
for name in ("torch", "transformers"):
    sys.modules[name] = None
began = time.perf_counter()
import spacy
imported = time.perf_counter()
nlp = spacy.load("{_MODEL}")
loaded = time.perf_counter()
nlp({SENTENCE!r})
first = time.perf_counter()
texts = open(sys.argv[2], encoding="utf-8").read().split("\\0")
for doc in nlp.pipe(texts):
    pass
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(imported - began, loaded - imported, first - loaded, peak * 1024)
"""


def install(wheel: Path, folder: Path) -> None:
    """Install a wheel into a folder, without its dependencies."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target")
    subprocess.run([*pip, str(folder), str(wheel)], check=True)


class Plain:
    """A plain token classifier on the same encoder, as transformers provides it."""

    def __init__(self) -> None:
        import torch
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        tags = 1 + 2 * len(load_labels().names)
        self.tokenizer = AutoTokenizer.from_pretrained(encoder_folder(), model_max_length=PIECES)
        self.model = AutoModelForTokenClassification.from_pretrained(
            encoder_folder(), num_labels=tags
        ).eval()
        capable = torch.cpu.get_capabilities()
        self.bf16 = bool(capable.get("avx512_bf16") or capable.get("amx_bf16"))

    def pipeline(self, batch_size: int) -> Callable[[Sequence[str]], Any]:
        """Return the transformers pipeline for a batch size."""
        from transformers import pipeline

        tag = pipeline(
            "token-classification",
            model=self.model,
            tokenizer=self.tokenizer,
            aggregation_strategy="simple",
            stride=64,
            batch_size=batch_size,
        )
        return lambda texts: tag(list(texts))

    def sorted_windows(self, texts: Sequence[str]) -> None:
        """Score the windows of the texts, sorted by length."""
        import torch

        encoded = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=128,
            stride=16,
            return_overflowing_tokens=True,
        )["input_ids"]
        encoded.sort(key=len)
        for begin in range(0, len(encoded), 8):
            rows = encoded[begin : begin + 8]
            inputs = self.tokenizer.pad({"input_ids": rows}, return_tensors="pt")
            with (
                torch.inference_mode(),
                torch.autocast("cpu", torch.bfloat16, enabled=self.bf16),
            ):
                self.model(**inputs).logits.argmax(dim=2).tolist()


class Naive:
    """The network of a wheel, run without the wheel's sorting, workers and decoding.

    Args:
        folder: the folder in which the wheel is installed.
        nlp: its pipeline.
    """

    def __init__(self, folder: Path, nlp: Any) -> None:
        import onnxruntime

        self._tagger = nlp.get_pipe("orbat_ner").tagger
        (model,) = folder.rglob("model.onnx")
        self._session = onnxruntime.InferenceSession(str(model))

    def __call__(self, texts: Sequence[str]) -> None:
        """Score the windows of the texts."""
        windowing = importlib.import_module(f"{_MODEL}.tagger.windows")
        config = self._tagger.config
        encoded = self._tagger.encode(texts)
        windows = [
            (index, window)
            for index, text in enumerate(encoded)
            for window in windowing.cut_windows(text, config)
        ]
        for begin in range(0, len(windows), 8):
            batch = windowing.batch_inputs(encoded, windows[begin : begin + 8], config)
            inputs = dict(zip(("input_ids", "attention_mask", "features"), batch, strict=True))
            feeds = {node.name: inputs[node.name] for node in self._session.get_inputs()}
            self._session.run(["logits"], feeds)


def convolutional() -> Any:
    """Return spaCy's recognizer on its own tok2vec, initialized but not trained."""
    import spacy
    from spacy.cli.init_config import init_config

    nlp = spacy.util.load_model_from_config(
        init_config(lang="en", pipeline=["ner"], optimize="efficiency"), auto_fill=True
    )
    for label in load_labels().names:
        nlp.get_pipe("ner").add_label(label)
    nlp.initialize()
    return nlp


def latencies(tag: Callable[[str], Any], times: int = 200) -> tuple[float, float]:
    """Return the median and the 99th percentile of the time for one sentence, in milliseconds."""
    tag(SENTENCE)
    milliseconds = []
    for _ in range(times):
        began = time.perf_counter()
        tag(SENTENCE)
        milliseconds.append((time.perf_counter() - began) * 1000)
    return statistics.median(milliseconds), statistics.quantiles(milliseconds, n=100)[98]


def exhaust(stream: Any) -> None:
    """Consume a stream."""
    for _ in stream:
        pass


def measure_starts(site: Path, joined: Path, count: int) -> list[list[float]]:
    """Load the wheel in processes without torch and tag all texts.

    Args:
        site: the folder in which the wheel is installed.
        joined: a file of the texts, separated by NUL.
        count: number of processes, one after the other.

    Returns:
        For each process: seconds to import spaCy, to load the model and to tag the first sentence,
        and the peak memory in bytes.
    """
    starts = []
    for _ in range(count):
        done = subprocess.run(
            [sys.executable, "-c", _START, str(site), str(joined)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        starts.append([float(number) for number in done.stdout.split()])
    return starts


def measure_rates(
    systems: dict[str, Callable[[], Any]], words: int, rounds: int
) -> dict[str, list[float]]:
    """Return the words per second of each system in each round, after a round to warm up.

    Args:
        systems: functions that tag all texts, by name.
        words: number of words of the texts.
        rounds: number of rounds; in each, every system runs once.
    """
    rates: dict[str, list[float]] = {name: [] for name in systems}
    for turn in range(rounds + 1):
        for name, run in systems.items():
            began = time.perf_counter()
            run()
            if turn:
                rates[name].append(words / (time.perf_counter() - began))
    return rates


def measure_systems(
    site: Path, texts: Sequence[str], words: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, tuple[float, float]]]:
    """Measure the installed wheel and the alternatives.

    Args:
        site: the folder in which the wheel is installed.
        texts: the texts to tag.
        words: number of their words.
        rounds: number of rounds.

    Returns:
        The words per second of each system in each round, and the median and the 99th percentile
        of the milliseconds for one sentence.
    """
    sys.path.insert(0, str(site))
    import spacy

    nlp, plain, cnn = spacy.load(_MODEL), Plain(), convolutional()
    naive = Naive(site, nlp)
    pipelines = {batch: plain.pipeline(batch) for batch in BATCHES}
    systems: dict[str, Callable[[], Any]] = {
        "wheel, nlp.pipe": lambda: exhaust(nlp.pipe(texts)),
        "wheel, one text at a time": lambda: [nlp(text) for text in texts],
        "its network without the wheel's code": lambda: naive(texts),
        **{
            f"transformers.pipeline, batch {batch}": partial(tag, texts)
            for batch, tag in pipelines.items()
        },
        f"plain torch, sorted, {'bf16' if plain.bf16 else 'fp32'}": (
            lambda: plain.sorted_windows(texts)
        ),
        "spaCy's CNN, nlp.pipe": lambda: exhaust(cnn.pipe(texts)),
    }
    rates = measure_rates(systems, words, rounds)
    delays = {
        "wheel": latencies(nlp),
        "transformers.pipeline": latencies(lambda text: pipelines[1]([text])),
        "spaCy's CNN": latencies(cnn),
    }
    return rates, delays


def print_rates(rates: dict[str, list[float]]) -> None:
    """Print the words per second of each system, compared with the fastest pipeline."""
    best = max(
        statistics.median(rate) for name, rate in rates.items() if name.startswith("transformers")
    )
    print("| system | words/s, median | range | ratio to the fastest pipeline |")
    print("|---|---|---|---|")
    for name, rate in rates.items():
        median = statistics.median(rate)
        spread = f"{min(rate):,.0f} to {max(rate):,.0f}"
        print(f"| {name} | {median:,.0f} | {spread} | {median / best:.2f} |")


def print_delays(delays: dict[str, tuple[float, float]]) -> None:
    """Print the milliseconds for one sentence."""
    print("\n| one sentence of 15 words | median, ms | 99th percentile, ms |\n|---|---|---|")
    for name, (median, high) in delays.items():
        print(f"| {name} | {median:.1f} | {high:.1f} |")


def print_starts(starts: Sequence[Sequence[float]], wheel_bytes: int) -> None:
    """Print the times and memory of a start, and the size of the wheel."""
    print("\n| without torch, in its own process | median | highest |\n|---|---|---|")
    shown = ("import spacy, s", "spacy.load, s", "first sentence, s", "peak memory, MB")
    for name, column in zip(shown, zip(*starts, strict=True), strict=True):
        scale = 1e6 if "MB" in name else 1
        print(f"| {name} | {statistics.median(column) / scale:.2f} | {max(column) / scale:.2f} |")
    print(f"| wheel, MB | {wheel_bytes / 1e6:.2f} | |")


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    texts = [document.text for document in read_documents(options.texts)]
    words = sum(len(text.split()) for text in texts)
    with tempfile.TemporaryDirectory() as scratch:
        site, joined = Path(scratch) / "site", Path(scratch) / "texts"
        install(options.wheel, site)
        joined.write_text("\0".join(texts), encoding="utf-8")
        starts = measure_starts(site, joined, max(3, options.rounds))
        rates, delays = measure_systems(site, texts, words, options.rounds)
    print(f"{describe_machine()}, {len(texts)} texts, {words:,} words, {options.rounds} rounds\n")
    print_rates(rates)
    print_delays(delays)
    print_starts(starts, options.wheel.stat().st_size)


if __name__ == "__main__":
    main()
