"""Extraction of articles from web pages, compared with trafilatura alone in the same run.

    python -m orbat.evaluation.benchmarks.extraction FOLDER

FOLDER holds saved pages, NAME.html, and the hand-cleaned text of each, NAME.txt. Prints a Markdown
table of precision, recall and F1 over the tokens of each page as multisets, worst page first.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path
from statistics import fmean

from ...corpus.ingestion.pages.html import clean_html
from ...errors import InputError

_TOKEN = re.compile(r"\w+")
Scores = tuple[float, float, float]


def score(extracted: str, reference: str) -> Scores:
    """Return precision, recall and F1 of the extracted tokens."""
    actual, expected = (Counter(_TOKEN.findall(t.lower())) for t in (extracted, reference))
    both = (actual & expected).total()
    precision, recall = both / max(1, actual.total()), both / max(1, expected.total())
    return precision, recall, 2 * both / max(1, actual.total() + expected.total())


def extract_with_trafilatura(raw: bytes) -> str:
    """Return the title and text that trafilatura extracts from a page."""
    import trafilatura

    page = trafilatura.bare_extraction(raw, with_metadata=True)
    return f"{page.title or ''}\n{page.text or ''}" if page else ""


def extract_with_orbat(raw: bytes, location: str) -> str:
    """Return the text that `orbat corpus add` extracts from a page; empty if it is rejected."""
    try:
        return clean_html(raw, location).text
    except InputError:
        return ""


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    pages = sorted(parser.parse_args().folder.glob("*.html"))
    if not pages:
        parser.error("the folder has no NAME.html; it is not part of the repository")
    rows: list[tuple[str, Scores, Scores]] = []
    for page in pages:
        raw, reference = page.read_bytes(), page.with_suffix(".txt").read_text(encoding="utf-8")
        ours = score(extract_with_orbat(raw, page.name), reference)
        rows.append((page.stem, ours, score(extract_with_trafilatura(raw), reference)))
    rows.sort(key=lambda row: row[1][2])
    print("| page | precision | recall | F1 | trafilatura F1 |\n|---|---|---|---|---|")
    for name, ours, plain in rows:
        print(f"| {name} | {ours[0]:.3f} | {ours[1]:.3f} | {ours[2]:.3f} | {plain[2]:.3f} |")
    means = [fmean(row[1][index] for row in rows) for index in range(3)]
    plain_mean = fmean(row[2][2] for row in rows)
    print(
        f"| **mean of {len(rows)}** | {means[0]:.3f} | {means[1]:.3f} | **{means[2]:.3f}** "
        f"| **{plain_mean:.3f}** |"
    )
    low = sum(ours[2] < 0.85 for _, ours, _ in rows)
    plain_low = sum(plain[2] < 0.85 for _, _, plain in rows)
    print(f"\nPages below 0.85: {low}; with trafilatura alone: {plain_low}.")


if __name__ == "__main__":
    main()
