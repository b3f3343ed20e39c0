"""Corpora in other makers' forms become documents, and nothing is lost in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbat.annotation.formats.brat import read_brat
from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.document import Document, Span, document_to_json
from orbat.corpus.files import read_documents, write_documents
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


def test_brat_spans_stand_where_they_stood(orbat: Orbat, tmp_path: Path) -> None:
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
    losses = ConversionReport()
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
    losses = ConversionReport()
    (document,) = read_format(tmp_path, "re3d", losses, ["Organisation"])
    assert document.spans == (Span(4, 17, "Organisation"),)
    assert document.meta == {"source": "SOURCE", "url": "http://a.test/"}
    assert +losses == {"rejected annotations": 1, "annotations of other labels": 1}


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
    assert "unknown form 'word'; choose one of jsonl, doccano, brat" in refused(
        "annotate", "convert", folder, target, "--from", "word"
    )


# -- every form -------------------------------------------------------------------------------

KEEP_ALL = ("jsonl", "doccano", "docbin", "labelstudio", "prodigy", "datasets")
"""Forms that keep id, text, spans and meta."""
TOKENS_ONLY = ("conll", "iob", "words-tags")


def there_and_back(
    folder: Path, form: str, many: list[Document], **options: str
) -> tuple[list[Document], ConversionReport]:
    losses = ConversionReport()
    count = write_format(folder / "there", form, many, losses, **options)
    assert count == len(many)
    back = ConversionReport()
    read = list(read_format(folder / "there", form, back))
    assert not +back
    return read, +losses


def renamed(many: list[Document]) -> list[Document]:
    # Texts of white space alone have no token to tag; NUL and empty texts no tool takes.
    hard = Document("", HARD_TEXT, (Span(2, 6, "RANK"),))
    return [
        Document(f"desk/{n}", d.text, d.spans, {"source": "Desk", "n": n})
        for n, d in enumerate([hard, *many])
        if d.text.strip() and "\0" not in d.text
    ]


@pytest.mark.parametrize("form", KEEP_ALL)
@given(many=st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_forms_with_offsets_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, form: str, many: list[Document]
) -> None:
    sent = renamed(many)
    read, losses = there_and_back(tmp_path_factory.mktemp("x"), form, sent)
    assert list(map(document_to_json, read)) == list(map(document_to_json, sent))
    assert not losses


@pytest.mark.parametrize("form", ["brat", "re3d"])
@given(many=st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_standoff_keeps_texts_and_spans(
    tmp_path_factory: pytest.TempPathFactory, form: str, many: list[Document]
) -> None:
    sent = renamed(many)
    read, losses = there_and_back(tmp_path_factory.mktemp("x"), form, sent)
    assert {d.id: (d.text, d.spans) for d in read} == {d.id: (d.text, d.spans) for d in sent}
    assert losses == {"documents' meta": len(sent)}


@pytest.mark.parametrize("scheme", ["bio", "bilou"])
@pytest.mark.parametrize("form", TOKENS_ONLY)
@given(many=st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_words_and_tags_keep_every_span_and_tell_the_rest(
    tmp_path_factory: pytest.TempPathFactory, form: str, scheme: str, many: list[Document]
) -> None:
    sent = renamed(many)
    read, losses = there_and_back(tmp_path_factory.mktemp("x"), form, sent, scheme=scheme)

    def marked(document: Document) -> list[tuple[str, str]]:
        return [("".join(document.text[s.start : s.end].split()), s.label) for s in document.spans]

    assert [marked(d) for d in read] == [marked(d) for d in sent]
    assert ["".join(d.text.split()) for d in read] == ["".join(d.text.split()) for d in sent]
    changed = sum(a.text != b.text for a, b in zip(read, sent, strict=True))
    assert losses["texts' own spaces and line breaks"] == changed
    assert losses["ids of documents"] == len(sent)


def test_the_command_says_what_a_form_cannot_keep(orbat: Orbat, tmp_path: Path) -> None:
    text = "Gen. Osei  led the 4th Brigade."
    spans = (Span(0, 4, "RANK", "ann", 0.5, "sure"), Span(19, 30, "UNIT", "ann"))
    write_documents(tmp_path / "a.jsonl", [Document("a", text, spans, {"url": "http://a.test"})])

    def convert(form: str) -> list[str]:
        out = orbat(
            *("annotate", "convert", tmp_path / "a.jsonl", tmp_path / form),
            *("--from", "jsonl", "--to", form),
        )
        assert out.code == 0, out.err
        return [line.removeprefix("left out: ") for line in out.err.splitlines()]

    assert convert("jsonl") == []
    assert convert("brat") == ["2 annotators of spans", "1 documents' meta", "1 scores of spans"]
    assert convert("labelstudio") == ["2 annotators of spans", "1 notes of spans"]
    assert convert("conll") == [
        "2 annotators of spans",
        "1 documents' meta",
        "1 ids of documents",
        "1 notes of spans",
        "1 scores of spans",
        "1 texts' own spaces and line breaks",
    ]
    assert (tmp_path / "conll").read_text().splitlines() == [
        *("-DOCSTART- -X- -X- O", "", "Gen -X- -X- B-RANK", ". -X- -X- I-RANK"),
        *("Osei -X- -X- O", "led -X- -X- O", "the -X- -X- O"),
        *("4th -X- -X- B-UNIT", "Brigade -X- -X- I-UNIT", ". -X- -X- O", ""),
    ]
    # A folder that is there is not written over.
    (tmp_path / "brat" / "mine.txt").write_text("mine")
    again = orbat(
        *("annotate", "convert", tmp_path / "a.jsonl", tmp_path / "brat"),
        *("--from", "jsonl", "--to", "brat"),
    )
    assert (again.code, "is there already" in again.err) == (2, True)


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
    bare = loaded.select_columns(["tokens", "ner_tags"])
    datasets.DatasetDict(train=bare, test=bare).save_to_disk(tmp_path / "splits")
    bare.to_parquet(tmp_path / "bare.parquet")
    both = list(read_format(tmp_path / "splits", "datasets", ConversionReport()))
    assert [d.meta["split"] for d in both] == ["train", "test"]
    (one,) = read_format(tmp_path / "bare.parquet", "datasets", ConversionReport())
    assert one.text == both[0].text == "Gen . Osei led 4th Bde"
    assert [(one.text[s.start : s.end], s.label) for s in one.spans] == [
        ("Gen .", "RANK"),
        ("4th Bde", "UNIT"),
    ]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-A I-A O B-A B-A", [(0, 2), (3, 4), (4, 5)]),
        ("I-A I-A O I-A B-A", [(0, 2), (3, 4), (4, 5)]),
        ("B-A L-A O U-A U-A", [(0, 2), (3, 4), (4, 5)]),
        ("B-A E-A O S-A S-A", [(0, 2), (3, 4), (4, 5)]),
        ("B-A I-B O O B-B", [(0, 1), (1, 2), (4, 5)]),
    ],
)
def test_tags_of_every_scheme_are_read(
    tmp_path: Path, tags: str, spans: list[tuple[int, int]]
) -> None:
    lines = [f"{word} {tag}" for word, tag in zip("vwxyz", tags.split(), strict=True)]
    (tmp_path / "a.iob").write_text("\n".join(lines))
    (document,) = read_format(tmp_path / "a.iob", "iob", ConversionReport())
    assert document.text == "v w x y z"
    assert [(s.start // 2, (s.end + 1) // 2) for s in document.spans] == spans


def test_what_other_tools_write_is_read(tmp_path: Path) -> None:
    text = "💩 Gen. Osei spoke"
    label_studio = {
        "id": 7,
        "data": {"text": text},
        "annotations": [
            {"was_cancelled": True, "result": []},
            {
                "updated_at": "2026-01-01T00:00:00Z",
                "result": [
                    {
                        "type": "labels",
                        "value": {"start": 3, "end": 7, "text": "Gen.", "labels": ["RANK", "B"]},
                    },
                    {"type": "relation", "from_id": "a", "to_id": "b"},
                    {"type": "choices", "value": {"choices": ["x"]}},
                ],
            },
            {"updated_at": "2025-01-01T00:00:00Z", "result": []},
        ],
    }
    (tmp_path / "ls.json").write_text(json.dumps([label_studio]))
    losses = ConversionReport()
    (document,) = read_format(tmp_path / "ls.json", "labelstudio", losses)
    assert (document.id, document.spans) == ("7", (Span(2, 6, "RANK"),))
    assert +losses == {
        "cancelled annotations": 1,
        "further annotations of a task": 1,
        "relations": 1,
        "regions of other kinds": 1,
        "second labels of a region": 1,
    }
    minimal = {"id": 7, "text": text, "label": [{"start": 3, "end": 7, "labels": ["RANK"]}]}
    (tmp_path / "min.json").write_text(json.dumps([minimal]))
    assert (
        next(read_format(tmp_path / "min.json", "labelstudio", ConversionReport())).spans
        == document.spans
    )

    export = {"id": 3, "text": text, "meta": {"document": "d"}, "label": [[3, 7, "RANK"]]}
    (tmp_path / "d.jsonl").write_text(json.dumps({**export, "Comments": ["why?"]}))
    losses = ConversionReport()
    (document,) = read_format(tmp_path / "d.jsonl", "doccano", losses)
    assert (document.id, document.spans, document.meta) == ("d", (Span(2, 6, "RANK"),), {})
    assert +losses == {"comments": 1}

    task = {"text": text, "spans": [{"start": 2, "end": 6, "label": "RANK"}], "answer": "accept"}
    tasks = [task, {**task, "answer": "reject"}]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, tasks)))
    losses = ConversionReport()
    (document,) = read_format(tmp_path / "p.jsonl", "prodigy", losses)
    assert (document.id, document.spans) == ("p-1", (Span(2, 6, "RANK"),))
    assert +losses == {"tasks answered 'reject'": 1}


@pytest.mark.parametrize(
    ("form", "content", "reason"),
    [
        (
            "doccano",
            '{"id": 1, "text": "a b", "annotations": [{"label": 2}]}',
            "doccano 1.2 or old",
        ),
        ("doccano", '{"id": 1, "text": "💩", "label": [[1, 2, "A"]]}', "cuts a surrogate pair"),
        ("doccano", '{"id": 1, "text": "a", "label": ["A"]}', "not [start, end"),
        ("doccano", '{"id": 1}', "no field 'text'"),
        ("prodigy", '{"text": "a", "spans": [{"start": 0, "label": "A"}]}', "lacks start, end"),
        ("prodigy", '{"text": "a", "spans": [{"start": 0, "end": 9, "label": "A"}]}', "beyond the"),
        ("labelstudio", "{}", "not a list of tasks"),
        ("labelstudio", "[{", "broken JSON"),
        ("conll", "Gen. B-RANK", ":1: 2 columns where 4 are expected"),
        ("iob", "a O\nGen. RANK", ":2: tag 'RANK' is none of O, B-, I-"),
        ("iob", "", "is empty"),
        ("docbin", "no box", "not a DocBin"),
        ("datasets", "no parquet", "no data set can be loaded"),
    ],
)
def test_broken_files_of_every_form_are_named(
    refused: Callable[..., str], tmp_path: Path, form: str, content: str, reason: str
) -> None:
    path = tmp_path / "in.txt"
    path.write_text(content)
    message = refused("annotate", "convert", path, tmp_path / "o.jsonl", "--from", form)
    assert message.startswith(str(path))
    assert reason in message
    assert not (tmp_path / "o.jsonl").exists()


def test_pairs_of_files_must_fit(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a b\nc\n")
    (tmp_path / "tags.txt").write_text("O\nO\n")
    convert = ("annotate", "convert", tmp_path, tmp_path / "o.jsonl", "--from", "words-tags")
    assert "tags.txt:1: 1 tags for 2 words" in refused(*convert)
    (tmp_path / "tags.txt").unlink()
    assert "tags.txt: cannot be read" in refused(*convert)
