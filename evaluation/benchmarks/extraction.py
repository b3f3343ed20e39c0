"""How well articles are taken out of web pages, beside trafilatura's plain call in the same run.

    python -m orbat.evaluation.benchmarks.extraction FOLDER

FOLDER holds saved pages, NAME.html, and the hand-cleaned text of each, NAME.txt. Prints a Markdown
table: precision, recall and F1 over the tokens of each page, as multisets, worst page first.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from statistics import fmean

from ...corpus.ingestion.html import clean_html
from ...errors import InputError

_TOKEN = re.compile(r"\w+")
Scores = tuple[float, float, float]


def score(found: str, wanted: str) -> Scores:
    """Return precision, recall and F1 of the tokens found."""
    got, due = (Counter(_TOKEN.findall(text.lower())) for text in (found, wanted))
    both = (got & due).total()
    precision, recall = both / max(1, got.total()), both / max(1, due.total())
    return precision, recall, 2 * both / max(1, got.total() + due.total())


def extract_plainly(raw: bytes) -> str:
    """Return what trafilatura gives when asked for the article of a page, title and text."""
    import trafilatura

    page = trafilatura.bare_extraction(raw, with_metadata=True)
    return f"{page.title or ''}\n{page.text or ''}" if page else ""


def extract_ours(raw: bytes, where: str) -> str:
    """Return what `orbat corpus add` keeps of a page; nothing where it leaves the page out."""
    try:
        return clean_html(raw, where).text
    except InputError:
        return ""


def main() -> None:
    """Run the benchmark and print its table."""
    if len(sys.argv) != 2 or not (pages := sorted(Path(sys.argv[1]).glob("*.html"))):
        sys.exit("name a folder of NAME.html and NAME.txt; it is not part of this repository")
    rows: list[tuple[str, Scores, Scores]] = []
    for page in pages:
        raw, wanted = page.read_bytes(), page.with_suffix(".txt").read_text(encoding="utf-8")
        ours = score(extract_ours(raw, page.name), wanted)
        rows.append((page.stem, ours, score(extract_plainly(raw), wanted)))
    rows.sort(key=lambda row: row[1][2])
    print("| page | precision | recall | F1 | plain trafilatura F1 |\n|---|---|---|---|---|")
    for name, ours, plain in rows:
        print(f"| {name} | {ours[0]:.3f} | {ours[1]:.3f} | {ours[2]:.3f} | {plain[2]:.3f} |")
    means = [fmean(row[1][place] for row in rows) for place in range(3)]
    plain_mean = fmean(row[2][2] for row in rows)
    print(
        f"| **mean of {len(rows)}** | {means[0]:.3f} | {means[1]:.3f} | **{means[2]:.3f}** "
        f"| **{plain_mean:.3f}** |"
    )
    low = sum(ours[2] < 0.85 for _, ours, _ in rows)
    plain_low = sum(plain[2] < 0.85 for _, _, plain in rows)
    print(f"\nPages below 0.85: {low}; by the plain call {plain_low}.")


if __name__ == "__main__":
    main()
