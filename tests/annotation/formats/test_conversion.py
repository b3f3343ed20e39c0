"""Conversion between formats: what is kept, and that the rest is reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbat.annotation.formats.conversion import convert, read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.document import Document, Span, document_to_json
from orbat.corpus.files import read_documents, write_documents
from orbat.ui import Progress
from tests.conftest import Orbat
from tests.corpus.test_document import HARD_TEXT, documents

TEXT = "Gen. Ada Osei — né à Kumasi 🎖 —\r\nled the 4th Brigade of the Army."


def write_brat(folder: Path, lines: list[str], text: str = TEXT, name: str = "a") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes("\n".join(lines).encode())
    return folder


def annotation(number: int, label: str, quote: str, text: str = TEXT) -> str:
    start = text.index(quote)
    return f"T{number}\t{label} {start} {start + len(quote)}\t{quote}"


def test_brat_spans_keep_their_offsets(orbat: Orbat, tmp_path: Path) -> None:
    lines = [
        annotation(1, "Rank", "Gen."),
        annotation(2, "Organization", "4th Brigade"),
        annotation(3, "Organization", "4th Brigade of the Army"),
        "R1\thas_rank Arg1:T1 Arg2:T2",
        "T4\tOrganization 0 3;5 8\tGen Ada",
        "#1\tAnnotatorNotes T1\tsure",
        "#2\tAnnotatorNotes R1\tnot sure",
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
    assert [span.note for span in document.spans] == ["sure", None]
    assert outcome.err.splitlines() == [
        "dropped: discontinuous annotations (1)",
        "dropped: notes (1)",
        "dropped: overlapping annotations (1) in 1 document: a",
        "dropped: relations (1)",
    ]


def test_a_byte_order_mark_before_brat_annotations_is_no_annotation(tmp_path: Path) -> None:
    folder = write_brat(tmp_path / "brat", ["\ufeffT1\tRank 0 4\tGen.\r"], "Gen. Doe left.")
    report = ConversionReport()
    (document,) = read_format(folder, "brat", report)
    assert [(span.start, span.end, span.label) for span in document.spans] == [(0, 4, "Rank")]
    assert not report.dropped


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.data())
def test_any_brat_span_is_the_text_that_brat_shows(
    tmp_path_factory: pytest.TempPathFactory, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    # brat writes line breaks as spaces, because its file has one annotation per line.
    quote = text[start:end].replace("\n", " ")
    folder = write_brat(tmp_path_factory.mktemp("brat"), [f"T1\tUnit {start} {end}\t{quote}"], text)
    report = ConversionReport()
    (document,) = read_format(folder, "brat", report)
    assert document.text == text
    if document.spans:
        (span,) = document.spans
        assert text[span.start : span.end] == text[start:end].strip()
    else:
        assert not text[start:end].strip()
        assert report.dropped == {"blank annotations": 1}


def test_entities_that_the_authors_of_re3d_rejected_are_dropped(tmp_path: Path) -> None:
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
    report = ConversionReport()
    (document,) = read_format(tmp_path, "re3d", report, ["Organisation"])
    assert document.spans == (Span(4, 17, "Organisation"),)
    assert document.meta == {"source": "SOURCE", "url": "http://a.test/"}
    assert report.dropped == {"rejected annotations": 1, "annotations of other labels": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T1\tRank 0 4\tMaj.", "expected 'Maj.' at 0-4"),
        ("T1\tRank 60 400\tGen.", "the span 60-400 is not in the text of 65 characters"),
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


def test_a_missing_text_and_an_unknown_format_are_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    folder = write_brat(tmp_path / "brat", [annotation(1, "Rank", "Gen.")])
    (folder / "a.txt").unlink()
    target = tmp_path / "o.jsonl"
    assert "a.txt: missing" in refused("annotate", "convert", folder, target, "--from", "brat")
    assert "no .ann files" in refused(
        "annotate", "convert", tmp_path / "no", target, "--from", "brat"
    )
    assert "unknown format 'word'; choose one of jsonl, doccano, brat" in refused(
        "annotate", "convert", folder, target, "--from", "word"
    )


# -- every format ------------------------------------------------------------------------------

KEEP_ALL = ("jsonl", "doccano", "docbin", "labelstudio", "prodigy", "datasets")
"""Formats that keep id, text, spans and metadata."""
TOKENS_ONLY = ("conll", "iob", "words-tags")


def test_conversion_can_be_called_from_python(tmp_path: Path) -> None:
    sent = [Document(f"d{n}", "Gen. Osei", (Span(0, 4, "RANK", score=0.5),)) for n in range(3)]
    write_documents(tmp_path / "a.jsonl", sent)
    calls: list[Progress] = []
    report = convert(
        *(tmp_path / "a.jsonl", tmp_path / "a.prodigy", "jsonl", "prodigy"),
        on_progress=calls.append,
    )
    assert (report.documents, report.dropped) == (3, {"span scores": 3})
    assert [progress.completed for progress in calls] == [1, 2, 3]
    back = convert(tmp_path / "a.prodigy", tmp_path / "b.jsonl", "prodigy", labels=["UNIT"])
    assert (back.documents, back.dropped) == (3, {"annotations of other labels": 3})
    assert [document.spans for document in read_documents(tmp_path / "b.jsonl")] == [()] * 3


def there_and_back(
    folder: Path, format_name: str, many: list[Document], **options: str
) -> tuple[list[Document], ConversionReport]:
    report = ConversionReport()
    count = write_format(folder / "there", format_name, many, report, **options)
    assert count == len(many)
    back = ConversionReport()
    read = list(read_format(folder / "there", format_name, back))
    assert not back.dropped
    return read, report


def renamed(many: list[Document]) -> list[Document]:
    # Texts of white space alone have no token to tag; NUL and empty texts no tool takes.
    hard = Document("", HARD_TEXT, (Span(2, 6, "RANK"),))
    return [
        Document(f"desk/{n}", d.text, d.spans, {"source": "Desk", "n": n})
        for n, d in enumerate([hard, *many])
        if d.text.strip() and "\0" not in d.text
    ]


@pytest.mark.parametrize("format_name", KEEP_ALL)
@given(many=st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_formats_with_offsets_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, format_name: str, many: list[Document]
) -> None:
    sent = renamed(many)
    read, report = there_and_back(tmp_path_factory.mktemp("x"), format_name, sent)
    assert list(map(document_to_json, read)) == list(map(document_to_json, sent))
    assert not report.dropped


@pytest.mark.parametrize("format_name", ["brat", "re3d"])
@given(many=st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_standoff_keeps_texts_and_spans(
    tmp_path_factory: pytest.TempPathFactory, format_name: str, many: list[Document]
) -> None:
    sent = renamed(many)
    read, report = there_and_back(tmp_path_factory.mktemp("x"), format_name, sent)
    assert {d.id: (d.text, d.spans) for d in read} == {d.id: (d.text, d.spans) for d in sent}
    assert report.dropped == {"document metadata": len(sent)}


@pytest.mark.parametrize("scheme", ["bio", "bilou"])
@pytest.mark.parametrize("format_name", TOKENS_ONLY)
@given(many=st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_words_and_tags_keep_every_span_and_report_the_rest(
    tmp_path_factory: pytest.TempPathFactory, format_name: str, scheme: str, many: list[Document]
) -> None:
    sent = renamed(many)
    read, report = there_and_back(tmp_path_factory.mktemp("x"), format_name, sent, scheme=scheme)

    def marked(document: Document) -> list[tuple[str, str]]:
        return [("".join(document.text[s.start : s.end].split()), s.label) for s in document.spans]

    assert [marked(d) for d in read] == [marked(d) for d in sent]
    assert ["".join(d.text.split()) for d in read] == ["".join(d.text.split()) for d in sent]
    changed = sum(a.text != b.text for a, b in zip(read, sent, strict=True))
    assert report.dropped["original whitespace"] == changed
    assert report.dropped["document ids"] == len(sent)


def test_the_command_reports_what_a_format_cannot_keep(orbat: Orbat, tmp_path: Path) -> None:
    text = "Gen. Osei  led the 4th Brigade."
    spans = (Span(0, 4, "RANK", "ann", 0.5, "sure"), Span(19, 30, "UNIT", "ann"))
    write_documents(tmp_path / "a.jsonl", [Document("a", text, spans, {"url": "http://a.test"})])

    def convert(format_name: str) -> list[str]:
        out = orbat(
            *("annotate", "convert", tmp_path / "a.jsonl", tmp_path / format_name),
            *("--from", "jsonl", "--to", format_name),
        )
        assert out.code == 0, out.err
        return [line.removeprefix("dropped: ") for line in out.err.splitlines()]

    assert convert("jsonl") == []
    assert convert("brat") == ["document metadata (1)", "span annotators (2)", "span scores (1)"]
    assert convert("labelstudio") == ["span annotators (2)"]
    assert convert("conll") == [
        "document ids (1)",
        "document metadata (1)",
        "original whitespace (1)",
        "span annotators (2)",
        "span notes (1)",
        "span scores (1)",
    ]
    assert (tmp_path / "conll").read_text().splitlines() == [
        *("Gen -X- -X- B-RANK", ". -X- -X- I-RANK"),
        *("Osei -X- -X- O", "led -X- -X- O", "the -X- -X- O"),
        *("4th -X- -X- B-UNIT", "Brigade -X- -X- I-UNIT", ". -X- -X- O", ""),
    ]
    # An existing folder is not overwritten.
    (tmp_path / "brat" / "mine.txt").write_text("mine")
    again = orbat(
        *("annotate", "convert", tmp_path / "a.jsonl", tmp_path / "brat"),
        *("--from", "jsonl", "--to", "brat"),
    )
    assert (again.code, "exists already" in again.err) == (2, True)


def test_spacy_and_datasets_read_what_was_written(tmp_path: Path) -> None:
    import datasets
    import spacy
    from spacy.tokens import DocBin

    document = Document("a", "Gen.Osei led 4th\nBde", (Span(0, 4, "RANK"), Span(13, 20, "UNIT")))
    write_format(tmp_path / "a.spacy", "docbin", [document], ConversionReport())
    (doc,) = DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab)
    assert [(e.text, e.label_) for e in doc.ents] == [("Gen.", "RANK"), ("4th\nBde", "UNIT")]
    write_format(tmp_path / "set", "datasets", [document], ConversionReport(), ("UNIT", "RANK"))
    loaded = datasets.load_from_disk(str(tmp_path / "set"))
    tags = loaded.features["ner_tags"].feature
    assert tags.names == ["O", "B-UNIT", "I-UNIT", "B-RANK", "I-RANK"]
    assert loaded[0]["tokens"] == ["Gen", ".", "Osei", "led", "4th", "Bde"]
    assert tags.int2str(loaded[0]["ner_tags"]) == ["B-RANK", "I-RANK", "O", "O", "B-UNIT", "I-UNIT"]
    # As others make them: tokens and tags alone, in splits or as Parquet.
    tagged = loaded.select_columns(["tokens", "ner_tags"])
    datasets.DatasetDict(train=tagged, test=tagged).save_to_disk(tmp_path / "splits")
    tagged.to_parquet(tmp_path / "tagged.parquet")
    both = list(read_format(tmp_path / "splits", "datasets", ConversionReport()))
    assert [d.meta["split"] for d in both] == ["train", "test"]
    (one,) = read_format(tmp_path / "tagged.parquet", "datasets", ConversionReport())
    assert one.text == both[0].text == "Gen . Osei led 4th Bde"
    assert [(one.text[s.start : s.end], s.label) for s in one.spans] == [
        ("Gen .", "RANK"),
        ("4th Bde", "UNIT"),
    ]


@pytest.mark.parametrize(
    ("format_name", "content", "reason"),
    [
        ("conll", "Gen. B-RANK\nOsei NNP O", ":2: 3 columns, expected 2"),
        ("iob", "a O\nGen. RANK\n1st B-UNIT", ":2: unknown tag 'RANK'; expected tags such as O"),
        ("iob", "", "is empty"),
        ("docbin", "no box", "not a DocBin"),
        ("datasets", "no parquet", "no data set can be loaded"),
    ],
)
def test_broken_files_of_every_format_are_refused(
    refused: Callable[..., str], tmp_path: Path, format_name: str, content: str, reason: str
) -> None:
    path = tmp_path / "in.txt"
    path.write_text(content)
    message = refused("annotate", "convert", path, tmp_path / "o.jsonl", "--from", format_name)
    assert message.startswith(str(path))
    assert reason in message
    assert not (tmp_path / "o.jsonl").exists()
