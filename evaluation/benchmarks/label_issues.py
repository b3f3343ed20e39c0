"""Precision and recall of the audit of labels, compared with cleanlab's ranking of tokens.

    python -m orbat.evaluation.benchmarks.label_issues RUNS [--share 0.05] [--seeds 3]
        [--documents 1580] [--folds 5] [--set layers=2]
    python -m orbat.evaluation.benchmarks.label_issues RUNS --passes first,second [--seeds 1]

Plants errors into the gold of shipped train articles: removed spans, spans added on words that
look like names, changed labels, boundaries moved by a word. With `--passes`, gold is the recorded
annotation passes instead, whose errors are their differences from the adjudicated gold.
`orbat annotate audit` trains in folds on the wrong gold. Its issues, and cleanlab's token ranking
on the same predictions, are compared with the errors. An issue that is no known error may be a real
error of the gold, but counts as wrong. Runs are kept in RUNS. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...annotation.adjudication.annotation_sets import read_annotation_set
from ...annotation.agreement.disagreements import find_disagreements
from ...annotation.word_probabilities import probabilities_from_json
from ...corpus.document import Document, Span
from ...corpus.files import read_documents, read_json_lines, write_documents
from ...corpus.labels import load_labels
from ..operating_points import wilson_interval
from .common import ARTICLES, run_orbat

KINDS = ("missed", "spurious", "label", "boundary")
DEPTHS = (20, 50, 100)
_NAME = re.compile(r"\b[A-Z]\w+(?: [A-Z]\w+)*")
_WORD = re.compile(r"\w+|[^\w\s]")

Location = tuple[str, int, int]
"""A part of a text: document id, start and end (exclusive)."""


@dataclass(frozen=True)
class GoldError:
    """An error of gold: its document, offsets and kind."""

    doc_id: str
    start: int
    end: int
    kind: str

    def overlaps(self, doc_id: str, start: int, end: int) -> bool:
        """Return whether a part of a document overlaps the error."""
        return doc_id == self.doc_id and start < self.end and self.start < end


@dataclass(frozen=True)
class Sample:
    """Gold with known errors, and the seed of the models that audit it."""

    name: str
    seed: int
    documents: Sequence[Document]
    errors: Sequence[GoldError]


def plant_errors(
    documents: Sequence[Document], share: float, seed: int
) -> tuple[list[Document], list[GoldError]]:
    """Plant errors into a share of the spans, each kind equally often."""
    rng = np.random.default_rng(seed)
    labels = load_labels().names
    candidates = [(d, s) for d, document in enumerate(documents) for s in document.spans]
    count = round(len(candidates) * share)
    spans = [set(document.spans) for document in documents]
    errors: list[GoldError] = []
    for index in rng.permutation(len(candidates)).tolist():
        if len(errors) == count:
            break
        number, span = candidates[index]
        document, kind = documents[number], KINDS[len(errors) % len(KINDS)]
        if kind == "spurious":
            wrong = _added(document, spans[number], str(rng.choice(labels)), rng)
        elif kind == "missed":
            wrong = span
        elif kind == "label":
            others = [label for label in labels if label != span.label]
            wrong = Span(span.start, span.end, str(rng.choice(others)))
        else:
            wrong = _moved(document, span, rng)
        if wrong is None or any(e.overlaps(document.id, span.start, span.end) for e in errors):
            continue
        rest = spans[number] if kind == "spurious" else spans[number] - {span}
        if kind != "missed":
            if any(other.start < wrong.end and wrong.start < other.end for other in rest):
                continue
            rest = rest | {wrong}
        spans[number] = rest
        start, end = wrong.start, wrong.end
        if kind != "spurious":
            start, end = min(span.start, start), max(span.end, end)
        errors.append(GoldError(document.id, start, end, kind))
    corrupted = [d.with_spans(changed) for d, changed in zip(documents, spans, strict=True)]
    return corrupted, errors


def _added(
    document: Document, spans: Iterable[Span], label: str, rng: np.random.Generator
) -> Span | None:
    free = [
        match.span()
        for match in _NAME.finditer(document.text)
        if all(match.end() <= s.start or s.end <= match.start() for s in (*spans, *document.spans))
    ]
    if not free:
        return None
    start, end = free[int(rng.integers(len(free)))]
    return Span(start, end, label)


def _moved(document: Document, span: Span, rng: np.random.Generator) -> Span | None:
    words = [match.span() for match in _WORD.finditer(document.text, span.start, span.end)]
    following = _WORD.search(document.text, span.end)
    options = [Span(span.start, following.end(), span.label)] if following else []
    if len(words) > 1:
        options += [
            Span(words[1][0], span.end, span.label),
            Span(span.start, words[-2][1], span.label),
        ]
    options = [o for o in options if "\n" not in document.text[o.start : o.end]]
    return options[int(rng.integers(len(options)))] if options else None


def rank_tokens(documents: Sequence[Document], words: Path) -> list[Location]:
    """Rank tokens by cleanlab's label quality, the worst first.

    Adjacent tokens count once, at the rank of the first of them.

    Args:
        documents: the documents with the corrupted gold.
        words: file of the label probabilities of words that the audit wrote.
    """
    from cleanlab.token_classification.rank import get_label_quality_scores

    probabilities = [probabilities_from_json(record) for _, record in read_json_lines(words)]
    _, scores = get_label_quality_scores(
        [c.classes(d.spans).tolist() for d, c in zip(documents, probabilities, strict=True)],
        [c.values for c in probabilities],
    )
    ranked = sorted(
        (float(score), number, token)
        for number, by_token in enumerate(scores)
        for token, score in enumerate(by_token)
    )
    taken: set[tuple[int, int]] = set()
    locations = []
    for _, number, token in ranked:
        if not taken & {(number, token - 1), (number, token + 1)}:
            start, end = probabilities[number].words[token].tolist()
            locations.append((documents[number].id, start, end))
        taken.add((number, token))
        if len(locations) == max(DEPTHS):
            break
    return locations


def count_found(locations: Sequence[Location], errors: Sequence[GoldError], depth: int) -> int:
    """Return how many of the first locations overlap an error not counted before."""
    remaining = list(errors)
    for location in locations[:depth]:
        error = next((error for error in remaining if error.overlaps(*location)), None)
        if error is not None:
            remaining.remove(error)
    return len(errors) - len(remaining)


def find_errors(documents: Sequence[Document], gold: Sequence[Document]) -> list[GoldError]:
    """Return where documents differ from the adjudicated gold of the same articles."""
    errors = []
    for document, adjudicated in zip(documents, gold, strict=True):
        for difference in find_disagreements(document, adjudicated):
            spans = [span for span in (difference.first, difference.second) if span]
            start, end = min(span.start for span in spans), max(span.end for span in spans)
            errors.append(GoldError(document.id, start, end, difference.kind.reversed))
    return errors


def audit(gold: Path, work: Path, folds: int, settings: Sequence[str]) -> list[Location]:
    """Run `orbat annotate audit`, and return the locations of its issues, worst first."""
    output = work / "issues.jsonl"
    run_orbat(
        *("annotate", "audit", gold, "--work", work, "--output", output, "--top", max(DEPTHS)),
        *("--folds", folds, *(part for setting in settings for part in ("--set", setting))),
    )
    locations = []
    for _, record in read_json_lines(output):
        marks = [mark for mark in (record["gold"], record["predicted"]) if mark]
        locations.append(
            (record["document"], min(m["start"] for m in marks), max(m["end"] for m in marks))
        )
    return locations


def _describe(found: int, depth: int) -> str:
    """Return a number of found errors, and the precision with its interval."""
    low, high = wilson_interval(found / depth, depth)
    return f"{found} ({found / depth:.2f}; {low:.2f} to {high:.2f})"


def samples(options: argparse.Namespace) -> Iterator[Sample]:
    """Yield the golds with errors: those of the passes, or of each seed."""
    articles = list(read_documents(ARTICLES / "train.jsonl"))
    if not options.passes:
        for seed in range(options.seeds):
            corrupted, errors = plant_errors(articles[: options.documents], options.share, seed)
            yield Sample(f"seed-{seed}", seed, corrupted, errors)
        return
    texts = {article.id: article for article in articles}
    for name in options.passes.split(","):
        path = ARTICLES / f"{name}-pass.jsonl"
        documents = read_annotation_set(path, load_labels().names, texts).documents
        errors = find_errors(documents, [texts[document.id] for document in documents])
        for seed in range(options.seeds):
            yield Sample(f"{name}-pass-{seed}", seed, documents, errors)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--passes", help="first, second or both: first,second")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--documents", type=int)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    depths = "".join(f" found in the first {depth} |" for depth in DEPTHS)
    print(f"| gold | errors | ranking |{depths}\n|---|---|---|" + "---|" * len(DEPTHS))
    for sample in samples(options):
        work = options.runs / sample.name
        gold = work / "gold.jsonl"
        write_documents(gold, sample.documents)
        settings = [*options.settings, f"seed={sample.seed}"]
        rankings = {"orbat annotate audit": audit(gold, work, options.folds, settings)}
        rankings["cleanlab, tokens"] = rank_tokens(sample.documents, work / "words.jsonl")
        for ranking, locations in rankings.items():
            found = (count_found(locations, sample.errors, depth) for depth in DEPTHS)
            cells = " | ".join(map(_describe, found, DEPTHS))
            print(f"| {sample.name} | {len(sample.errors)} | {ranking} | {cells} |", flush=True)
        kinds = Counter(error.kind for error in sample.errors)
    print("\nErrors of the last gold:", json.dumps(kinds))


if __name__ == "__main__":
    main()
