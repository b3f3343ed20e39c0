"""Pipelines of spaCy and model files: what they name, how labels are mapped, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.errors import InputError, ModelError
from orbat.models.loading import load_model
from orbat.models.model import Model
from orbat.training.external.label_map import parse_label_map
from orbat.training.external.verbatim import locate, split_passages
from tests.models import token_classifiers

TEXT = "Ann Doe of NATO left Kidal."
PATTERNS = [
    {"label": "PERSON", "pattern": "Ann Doe"},
    {"label": "ORG", "pattern": "NATO"},
    {"label": "GPE", "pattern": "Kidal"},
]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    folder = tmp_path_factory.mktemp("pipelines") / "ruler"
    nlp.to_disk(folder)
    return folder


def found(model: Model) -> list[tuple[str, str]]:
    (document,) = model.tag([Document("d", TEXT)])
    return [(TEXT[s.start : s.end], s.label) for s in document.spans]


def test_a_pipeline_of_spacy_tags(pipeline: Path) -> None:
    model = load_model(f"spacy:{pipeline}")
    assert found(model) == [("Ann Doe", "PERSON"), ("NATO", "ORG"), ("Kidal", "GPE")]
    assert sorted(model.labels) == ["GPE", "ORG", "PERSON"]
    assert model.fingerprint == load_model(f"spacy:{pipeline}").fingerprint


def test_a_span_ruler_that_finds_entities_tags(pipeline: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"annotate_ents": True}).add_patterns(PATTERNS[:1])
    folder = pipeline.parent / "span_ruler"
    nlp.to_disk(folder)
    assert found(load_model(f"spacy:{folder}")) == [("Ann Doe", "PERSON")]


def test_a_model_file_maps_labels_and_its_paths_are_relative(pipeline: Path) -> None:
    path = pipeline.parent / "ruler.toml"
    path.write_text('kind = "spacy"\nmodel = "ruler"\n[map]\nPERSON = "ROLE"\nGPE = ""\n')
    mapped = load_model(path)
    assert found(mapped) == [("Ann Doe", "ROLE"), ("NATO", "ORG")]
    assert sorted(mapped.labels) == ["ORG", "ROLE"]
    assert mapped.fingerprint != load_model(f"spacy:{pipeline}").fingerprint


@pytest.mark.slow
def test_a_token_classifier_maps_labels(tmp_path: Path) -> None:
    token_classifiers.save(tmp_path / "bert", "Bert", token_classifiers.word_piece(lowercase=True))
    plain = load_model(tmp_path / "bert")
    path = tmp_path / "bert.toml"
    path.write_text('kind = "transformers"\nmodel = "bert"\n[map]\nPER = "UNIT"\nORG = "UNIT"\n')
    mapped = load_model(path)
    assert mapped.labels == ("UNIT", "LOC", "MISC")
    text = token_classifiers.texts()[0]
    before, after = (next(iter(m.tag([Document("d", text)]))).spans for m in (plain, mapped))
    # Classes with exchanged names are another model, whose results are not those of the first.
    config = tmp_path / "bert" / "config.json"
    exchange = {"B-PER": "B-ORG", "I-PER": "I-ORG", "B-ORG": "B-PER", "I-ORG": "I-PER"}
    changed = json.loads(config.read_text())
    changed["id2label"] = {n: exchange.get(x, x) for n, x in changed["id2label"].items()}
    del changed["label2id"]
    config.write_text(json.dumps(changed))
    assert load_model(tmp_path / "bert").fingerprint != plain.fingerprint
    names = {"PER": "UNIT", "ORG": "UNIT"}
    assert {span.label for span in before} & set(names)
    assert [(s.start, s.end, names.get(s.label, s.label)) for s in before] == [
        (s.start, s.end, s.label) for s in after
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('kind = "gpt"', "kind: must be one of spacy, transformers, gliner, llm"),
        ('kind = "spacy"', r"model.*required \(fields: map, kind, model\)"),
        ('kind = "spacy"\nmodel = "ruler"\n[map]\nPER = "UNIT"', "has no label 'PER' to map; it"),
        ('kind = "spacy"\nmodel = "ruler"\n[map]\nORG = "B-UNIT"', "new name of 'ORG' 'B-UNIT'"),
        ('kind = "spacy"\nmodel = "absent"', "no such pipeline, or it cannot be loaded"),
        ('kind = "llm"\nmodel = "m"\nurl = "ftp://a"', "url: url ftp://a: not an http"),
        ('kind = "llm"\nmodel = "m"\nurl = "http://u:p@a"', "must not have a user name"),
        ('kind = "llm"\nmodel = "m"\nurl = "http://a"\nkey = "s"', "unknown key 'key'"),
        ('kind = "llm"\nmodel = "m"\nurl = "http://a"\nmap = {A = "B"}', "unknown key 'map'"),
        (
            'kind = "llm"\nmodel = "m"\nurl = "http://a"\nparameters = {n = 2}',
            "parameters: 'n' is set by orbat",
        ),
        ('kind = "llm"\nmodel = "m"\nurl = "http://a"\nlabels = "no.toml"', "no.toml"),
    ],
)
def test_a_wrong_model_file_is_one_line_of_error(
    pipeline: Path, content: str, message: str
) -> None:
    path = pipeline.parent / "wrong.toml"
    path.write_text(content)
    with pytest.raises((InputError, ModelError), match=message) as caught:
        load_model(path)
    assert "p@a" not in str(caught.value)


@pytest.mark.parametrize("name", ["llm:model", "llm:@http://a", "llm:m@ftp://a", "missing.toml"])
def test_a_wrong_short_form_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        load_model(name)


def test_a_pipeline_without_entities_is_refused(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "plain")
    with pytest.raises(ModelError, match=r"no component of it finds entities \(sentencizer\)"):
        load_model(f"spacy:{tmp_path / 'plain'}")


def test_a_label_map_is_read() -> None:
    assert parse_label_map(["PER=ROLE", "ORG = UNIT", "GPE="], "--map") == {
        "PER": "ROLE",
        "ORG": "UNIT",
        "GPE": "",
    }
    for pairs, message in ((["PER"], "write LABEL=NAME"), (["A=B", "A=C"], "mapped twice")):
        with pytest.raises(InputError, match=message):
            parse_label_map(pairs, "--map")


WORDS = st.lists(st.sampled_from(["a", "b.", "ß", "(c", "\U0001f600", "d\n\n", "e.f"]), max_size=40)


@given(WORDS, st.integers(1, 30))
def test_passages_cover_all_words_of_a_text(words: list[str], size: int) -> None:
    text = " ".join(words)
    passages = split_passages(text, size)
    assert all(0 < end - start <= size for start, end in passages)
    covered = {n for start, end in passages for n in range(start, end)}
    assert all(text[n].isspace() for n in range(len(text)) if n not in covered)


@given(WORDS, st.lists(st.tuples(WORDS.map(" ".join), st.sampled_from("XY")), max_size=6))
def test_located_mentions_are_quotations_without_overlaps(
    words: list[str], quotations: list[tuple[str, str]]
) -> None:
    text = " ".join(words)
    located = locate(text, quotations)
    asked = {(tuple(quotation.split()), label) for quotation, label in quotations}
    assert all((tuple(text[m.start : m.end].split()), m.label) in asked for m in located.mentions)
    ends = [0, *(mention.end for mention in located.mentions)]
    assert all(m.start >= end for m, end in zip(located.mentions, ends, strict=False))
    assert located.missing + located.overlapping <= len(quotations)
