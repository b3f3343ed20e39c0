"""spaCy's DocBin: what orbat writes, and what other programs write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.docbin import to_doc
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus import document as corpus
from orbat.corpus.document import Document, document_to_json
from orbat.errors import InputError
from tests.corpus.test_document import documents

NLP = spacy.blank("en")


def write(path: Path, *docs: Doc, **options: Any) -> Path:
    DocBin(docs=docs, **options).to_disk(path)
    return path


def read(path: Path, layer: str | None = None) -> tuple[list[Document], dict[str, int]]:
    report = ConversionReport()
    found = list(read_format(path, "docbin", report, options=ReadOptions(layer=layer)))
    return found, dict(report.dropped)


def doc_with_entity(**user_data: Any) -> Doc:
    doc = NLP("Gen. Osei spoke")
    doc.ents = [Span(doc, 0, 1, label="RANK")]
    doc.user_data.update(user_data)
    return doc


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "score": st.floats(0, 1),
        "annotator": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        "note": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        "norm": st.just({"id": "rank/x", "values": {"n": ["a"]}, "open": {}, "reasons": []}),
    },
)


@given(documents(), st.data())
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_scores_annotators_and_notes_come_back(
    tmp_path_factory: pytest.TempPathFactory, document: Document, data: st.DataObject
) -> None:
    spans = [
        corpus.Span(span.start, span.end, span.label, **data.draw(FIELDS))
        for span in document.spans
    ]
    sent = Document(document.id, document.text, tuple(spans), document.meta)
    path = tmp_path_factory.mktemp("x") / "a.spacy"
    report = ConversionReport()
    write_format(path, "docbin", [sent], report)
    ((back,), dropped) = read(path)
    assert document_to_json(back) == document_to_json(sent)
    assert not report.dropped and not dropped


def test_users_of_spacy_find_the_score(tmp_path: Path) -> None:
    spans = (corpus.Span(0, 4, "RANK", annotator="ann", score=0.5, note="sure"),)
    write_format(
        tmp_path / "a.spacy", "docbin", [Document("a", "Gen. Osei", spans)], ConversionReport()
    )
    for name in ("confidence", "annotator", "note"):
        if not Span.has_extension(name):
            Span.set_extension(name, default=None)
    (doc,) = DocBin().from_disk(tmp_path / "a.spacy").get_docs(NLP.vocab)
    (ent,) = doc.ents
    assert (ent._.confidence, ent._.annotator, ent._.note) == (0.5, "ann", "sure")


def test_a_long_text_keeps_its_offsets(tmp_path: Path) -> None:
    line = f"Gen. Osei 🎖 {'x' * 988}\n"
    text = line * 1010
    starts = range(0, len(text), len(line))
    spans = tuple(corpus.Span(start, start + 4, "RANK") for start in starts)
    write_format(tmp_path / "a.spacy", "docbin", [Document("a", text, spans)], ConversionReport())
    ((document,), _) = read(tmp_path / "a.spacy")
    assert len(text) > 1_000_000
    assert document.text == text
    assert document.spans == spans


def test_documents_without_user_data_are_numbered(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy", doc_with_entity(), doc_with_entity())
    found, dropped = read(path)
    assert [document.id for document in found] == ["a-1", "a-2"]
    assert [document.spans for document in found] == [(corpus.Span(0, 4, "RANK"),)] * 2
    assert not dropped


@pytest.mark.parametrize(
    ("user_data", "doc_id", "meta"),
    [
        ({"id": 7, "meta": {"source": "x", "tags": ["a", "b"]}}, "7", None),
        ({"id": "d", "meta": "from the wire"}, "d", {"meta": "from the wire"}),
        ({"id": "d", "meta": ["a", 1]}, "d", {"meta": ["a", 1]}),
        ({"id": "d", "meta": {1: "a"}}, "d", {"1": "a"}),
        ({"id": "d", "meta": None}, "d", {}),
        ({"id": "d", "meta": '{"a": 1}'}, "d", {"a": 1}),
        ({"meta": 3.5}, "a-1", {"meta": 3.5}),
    ],
)
def test_user_data_of_any_shape(
    tmp_path: Path, user_data: dict[str, Any], doc_id: str, meta: Any
) -> None:
    path = write(tmp_path / "a.spacy", doc_with_entity(**user_data), store_user_data=True)
    ((document,), _) = read(path)
    assert document.id == doc_id
    kept = {key: value for key, value in document.meta.items() if key != "tokens"}
    assert kept == (user_data["meta"] if meta is None else meta)


def test_values_of_other_programs_are_not_taken_for_ours(tmp_path: Path) -> None:
    doc = doc_with_entity(topic="war")
    for name, value in (("confidence", "high"), ("note", 3), ("norm", {"x": 1})):
        doc.user_data["._.", name, 0, 4] = value
    ((document,), dropped) = read(write(tmp_path / "a.spacy", doc, store_user_data=True))
    (span,) = document.spans
    assert (span.score, span.note, span.norm) == (None, None, None)
    assert dropped == {"other user data": 1}


def test_span_groups_are_counted_or_read(tmp_path: Path) -> None:
    doc = doc_with_entity()
    doc.cats = {"WAR": 1.0}
    doc.spans["sc"] = [Span(doc, 0, 2, label="RANK"), Span(doc, 2, 3, label="VERB")]
    doc.spans["sc"].attrs["scores"] = numpy.asarray([0.5, 0.25], dtype="f")
    path = write(tmp_path / "a.spacy", doc)
    ((document,), dropped) = read(path)
    assert document.spans == (corpus.Span(0, 4, "RANK"),)
    assert dropped == {
        "spans of the span group 'sc' (read it with --layer)": 2,
        "text categories": 1,
    }
    ((document,), dropped) = read(path, "sc")
    assert [(s.start, s.end, s.label, s.score) for s in document.spans] == [
        (0, 9, "RANK", 0.5),
        (10, 15, "VERB", 0.25),
    ]
    assert dropped["entities outside of the span group"] == 1
    with pytest.raises(InputError, match="no span group 'spans'; choose --layer from sc"):
        read(path, "spans")


def test_a_folder_of_splits(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for split in ("dev", "train"):
        write(tmp_path / "corpus" / f"{split}.spacy", doc_with_entity())
    found, _ = read(tmp_path / "corpus")
    assert [document.id for document in found] == ["corpus-dev-1", "corpus-train-1"]


@pytest.mark.parametrize("content", [b"no box", b"", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.spacy").write_bytes(content)
    with pytest.raises(InputError, match=f"^{tmp_path / 'a.spacy'}: not a DocBin that spaCy"):
        read(tmp_path / "a.spacy")


def test_tokens_are_split_at_the_borders_of_spans() -> None:
    document = Document("a", "Gen.Osei", (corpus.Span(0, 4, "RANK"), corpus.Span(4, 8, "PER")))
    doc = to_doc(NLP, document)
    assert doc.text == "Gen.Osei"
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Gen.", "RANK"), ("Osei", "PER")]
