"""The installed spaCy pipeline."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from orbat.annotation.formats.docbin import to_doc
from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.models.entities import set_entities
from orbat.training.tagger.mentions import Mention
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


def test_five_million_characters_are_tagged(
    nlp: Any, test_articles: list[Document], tmp_path: Path
) -> None:
    text = test_articles[0].text
    padding = " \n" * 2_500_000
    expected = [
        (start + len(padding), end + len(padding), label)
        for start, end, label in entities(nlp(text))
    ]
    assert expected
    docs = list(nlp.pipe(["Gen. Ann Doe", padding + text, text]))
    assert entities(docs[1]) == expected
    assert docs[1].text == padding + text
    nlp.to_disk(tmp_path / "copy")
    assert entities(spacy.load(tmp_path / "copy")(padding + text)) == expected


@pytest.mark.parametrize("text", ["", " ", "😀" * 50, "x" * 100_000, HARD_TEXT, "a\0b"])
def test_unusual_texts_are_tagged(nlp: Any, text: str) -> None:
    assert nlp(text).text == text


def load(**options: Any) -> Any:
    """Load the installed pipeline with options of the component."""
    return spacy.load("en_orbat_news", config={"components": {"orbat_ner": options}})


def test_threads_load_the_model_once(nlp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a process that was forked while another thread was loading it."""
    from en_orbat_news import component as module

    component = pickle.loads(pickle.dumps(nlp.get_pipe("orbat_ner")))
    loads: list[Any] = []
    begun, go_on = threading.Event(), threading.Event()
    original = module.load_packaged

    def load_packaged(*args: Any, **options: Any) -> Any:
        loads.append(args)
        begun.set()
        go_on.wait()
        return original(*args, **options)

    monkeypatch.setattr(module, "load_packaged", load_packaged)
    _PIPELINE[:] = [component]
    with ThreadPoolExecutor(16) as threads:
        taggers = [threads.submit(lambda: component.tagger) for _ in range(16)]
        begun.wait()
        monkeypatch.setattr(module, "load_packaged", original)
        with multiprocessing.get_context("fork").Pool(1) as forked:
            assert forked.apply(_count_models_in_threads) == 1
        go_on.set()
    assert len({id(future.result()) for future in taggers}) == 1
    assert len(loads) == 1


def _count_models_in_threads() -> int:
    """Return the number of models that 16 threads get which need one at the same time."""
    barrier = threading.Barrier(16)

    def get(_: int) -> Any:
        barrier.wait()
        return _PIPELINE[0].tagger

    with ThreadPoolExecutor(16) as threads:
        return len({id(tagger) for tagger in list(threads.map(get, range(16)))})


def test_spacy_evaluates_the_entities(
    nlp: Any, installed: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    from spacy.tokens import DocBin
    from spacy.training import Example

    gold = [to_doc(nlp, document) for document in test_articles[:6]]
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in gold])
    assert 0 < scores["ents_f"] < 1
    assert scores["ents_per_type"]["RANK"]["f"] > 0
    DocBin(docs=gold).to_disk(tmp_path / "gold.spacy")
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "evaluate", "en_orbat_news", str(tmp_path / "gold.spacy")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), *sys.path])},
    )
    assert "NER F" in done.stdout, done.stderr
    pipeline = load(spans_key="found")
    for doc in gold:
        doc.spans["found"] = list(doc.ents)
    spans_scores = pipeline.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in gold])
    assert 0 < spans_scores["spans_found_f"] < 1


@pytest.mark.parametrize("text", ["Nothing here.", ""])
def test_a_text_without_entities_says_so(nlp: Any, text: str) -> None:
    doc = nlp(text)
    assert doc.to_json()["ents"] == []
    assert not text or doc.has_annotation("ENT_IOB")


