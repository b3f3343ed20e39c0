"""The tokens of a source: kept with the document, and written back as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.source_tokens import describe_tokens, find_source_tokens
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import Orbat

SENTENCES = [
    [("U.S.-led", "O"), ("Maj.-Gen.", "B-RANK"), ("Osei", "O"), ("didn't", "O"), ("go", "O")],
    [("10\u00a0km", "O"), ("4th", "B-UNIT"), ("Bde.", "I-UNIT"), (":-)", "O"), ("#9", "O")],
    [("He", "O"), ("left", "O")],
]
WORDS = [[word for word, _ in sentence] for sentence in SENTENCES]


def conll(sentences: list[list[tuple[str, str]]]) -> str:
    blocks = (
        "".join(f"{word} -X- -X- {tag}\n" for word, tag in sentence) for sentence in sentences
    )
    return "-DOCSTART- -X- -X- O\n\n" + "".join(f"{block}\n" for block in blocks)


def pieces(document: Document) -> list[list[str]] | None:
    sentences = find_source_tokens(document)
    return sentences and [[document.text[a:b] for a, b in sentence] for sentence in sentences]


def test_a_conll_file_comes_back_as_it_was(orbat: Orbat, tmp_path: Path) -> None:
    source, records, target = (tmp_path / name for name in ("a.conll", "a.jsonl", "b.conll"))
    source.write_text(conll(SENTENCES))
    outcome = orbat("annotate", "convert", source, records, "--from", "conll")
    assert (outcome.code, "dropped" in outcome.err) == (0, False)
    (document,) = read_documents(records)
    assert document.meta == {"tokens": {"count": 12, "cuts": [], "joins": [36]}}
    back = orbat("annotate", "convert", records, target, "--from", "jsonl", "--to", "conll")
    assert back.err == "dropped: document ids (1)\n"
    assert target.read_text() == source.read_text()


def test_a_file_of_sentences_comes_back_without_documents(tmp_path: Path) -> None:
    content = conll(SENTENCES).split("\n\n", 1)[1]
    (tmp_path / "a.conll").write_text(content)
    documents = list(read_format(tmp_path / "a.conll", "conll", ConversionReport()))
    assert len(documents) == len(SENTENCES)
    write_format(tmp_path / "b.conll", "conll", documents, ConversionReport())
    assert (tmp_path / "b.conll").read_text() == content


@pytest.mark.parametrize("format_name", ["iob", "words-tags", "docbin", "datasets", "prodigy"])
def test_every_format_gives_the_tokens_back(tmp_path: Path, format_name: str) -> None:
    (tmp_path / "a.conll").write_text(conll(SENTENCES))
    sent = list(read_format(tmp_path / "a.conll", "conll", ConversionReport()))
    write_format(tmp_path / "there", format_name, sent, ConversionReport())
    report = ConversionReport()
    (back,) = read_format(tmp_path / "there", format_name, report)
    assert (back.text, back.spans) == (sent[0].text, sent[0].spans)
    assert pieces(back) == WORDS
    assert not report.dropped


def test_spacy_and_datasets_get_the_tokens(tmp_path: Path) -> None:
    import datasets

    (tmp_path / "a.conll").write_text(conll(SENTENCES))
    sent = list(read_format(tmp_path / "a.conll", "conll", ConversionReport()))
    write_format(tmp_path / "a.spacy", "docbin", sent, ConversionReport())
    (doc,) = DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab)
    assert doc.text == sent[0].text
    assert [[t.text for t in sent if not t.is_space] for sent in doc.sents] == WORDS
    write_format(tmp_path / "set", "datasets", sent, ConversionReport())
    assert datasets.load_from_disk(tmp_path / "set")[0]["tokens"] == [
        word for sentence in WORDS for word in sentence
    ]


def test_tokens_of_spacy_are_kept(tmp_path: Path) -> None:
    words, spaces = ["Maj", ".-", "Gen.", " ", "Osei", "went", "."], [0, 0, 1, 0, 1, 0, 0]
    starts = [True, False, False, False, True, False, False]
    doc = Doc(spacy.blank("en").vocab, words, [*map(bool, spaces)], sent_starts=starts)
    expected = [["Maj", ".-", "Gen."], ["Osei", "went", "."]]
    DocBin(docs=[doc]).to_disk(tmp_path / "a.spacy")
    (document,) = read_format(tmp_path / "a.spacy", "docbin", ConversionReport())
    assert pieces(document) == expected
    (tmp_path / "a.json").write_text(json.dumps(doc.to_json()))
    (document,) = read_format(tmp_path / "a.json", "spacy", ConversionReport())
    assert pieces(document) == expected
    # Without sentences, these are the lines of the text.
    plain = Doc(doc.vocab, ["One", ".", "\n", "Two", "!"], [False] * 5)
    DocBin(docs=[plain]).to_disk(tmp_path / "b.spacy")
    (document,) = read_format(tmp_path / "b.spacy", "docbin", ConversionReport())
    assert pieces(document) == [["One", "."], ["Two", "!"]]


def test_a_span_inside_a_token_is_counted(tmp_path: Path) -> None:
    text = "The U.S.-led force of Osei/Doe left."
    tokens = {"tokens": {"count": 6, "cuts": []}}
    spans = (Span(4, 8, "LOC"), Span(22, 26, "PER"), Span(27, 30, "PER"))
    document = Document("a", text, spans, tokens)
    report = ConversionReport()
    write_format(tmp_path / "a.iob", "iob", [document], report)
    assert (tmp_path / "a.iob").read_text().split("\n")[:7] == [
        *("The\tO", "U.S.-led\tB-LOC", "force\tO", "of\tO", "Osei/Doe\tB-PER", "left.\tO", "")
    ]
    assert report.dropped == {
        "document ids": 1,
        "borders of spans inside of source tokens, which are tagged as a whole": 2,
        "spans inside of a source token that another span has": 1,
    }
    # Where offsets are written as well, spans stay exact, and the source's tokens are in the meta.
    report = ConversionReport()
    write_format(tmp_path / "a.spacy", "docbin", [document], report)
    assert report.dropped == {"source tokens that are split at the border of a span": 2}
    (back,) = read_format(tmp_path / "a.spacy", "docbin", ConversionReport())
    assert back == document


@pytest.mark.parametrize(
    "value",
    [
        {"count": 2, "cuts": []},
        {"count": 3, "cuts": [4]},
        {"count": 4, "cuts": [99]},
        {"count": 4, "cuts": [2, 1]},
        {"count": 4, "cuts": ["1"]},
        {"count": 4, "cuts": None},
        {"count": 2, "cuts": [], "joins": [1]},
        {"count": 3, "cuts": [], "sentences": [5]},
        {"count": 3, "cuts": [], "sentences": []},
    ],
)
def test_tokens_that_do_not_fit_are_left_out_and_counted(
    orbat: Orbat, tmp_path: Path, value: Any
) -> None:
    document = Document("a", "Gen. Osei left", (Span(0, 4, "RANK"),), {"n": 1, "tokens": value})
    write_documents(tmp_path / "a.jsonl", [document])
    command = ("annotate", "convert", tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    outcome = orbat(*command, "--from", "jsonl")
    assert outcome.err == "dropped: source tokens that do not fit the text (documents) (1)\n"
    assert list(read_documents(tmp_path / "b.jsonl")) == [replace(document, meta={"n": 1})]


@pytest.mark.parametrize("value", [3, ["Gen.", "Osei"], {"count": 3}, {"a": 1}])
def test_what_others_call_tokens_stays(tmp_path: Path, value: Any) -> None:
    document = Document("a", "Gen. Osei left", (), {"tokens": value})
    write_documents(tmp_path / "a.jsonl", [document])
    report = ConversionReport()
    assert list(read_format(tmp_path / "a.jsonl", "jsonl", report)) == [document]
    assert not report.dropped


@given(
    st.lists(
        st.lists(
            st.tuples(st.text("a.é\u00a0🎖 ", min_size=1), st.sampled_from(["", " ", "\n", "  "]))
        ),
        max_size=4,
    )
)
def test_any_tokens_come_back(sentences: list[list[tuple[str, str]]]) -> None:
    text, offsets = "", list[list[tuple[int, int]]]()
    for sentence in sentences:
        offsets.append([])
        for word, gap in sentence:
            offsets[-1].append((len(text), len(text) + len(word)))
            text += word + gap
    value = describe_tokens(text, offsets)
    expected = [sentence for sentence in offsets if sentence]
    assert find_source_tokens(Document("a", text, (), {"tokens": value})) == expected
