"""Robustness: scores on transformed documents, and the differences to those as written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.evaluation.report.tables import robustness_table
from orbat.evaluation.robustness.measurement import measure_robustness

TEXT = (
    "A headline\n\nGen. O'Hara left the 4th Division, which is far away, and he met Gen. Doe there."
)


def tag(documents: Iterable[Document]) -> Iterator[Document]:
    """Take "Gen." for a rank, and "4th Division" for a unit unless a line ends inside it."""
    for document in documents:
        spans = [Span(*match.span(), "RANK") for match in re.finditer(r"Gen\.", document.text)]
        for match in re.finditer(r"(?i)4th[ \xa0]+division", document.text):
            spans.append(Span(*match.span(), "UNIT"))
        yield document.with_spans(spans)


@pytest.fixture
def gold() -> list[Document]:
    return list(tag(Document(f"d{number}", TEXT) for number in range(12)))


def test_each_version_is_scored_and_compared(gold: list[Document]) -> None:
    tagged: list[str] = []

    def counted(documents: Iterable[Document]) -> Iterator[Document]:
        documents = list(documents)
        tagged.append(documents[0].text)
        return tag(documents)

    robustness = measure_robustness(gold, counted, ["RANK", "UNIT"], tagged=gold)
    assert len(tagged) == 6
    by_name = {version.name: version for version in robustness.versions}
    written, lower, capitals = (by_name[n] for n in ("as written", "lower case", "capitals"))
    assert (written.score.f1, written.changed, written.difference) == (1.0, 0, None)
    # Of three gold spans, only the unit is found in another case.
    assert (lower.score.precision, lower.score.recall) == (1.0, pytest.approx(1 / 3))
    assert lower.labels["RANK"].f1 == 0.0
    assert (lower.labels["UNIT"].f1, lower.changed) == (1.0, 12)
    assert lower.difference is not None
    assert lower.difference.f1 == pytest.approx(0.5 - 1)
    assert lower.difference.low is not None
    assert lower.difference.p is not None
    assert lower.difference.p < 0.05
    assert capitals.score == lower.score
    assert by_name["irregular blanks"].score.f1 == 1.0
    assert by_name["typographic quotes"].changed == 12
    assert by_name["straight quotes"].changed == 0
    table = robustness_table(robustness)
    assert table.rows[1][:4] == ("lower case", 1.0, pytest.approx(1 / 3), 0.5)
    assert table.rows[1][4] == "-0.500 (-0.500 to -0.500)"
    assert "straight quotes 0" in table.note


def test_files_of_predictions_cannot_be_tagged_again(
    refused: Callable[..., str], gold: list[Document], tmp_path: Path
) -> None:
    write_documents(tmp_path / "gold.jsonl", gold)
    path = tmp_path / "gold.jsonl"
    message = refused("evaluate", "--predictions", path, path, "--robustness")
    assert message.startswith("--robustness tags the documents again")
