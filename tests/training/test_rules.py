"""Rules: tagging texts and documents with a gazetteer."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.corpus.document import Document, check_spans
from orbat.corpus.gazetteer import iterate_patterns, read_gazetteer_file
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from orbat.evaluation.counts import total_counts
from orbat.training.baselines.rules import RuleTagger
from orbat.training.gazetteer import load_gazetteer
from orbat.training.tagger.gazetteer import longest_spans
from orbat.training.tagger.patterns import PatternMatcher
from tests.test_architecture import HEAVY, loaded_by


@pytest.fixture(scope="module")
def rules() -> RuleTagger:
    return RuleTagger.from_file(None, load_labels().names)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Lt. Gen. Ann Doe spoke.", [("Lt. Gen.", "RANK")]),
        ("The Defence Secretary met troops of U.S. Central Command.",
         [("Defence Secretary", "ROLE"), ("U.S. Central Command", "UNIT")]),
        ("They joined Operation Inherent Resolve.", [("Operation Inherent Resolve", "OPERATION")]),
        ("A general election is a major event in the private sector.", []),
        ("Chief of Staff Gen. Ann Doe met U.S. Army Gen. Bo Roe.",
         [("Gen.", "RANK"), ("Gen.", "RANK")]),
        ("The Civilian Joint Task Force met at the Major General Staff College.", []),
        ("The Attorney General and Police Lt. Col. Ann Doe recovered 3 Dane Guns.", []),
    ],
)  # fmt: skip
def test_known_names_are_found(rules: RuleTagger, text: str, spans: list[tuple[str, str]]) -> None:
    assert [(text[s.start : s.end], s.label) for s in rules.find(text)] == spans


def test_each_shipped_pattern_finds_its_own_example() -> None:
    for location, pattern in iterate_patterns():
        text = pattern["example"]
        matches = longest_spans(text, PatternMatcher([pattern]).find(text))
        assert pattern["span"] in [text[start:end] for start, end, _ in matches], location


def test_other_matches_that_overlap_an_exception_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_text(
        '[[phrases]]\nfile = "ranks.jsonl"\nlabel = "RANK"\nfields = ["rank"]\n'
        'excluded = "excluded_forms"\n[[patterns]]\nfile = "p.jsonl"\n'
    )
    (tmp_path / "ranks.jsonl").write_text(
        '{"rank": ["General", "Major General", "Private"], "excluded_forms": ["Private"]}\n'
    )
    (tmp_path / "p.jsonl").write_text(
        '{"label": "O", "pattern": [{"TEXT": "Attorney"}, {"TEXT": "General"}]}\n'
    )
    rules = RuleTagger.from_file(tmp_path / "g.toml", ("RANK",))
    text = "Attorney General Doe, Major General Roe, General Poe, Private Loe"
    assert [text[s.start : s.end] for s in rules.find(text)] == ["Major General", "General"]
    assert RuleTagger.from_file(tmp_path / "g.toml", ("Other",)).find(text) == []


def test_spans_are_valid_and_mostly_correct(
    rules: RuleTagger, train_articles: list[Document]
) -> None:
    pairs = []
    for document in train_articles[:40]:
        spans = rules.find(document.text)
        check_spans(document, spans, "rules")
        pairs.append((document, document.with_spans(spans)))
    f1 = total_counts(pairs)[0].f1
    assert f1 is not None
    assert f1 > 0.6


def test_another_gazetteer_and_label_set(tmp_path: Path) -> None:
    (tmp_path / "towns.jsonl").write_text('{"town": "Kidal"}\n{"town": "Gao"}\n')
    (tmp_path / "g.toml").write_text(
        '[[phrases]]\nfile = "towns.jsonl"\nlabel = "Location"\nfields = ["town"]\n'
    )
    spans = RuleTagger.from_file(tmp_path / "g.toml", ("Location",)).find("From Gao to Kidal.")
    assert [span.label for span in spans] == ["Location", "Location"]


def test_a_bad_gazetteer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_text('[[phrases]]\nfile = "x.jsonl"\nlabel = "A"\n')
    with pytest.raises(InputError, match="fields"):
        RuleTagger.from_file(tmp_path / "g.toml", ("A",))


@pytest.mark.parametrize(
    "name", ["../x.jsonl", "lists/../../x.jsonl", "/x.jsonl", "C:/x.jsonl", "..\\\\x.jsonl", ""]
)
@pytest.mark.parametrize(
    "table",
    [
        '[[phrases]]\nfile = "{}"\nlabel = "A"\nfields = ["a"]',
        '[[patterns]]\nfile = "{}"',
        '[[values]]\nfile = "{}"\nlabel = "A"\nforms = ["a"]\nfields = {{ b = "b" }}',
        '[[values]]\nwords = "{}"\nlabel = "A"\nfields = {{ b = "b" }}',
        '[context]\nfile = "{}"',
    ],
)
def test_a_gazetteer_names_no_file_outside_of_its_folder(
    tmp_path: Path, table: str, name: str
) -> None:
    (tmp_path / "x.jsonl").write_text('{"a": "secret"}\n')
    gazetteer = tmp_path / "folder" / "g.toml"
    (gazetteer.parent / "lists").mkdir(parents=True)
    gazetteer.write_text(table.format(name))
    with pytest.raises(InputError, match=r"g\.toml: .*(put it beside the file|at least 1 char)"):
        load_gazetteer(gazetteer)
    gazetteer.write_text(table.format("lists/x.jsonl"))
    read_gazetteer_file(gazetteer)


def test_a_bad_pattern_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "g.toml").write_text('[[patterns]]\nfile = "p.jsonl"\n')
    good = '{"label": "A", "pattern": [{"TEXT": "a"}]}'
    bad = '{"label": "A", "pattern": [{"POS": "NOUN"}]}'
    (tmp_path / "p.jsonl").write_text(f"{good}\n{bad}\n")
    with pytest.raises(InputError, match=r"p\.jsonl:2: the pattern cannot be used .*not POS"):
        RuleTagger.from_file(tmp_path / "g.toml", ("A",))


def test_documents_are_tagged_like_their_texts(
    rules: RuleTagger, train_articles: list[Document]
) -> None:
    documents = train_articles[:5]
    tagged = list(rules.tag(documents))
    assert [(d.id, d.text, d.meta) for d in tagged] == [(d.id, d.text, d.meta) for d in documents]
    assert [list(d.spans) for d in tagged] == [rules.find(d.text) for d in documents]
    assert rules.labels == load_labels().names


def test_suggestions_need_no_training_libraries() -> None:
    assert not loaded_by("import orbat.training.baselines.rules") & (HEAVY | {"tokenizers"})