def test_a_live_feed_does_not_lag(nlp: Any) -> None:
    events = []

    def feed() -> Iterator[str]:
        for number in range(3):
            events.append(f"text {number}")
            yield f"{number} Gen. Ann Doe"

    for doc in nlp.pipe(feed(), batch_size=1):
        events.append(f"doc {doc.text[0]}")
    assert events == ["text 0", "doc 0", "text 1", "doc 1", "text 2", "doc 2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; give at least 1"),
        ({"workers": -1}, "workers is -1; give 0"),
        ({"batch_size": "8"}, "batch_size is '8'; give a whole number"),
        ({"spans_key": ""}, "spans_key is empty; give a name"),
    ],
)
def test_impossible_options_are_refused(nlp: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(**options)


def test_type_checkers_know_the_pipeline(nlp: Any) -> None:
    import en_orbat_news

    assert (Path(en_orbat_news.__file__).parent / "py.typed").is_file()
    assert get_type_hints(en_orbat_news.load)["return"] is Language
    # Older releases of spaCy 3.8 refuse a factory whose annotations are strings.
    assert en_orbat_news.component.make_entity_tagger.__annotations__["nlp"] is Language


def test_training_with_spacy_warns(nlp: Any) -> None:
    from spacy.training import Example

    example = Example.from_dict(nlp.make_doc("Col. Ann Doe"), {"entities": [(0, 4, "RANK")]})
    with pytest.warns(UserWarning, match="'orbat_ner' cannot be trained by spaCy"):
        nlp.update([example])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def replace_model(path: Path) -> None:
    """Put an ONNX file that is none into the folder of the model, with the right hash."""
    path.write_bytes(b"damaged")
    hashes = json.loads((path.parent / "sha256.json").read_text())
    hashes[path.name] = hashlib.sha256(b"damaged").hexdigest()
    (path.parent / "sha256.json").write_text(json.dumps(hashes))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        (
            "model.onnx",
            Path.unlink,
            "model.onnx: No such file or directory; install the model again",
        ),
        ("manifest.json", Path.unlink, "manifest.json: No such file or directory; install"),
        ("sha256.json", Path.unlink, "sha256.json: No such file or directory; install"),
        ("model.onnx", cut, "model.onnx was changed after packaging; install the model again"),
        ("gazetteer.json", cut, "gazetteer.json was changed after packaging; install"),
        ("sha256.json", cut, "sha256.json is damaged; install the model again"),
        ("model.onnx", replace_model, "onnxruntime .* cannot read model.onnx: "),
    ],
)
def test_damaged_files_are_named_in_one_line(
    nlp: Any, tmp_path: Path, name: str, damage: Callable[[Path], Any], message: str
) -> None:
    nlp.to_disk(tmp_path / "copy")
    damage(tmp_path / "copy" / "orbat_ner" / name)
    with pytest.raises(ValueError, match=message) as error:
        spacy.load(tmp_path / "copy")
    assert "\n" not in str(error.value)


MENTION = st.tuples(st.integers(0, 40), st.integers(1, 6))


@given(earlier=st.lists(MENTION), new=st.lists(MENTION))
def test_new_entities_are_those_that_overlap_no_earlier_one(
    earlier: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    """For all positions; the entities of each list do not overlap each other."""

    def disjoint(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        kept: list[tuple[int, int]] = []
        for start, length in sorted(pairs):
            if not kept or kept[-1][1] <= start:
                kept.append((start, start + length))
        return kept

    doc = spacy.blank("en").make_doc("a" * 50)
    before, after = disjoint(earlier), disjoint(new)
    set_entities(doc, [Mention(start, end, "OLD", 0.9) for start, end in before])
    set_entities(doc, [Mention(start, end, "NEW", 0.9) for start, end in after])
    free = [n for n in after if all(n[1] <= b[0] or b[1] <= n[0] for b in before)]
    expected = [(*b, "OLD") for b in before] + [(*n, "NEW") for n in free]
    assert entities(doc) == sorted(expected)
