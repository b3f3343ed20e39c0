"""The values of mentions in the outputs of `orbat tag`, in spaCy and in a table of entities."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.ingestion.sources import read_articles
from orbat.errors import InputError
from orbat.models.bulk.writers import write_output
from orbat.models.component import EntityTagger
from orbat.training.tagger.mentions import Mention
from orbat.training.value_tables import load_value_tables
from tests.conftest import Orbat

TEXT = "U.S. Navy Capt. Ann Doe met troops of the 82nd Airborne Division. Captain Bo Roe waved."


@pytest.fixture(scope="module")
def run(
    orbat: Orbat, train_articles: list[Document], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run of the rules, which need no training."""
    folder = tmp_path_factory.mktemp("rules")
    write_documents(folder / "train.jsonl", train_articles[:4])
    write_documents(folder / "dev.jsonl", train_articles[4:8])
    outcome = orbat(
        *("train", "baseline-rules", "--train", folder / "train.jsonl"),
        *("--dev", folder / "dev.jsonl", "--output", folder / "run"),
    )
    assert outcome.code == 0, outcome.err
    return folder / "run"


def tag(orbat: Orbat, run: Path, folder: Path, name: str, *options: object) -> Path:
    write_documents(folder / "in.jsonl", [Document("a", TEXT)])
    outcome = orbat("tag", run, folder / "in.jsonl", "--output", folder / name, *options)
    assert outcome.code == 0, outcome.err
    return folder / name


def test_all_outputs_have_the_same_values(orbat: Orbat, run: Path, tmp_path: Path) -> None:
    (document,) = read_documents(tag(orbat, run, tmp_path, "out.jsonl"))
    captain, division, unknown = document.spans
    assert captain.norm is not None and division.norm is not None and unknown.norm is not None
    assert captain.norm["values"]["nato"] == "OF-5"
    assert captain.norm["id"] == "rank/captain/of-5"
    assert division.norm["values"]["country"] == "US"
    assert set(unknown.norm["open"]["nato"]) == {"OF-2", "OF-5"}

    norms = [span.norm for span in document.spans]
    tag(orbat, run, tmp_path, "out.parquet")
    (raw,) = read_articles([tmp_path / "out.parquet"])
    assert [span["norm"] for span in raw.record["spans"]] == norms  # type: ignore[union-attr]
    tag(orbat, run, tmp_path, "out.spacy")
    (from_docbin,) = read_format(tmp_path / "out.spacy", "docbin", ConversionReport())
    assert [span.norm for span in from_docbin.spans] == norms


def test_docbin_has_values_and_ids_as_span_attributes(
    orbat: Orbat, run: Path, tmp_path: Path
) -> None:
    import spacy
    from spacy.tokens import DocBin

    path = tag(orbat, run, tmp_path, "out.spacy")
    (doc,) = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
    assert doc.ents[0].kb_id_ == "rank/captain/of-5"
    assert doc.ents[0]._.norm["values"]["service"] == "navy"
    assert doc.ents[2].kb_id_ == ""


def test_docbin_has_the_scores(tmp_path: Path) -> None:
    tagged = Document("a", "Capt. Doe", (Span(0, 5, "RANK", score=0.75), Span(6, 9, "PER")))
    write_documents(tmp_path / "part", [tagged])
    write_output(tmp_path / "part", tmp_path / "out.spacy")
    (document,) = read_format(tmp_path / "out.spacy", "docbin", ConversionReport())
    assert [span.score for span in document.spans] == [0.75, None]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_has_one_row_per_entity(
    orbat: Orbat, run: Path, tmp_path: Path, suffix: str
) -> None:
    table = tmp_path / f"entities.{suffix}"
    tag(orbat, run, tmp_path, "out.jsonl", "--table", table)
    if suffix == "csv":
        with table.open(encoding="utf-8", newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
    else:
        import pyarrow.parquet

        rows = pyarrow.parquet.read_table(table).to_pylist()
    assert [(row["document"], row["text"], row["label"]) for row in rows] == [
        ("a", "Capt.", "RANK"),
        ("a", "82nd Airborne Division", "UNIT"),
        ("a", "Captain", "RANK"),
    ]
    captain, division, unknown = rows
    assert (captain["nato"], captain["service"]) == ("OF-5", "navy")
    assert (division["echelon"], division["number"], division["id"]) == (
        *("division", "82"),
        "unit/us/82nd-airborne-division",
    )
    assert unknown["nato"] == "OF-5 or OF-2"
    assert not captain["portfolio"]
    assert TEXT[int(captain["start"]) : int(captain["end"])] == "Capt."


@pytest.mark.parametrize(
    ("table", "message"),
    [("entities.txt", "ends in .csv or .parquet"), ("out.parquet", "is the output as well")],
)
def test_a_table_that_cannot_be_written_is_refused(
    orbat: Orbat, run: Path, tmp_path: Path, table: str, message: str
) -> None:
    write_documents(tmp_path / "in.jsonl", [Document("a", TEXT)])
    outcome = orbat(
        *("tag", run, tmp_path / "in.jsonl", "--output", tmp_path / "out.parquet"),
        *("--table", tmp_path / table),
    )
    assert outcome.code == 2
    assert message in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_record_with_a_broken_norm_is_refused(tmp_path: Path) -> None:
    record = {"id": "a", "text": "Gen. Doe", "spans": [{"start": 0, "end": 4, "label": "RANK"}]}
    record["spans"][0]["norm"] = {"nato": "OF-9"}  # type: ignore[index]
    (tmp_path / "bad.jsonl").write_text(json.dumps(record) + "\n")
    with pytest.raises(InputError, match="field 'norm' must be an object with id, open, reasons"):
        list(read_documents(tmp_path / "bad.jsonl"))


@pytest.mark.parametrize("spans_key", [None, "news"])
def test_the_component_sets_values_and_ids(spans_key: str | None) -> None:
    import spacy

    component = EntityTagger("news", spans_key=spans_key)
    component.load_files({"values.json": load_value_tables().to_bytes()})
    nlp = spacy.blank("en")
    doc = nlp.make_doc(TEXT)
    component.set_mentions(doc, [Mention(10, 15, "RANK", 0.9), Mention(20, 23, "OTHER", 0.9)])
    entity, other = doc.spans["news"] if spans_key else doc.ents
    assert (entity.text, entity.kb_id_) == ("Capt.", "rank/captain/of-5")
    assert entity._.norm["values"]["country"] == "US"
    assert (other._.norm, other.kb_id_) == (None, "")
