"""Invented German news with one label and empty metadata: data of somebody else."""

from __future__ import annotations

from pathlib import Path

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents, write_text

LABELS = 'name = "orte"\n\n[[label]]\nname = "ORT"\n'
"""A label set without colors, keys and everything else that may be left out."""
_TOWNS = (
    *("Köln", "Leipzig", "Bremen", "Dresden", "Bonn", "Lübeck", "Rostock", "Weimar", "Fulda"),
    *("Kiel", "Mainz", "Trier"),
)
_SENTENCES = (
    "Der Zug nach {town} fiel gestern wegen eines schweren Sturms aus.",
    "Viele Gäste reisten aus {town} an und blieben über Nacht.",
    "Am Markt in {town} spielte die Kapelle bis weit nach Mitternacht.",
    "Erst im März öffnet das neue Museum in {town} wieder seine Türen.",
    "Rund um {town} standen die Wiesen tagelang unter Wasser.",
)
_WITHOUT_TOWN = "Niemand wusste, wann der Regen in diesem Jahr endlich aufhört."


def german_news() -> list[Document]:
    """Return 61 documents of a sentence each; the last one has no span."""
    documents = []
    for number in range(len(_TOWNS) * len(_SENTENCES)):
        town = _TOWNS[number % len(_TOWNS)]
        sentence = _SENTENCES[(number + number // len(_TOWNS)) % len(_SENTENCES)]
        start = sentence.index("{town}")
        text = sentence.format(town=town)
        documents.append(Document(f"n{number}", text, (Span(start, start + len(town), "ORT"),)))
    return [*documents, Document("n-ohne", _WITHOUT_TOWN)]


def write_german_news(folder: Path) -> None:
    """Write the documents as `train.jsonl`, `dev.jsonl` and `test.jsonl`, and `labels.toml`."""
    documents = german_news()
    for name, part in (
        ("train", documents[:24]),
        ("dev", documents[24:30]),
        ("test", documents[30:]),
    ):
        write_documents(folder / f"{name}.jsonl", part)
    write_documents(folder / "all.jsonl", documents)
    write_text(folder / "labels.toml", LABELS)
