"""The installed spaCy pipeline."""

from __future__ import annotations

import multiprocessing
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import Orbat
from tests.corpus.test_document import HARD_TEXT
from tests.models.conftest import Entity, entities, spans

pytestmark = pytest.mark.slow


def test_entities_equal_those_of_orbat_tag(
    orbat: Orbat, nlp: Any, wheel: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    write_documents(tmp_path / "in.jsonl", test_articles[:8])
    outcome = orbat("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    assert outcome.code == 0, outcome.err
    tagged = list(read_documents(tmp_path / "out.jsonl"))
    assert [(d.id, d.text, d.meta) for d in tagged] == [
        (d.id, d.text, d.meta) for d in test_articles[:8]
    ]
    texts = [document.text for document in tagged]
    assert sum(len(document.spans) for document in tagged) > 20
    one_by_one = [nlp(text) for text in texts]
    assert [entities(doc) for doc in one_by_one] == [spans(document) for document in tagged]
    assert [entities(doc) for doc in nlp.pipe(texts)] == [entities(doc) for doc in one_by_one]
    assert [doc.text for doc in one_by_one] == texts
    scores = [ent._.confidence for doc in one_by_one for ent in doc.ents]
    assert all(0 < score <= 1 for score in scores)


def test_a_long_text_is_tagged_completely(nlp: Any, test_articles: list[Document]) -> None:
    unit = "\n".join(document.text for document in test_articles[:4])
    text = unit * (50_000 // len(unit.split()) + 1)
    doc = nlp(text)
    (piped,) = nlp.pipe([text])
    assert entities(piped) == entities(doc)
    assert len(doc.text.split()) >= 50_000
    thirds = [0, 0, 0]
    for start, _, _ in entities(doc):
        thirds[3 * start // len(text)] += 1
    assert min(thirds) > 0.9 * max(thirds) > 0


def test_entities_keep_character_offsets_inside_tokens(nlp: Any) -> None:
    from en_orbat_news.component import set_entities
    from en_orbat_news.tagger.mentions import Mention

    text = "the 101st-led raid"
    doc = nlp.make_doc(text)
    set_entities(doc, [Mention(4, 6, "UNIT", 0.9)])
    assert doc.text == text
    assert entities(doc) == [(4, 6, "UNIT")]
    assert doc.ents[0]._.confidence == 0.9


def test_wrapped_text_has_the_entities_of_the_text_on_one_line(
    nlp: Any, test_articles: list[Document]
) -> None:
    paragraphs = [p for d in test_articles[:8] for p in d.text.split("\n") if len(p) > 400]
    texts = [" ".join(paragraph.split()) for paragraph in paragraphs]
    wrapped = [textwrap.fill(text, 80, break_on_hyphens=False) for text in texts]
    docs = [nlp(text) for text in wrapped]
    assert [entities(doc) for doc in docs] == [entities(nlp(text)) for text in texts]
    assert any("\n" in ent.text for doc in docs for ent in doc.ents)


def test_entities_may_contain_a_line_break() -> None:
    import spacy

    from orbat.models.component import set_entities
    from orbat.training.tagger.mentions import Mention

    text = "the 3rd\nBrigade and the 4th\r\nInfantry Brigade"
    doc = spacy.blank("en")(text)
    set_entities(doc, [Mention(4, 15, "UNIT", 0.9), Mention(24, len(text), "UNIT", 0.8)])
    assert entities(doc) == [(4, 15, "UNIT"), (24, len(text), "UNIT")]
    assert doc.text == text


def test_entities_of_earlier_components_are_kept(nlp: Any, test_articles: list[Document]) -> None:
    text = next(d.text for d in test_articles if nlp(d.text).ents)
    first = nlp(text).ents[0]
    ruler = nlp.add_pipe("entity_ruler", before="orbat_ner")
    try:
        ruler.add_patterns([{"label": "OTHER", "pattern": first.text}])
        labels = {ent.label_ for ent in nlp(text).ents if ent.text == first.text}
        assert labels == {"OTHER"}
    finally:
        nlp.remove_pipe("entity_ruler")


def test_the_pipeline_can_be_serialized_and_run_in_processes(
    nlp: Any, test_articles: list[Document], tmp_path: Path
) -> None:
    import spacy

    texts = [document.text for document in test_articles[:6]]
    expected = [entities(doc) for doc in nlp.pipe(texts)]
    nlp.to_disk(tmp_path / "copy")
    reloaded = spacy.load(tmp_path / "copy")
    assert [entities(doc) for doc in reloaded.pipe(texts)] == expected
    from_bytes = spacy.blank("en")
    from_bytes.add_pipe(nlp.get_pipe_meta("orbat_ner").factory, "orbat_ner")
    from_bytes.from_bytes(nlp.to_bytes())
    assert [entities(doc) for doc in from_bytes.pipe(texts)] == expected
    assert [entities(d) for d in nlp.pipe(texts, n_process=2, batch_size=2)] == expected


def test_the_pipeline_runs_in_threads_and_after_a_fork(
    nlp: Any, test_articles: list[Document]
) -> None:
    texts = [document.text for document in test_articles[:6]]
    expected = [entities(nlp(text)) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        assert [entities(doc) for doc in threads.map(nlp, texts * 3)] == expected * 3
    _PIPELINE[:] = [nlp]
    with multiprocessing.get_context("fork").Pool(1) as forked:
        assert forked.map(_tag_in_fork, texts[:2]) == expected[:2]


_PIPELINE: list[Any] = []
"""The pipeline that a forked process uses."""


def _tag_in_fork(text: str) -> list[Entity]:
    return entities(_PIPELINE[0](text))


def test_the_component_works_in_other_pipelines(nlp: Any, test_articles: list[Document]) -> None:
    import spacy

    text = next(d.text for d in test_articles if len(nlp(d.text).ents) > 3)
    expected = entities(nlp(text))
    other = spacy.blank("en")
    other.add_pipe("sentencizer")
    other.add_pipe("orbat_ner", source=nlp)
    assert entities(other(text)) == expected
    with other.select_pipes(disable="orbat_ner"):
        assert not other(text).ents
    pipeline = spacy.load(
        "en_orbat_news", config={"components": {"orbat_ner": {"spans_key": "orbat"}}}
    )
    ruler = pipeline.add_pipe("span_ruler", before="orbat_ner", config={"spans_key": "rules"})
    ruler.add_patterns([{"label": "THE", "pattern": "the"}])
    doc = pipeline(text)
    assert not doc.ents
    assert [(s.start_char, s.end_char, s.label_) for s in doc.spans["orbat"]] == expected
    assert all(0 < span._.confidence <= 1 for span in doc.spans["orbat"])
    assert {span.text for span in doc.spans["rules"]} == {"the"}


def test_five_million_characters_are_tagged(nlp: Any, test_articles: list[Document]) -> None:
    text = test_articles[0].text
    padding = " \n" * 2_500_000
    tagger = nlp.get_pipe("orbat_ner").tagger
    short, long = tagger.tag([text, padding + text])
    assert short
    assert [(m.start - len(padding), m.end - len(padding), m.label) for m in long] == [
        (m.start, m.end, m.label) for m in short
    ]


@pytest.mark.parametrize("text", ["", " ", "😀" * 50, "x" * 100_000, HARD_TEXT, "a\0b"])
def test_unusual_texts_are_tagged(nlp: Any, text: str) -> None:
    assert nlp(text).text == text
