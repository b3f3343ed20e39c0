"""Precision of the audit of labels, compared with cleanlab's ranking of tokens.

    python -m orbat.evaluation.benchmarks.label_issues RUNS [--share 0.05] [--seeds 3]

Plants errors into the gold of the shipped train articles: removed spans, spans added on words that
look like names, changed labels, boundaries moved by a word. `orbat annotate audit` trains in folds
on the corrupted gold. Its issues, and cleanlab's token ranking on the same predictions, are
compared with the planted errors. An issue that was not planted may be a real error of the gold, but
counts as wrong. Runs are kept in RUNS. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...annotation.word_probabilities import probabilities_from_json
from ...corpus.document import Document, Span
from ...corpus.files import read_documents, read_json_lines, write_documents
from ...corpus.labels import load_labels
from .common import ARTICLES, run_orbat

KINDS = ("missed", "spurious", "label", "boundary")
DEPTHS = (50, 100)
_NAME = re.compile(r"\b[A-Z]\w+(?: [A-Z]\w+)*")
_WORD = re.compile(r"\w+|[^\w\s]")

Location = tuple[str, int, int]
"""A part of a text: document id, start and end (exclusive)."""


@dataclass(frozen=True)
class PlantedError:
    """A planted error: its document, offsets and kind."""

    doc_id: str
    start: int
    end: int
    kind: str

    def overlaps(self, doc_id: str, start: int, end: int) -> bool:
        """Return whether a part of a document overlaps the error."""
        return doc_id == self.doc_id and start < self.end and self.start < end


def plant_errors(
    documents: Sequence[Document], share: float, seed: int
) -> tuple[list[Document], list[PlantedError]]:
    """Plant errors into a share of the spans, each kind equally often."""
    rng = np.random.default_rng(seed)
    labels = load_labels().names
    candidates = [(d, s) for d, document in enumerate(documents) for s in document.spans]
    count = round(len(candidates) * share)
    spans = [set(document.spans) for document in documents]
    errors: list[PlantedError] = []
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
        errors.append(PlantedError(document.id, start, end, kind))
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


def precision(locations: Sequence[Location], errors: Sequence[PlantedError], depth: int) -> float:
    """Return the share of the first locations that overlap an error not counted before."""
    remaining = list(errors)
    hits = 0
    for location in locations[:depth]:
        error = next((error for error in remaining if error.overlaps(*location)), None)
        if error is not None:
            hits += 1
            remaining.remove(error)
    return hits / depth


def audit(gold: Path, work: Path, settings: Sequence[str]) -> list[Location]:
    """Run `orbat annotate audit`, and return the locations of its issues, worst first."""
    output = work / "issues.jsonl"
    run_orbat(
        *("annotate", "audit", gold, "--work", work, "--output", output, "--top", max(DEPTHS)),
        *(part for setting in settings for part in ("--set", setting)),
    )
    locations = []
    for _, record in read_json_lines(output):
        marks = [mark for mark in (record["gold"], record["predicted"]) if mark]
        locations.append(
            (record["document"], min(m["start"] for m in marks), max(m["end"] for m in marks))
        )
    return locations


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    documents = list(read_documents(ARTICLES / "train.jsonl"))
    print("| seed | errors | ranking | precision at 50 | precision at 100 |\n|---|---|---|---|---|")
    for seed in range(options.seeds):
        work = options.runs / f"seed-{seed}"
        corrupted, errors = plant_errors(documents, options.share, seed)
        write_documents(work / "gold.jsonl", corrupted)
        settings = [*options.settings, f"seed={seed}"]
        rankings = {"orbat annotate audit": audit(work / "gold.jsonl", work, settings)}
        rankings["cleanlab, tokens"] = rank_tokens(corrupted, work / "words.jsonl")
        for name, locations in rankings.items():
            cells = " | ".join(f"{precision(locations, errors, depth):.2f}" for depth in DEPTHS)
            print(f"| {seed} | {len(errors)} | {name} | {cells} |", flush=True)
    kinds = {kind: sum(error.kind == kind for error in errors) for kind in KINDS}
    print("\nPlanted with the last seed:", json.dumps(kinds))


if __name__ == "__main__":
    main()
