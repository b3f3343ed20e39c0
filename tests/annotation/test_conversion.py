"""Corpora in other makers' forms become documents, and nothing is lost in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.conversion import Losses, convert_documents, read_brat
from corpus.document import Span
from corpus.files import read_documents
from tests.conftest import Orbat

TEXT = "Gen. Ada Osei — né à Kumasi 🎖 —\r\nled the 4th Brigade of the Army."


def write_brat(folder: Path, lines: list[str], text: str = TEXT, name: str = "a") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes("\n".join(lines).encode())
    return folder


def annotation(number: int, label: str, quote: str, text: str = TEXT) -> str:
    start = text.index(quote)
    return f"T{number}\t{label} {start} {start + len(quote)}\t{quote}"


def test_brat_spans_stand_where_they_stood(orbat: Orbat, tmp_path: Path) -> None:
    lines = [
        annotation(1, "Rank", "Gen."),
        annotation(2, "Organization", "4th Brigade"),
        annotation(3, "Organization", "4th Brigade of the Army"),
        "R1\thas_rank Arg1:T1 Arg2:T2",
        "T4\tOrganization 0 3;5 8\tGen Ada",
        "#1\tAnnotatorNotes T1\tsure",
    ]
    folder = write_brat(tmp_path / "brat", lines)
    outcome = orbat(
        *("annotate", "convert", folder, tmp_path / "out.jsonl", "--from", "brat", "--to", "jsonl")
    )
    assert outcome.code == 0, outcome.err
    (document,) = read_documents(tmp_path / "out.jsonl")
    assert (document.id, document.text) == ("a", TEXT)
    assert [(s.label, TEXT[s.start : s.end]) for s in document.spans] == [
        ("Rank", "Gen."),
        ("Organization", "4th Brigade of the Army"),
    ]
    assert outcome.err.splitlines() == [
        "left out: 1 discontinuous annotations",
        "left out: 1 notes",
        "left out: 1 overlapping annotations",
        "left out: 1 relations",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.data())
def test_any_brat_span_is_the_text_that_brat_shows(
    tmp_path_factory: pytest.TempPathFactory, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    # brat shows line breaks as spaces, for its file has one annotation on each line.
    quote = text[start:end].replace("\n", " ")
    folder = write_brat(tmp_path_factory.mktemp("brat"), [f"T1\tUnit {start} {end}\t{quote}"], text)
    losses = Losses()
    (document,) = read_brat(folder, losses)
    assert document.text == text
    if document.spans:
        (span,) = document.spans
        assert text[span.start : span.end] == text[start:end].strip()
    else:
        assert not text[start:end].strip()
        assert losses == {"blank annotations": 1}


def test_re3d_leaves_out_what_its_makers_rejected(tmp_path: Path) -> None:
    source = tmp_path / "re3d" / "SOURCE"
    source.mkdir(parents=True)
    text = "The “4th” Brigade\u2028left on 8 Jan."
    (source / "documents.json").write_text(
        json.dumps({"_id": "x", "text": text, "sourceUrl": "http://a.test/"}, ensure_ascii=False)
    )
    entities = [
        {"begin": 4, "end": 17, "type": "Organisation", "value": "'4th' Brigade", "confidence": 1},
        {"begin": 26, "end": 27, "type": "Quantity", "value": "8", "confidence": 0},
        {"begin": 26, "end": 32, "type": "Temporal", "value": "8 Jan.", "confidence": 1},
    ]
    (source / "entities.json").write_text(
        "\n".join(json.dumps({**entity, "documentId": "x"}) for entity in entities)
    )
    losses = Losses()
    (document,) = convert_documents(tmp_path, "re3d", losses, ["Organisation"])
    assert document.spans == (Span(4, 17, "Organisation"),)
    assert document.meta == {"source": "SOURCE", "url": "http://a.test/"}
    assert losses == {"rejected annotations": 1, "annotations of other labels": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T1\tRank 0 4\tMaj.", "'Maj.' does not stand at 0 to 4"),
        ("T1\tRank 60 400\tGen.", "does not stand at 60 to 400"),
        ("T1 Rank 0 4 Gen.", "not 'ID<tab>LABEL START END<tab>TEXT'"),
        ("T1\tRank 0 x\tGen.", "not 'ID<tab>LABEL START END<tab>TEXT'"),
    ],
)
def test_a_bad_line_is_named(
    line: str, reason: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    folder = write_brat(tmp_path / "brat", [annotation(1, "Rank", "Gen."), line])
    message = refused("annotate", "convert", folder, tmp_path / "o.jsonl", "--from", "brat")
    assert message.startswith(f"{folder / 'a.ann'}:2: ")
    assert reason in message
    assert not (tmp_path / "o.jsonl").exists()


def test_a_missing_text_and_an_unknown_form_are_named(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    folder = write_brat(tmp_path / "brat", [annotation(1, "Rank", "Gen.")])
    (folder / "a.txt").unlink()
    target = tmp_path / "o.jsonl"
    assert "a.txt: missing" in refused("annotate", "convert", folder, target, "--from", "brat")
    assert "no .ann files" in refused(
        "annotate", "convert", tmp_path / "no", target, "--from", "brat"
    )
    assert "brat, re3d" in refused("annotate", "convert", folder, target, "--from", "word")
