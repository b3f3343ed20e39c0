"""The values of mentions: settled, open and unknown ones, and the tables they come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.errors import InputError
from orbat.training.tagging import with_norms
from orbat.training.value_tables import load_value_tables
from orbat.training.values.norm import Norm
from orbat.training.values.normalizer import ValueNormalizer
from orbat.training.values.tables import ValueTables


@pytest.fixture(scope="module")
def tables() -> ValueTables:
    return load_value_tables()


@pytest.fixture(scope="module")
def normalizer(tables: ValueTables) -> ValueNormalizer:
    return ValueNormalizer(tables)


def norms_of(normalizer: ValueNormalizer, marked: str) -> list[Norm | None]:
    """Return the values of the mentions of a text in which they stand as [LABEL words]."""
    text, spans = "", []
    for part in marked.replace("]", "[").split("["):
        label, _, words = part.partition(" ")
        if label in ("RANK", "UNIT", "ROLE", "OPERATION", "OTHER"):
            spans.append(Span(len(text), len(text) + len(words), label))
            text += words
        else:
            text += part
    return normalizer(text, spans)


@pytest.mark.parametrize(
    ("text", "values", "unsettled"),
    [
        ("U.S. Navy [RANK Capt.] Ann Doe spoke.",
         {"rank": "Captain", "service": "navy", "country": "US", "nato": "OF-5"}, {}),
        ("Army [RANK Capt.] Ann Doe spoke.",
         {"rank": "Captain", "service": "army", "nato": "OF-2"}, {}),
        ("[RANK Capt.] Ann Doe, USN, spoke.",
         {"rank": "Captain", "service": "navy", "country": "US", "nato": "OF-5"}, {}),
        ("[RANK Captain] Ann Doe spoke.", {"rank": "Captain"}, {"nato": ["OF-5", "OF-2"]}),
        ("Russian [RANK Lt. Gen.] Ivan Roe spoke.",
         {"rank": "Lieutenant General", "country": "RU", "nato": "OF-7"}, {}),
        ("British [RANK Lt Gen] Ann Doe spoke.",
         {"rank": "Lieutenant General", "country": "GB", "nato": "OF-8"}, {}),
        ("The Royal Navy promoted [RANK Xyzzy] Doe.", {}, {}),
        ("[RANK Lt. Gen.] Bo Roe of Norway spoke.", {"country": "NO", "nato": "OF-8"}, {}),
    ],
)  # fmt: skip
def test_ranks_are_settled_by_the_words_around_them(
    normalizer: ValueNormalizer, text: str, values: dict[str, str], unsettled: dict[str, list[str]]
) -> None:
    (norm,) = norms_of(normalizer, text)
    assert norm is not None
    found = norm.to_json()
    assert {**found["values"], **values} == found["values"]
    for field, options in unsettled.items():
        assert field not in found["values"]
        assert set(options) <= set(found["open"][field])
    assert set(found["reasons"]) == set(found["values"]) | set(found["open"])


def test_a_rank_takes_the_service_of_the_unit_that_follows_it(normalizer: ValueNormalizer) -> None:
    rank, unit = norms_of(
        normalizer, "[RANK Capt.] Ann Doe commands the [UNIT U.S. 6th Fleet] in Naples."
    )
    assert rank is not None and unit is not None
    assert unit.id == "unit/us/u-s-6th-fleet"
    assert (rank.values["nato"], rank.values["country"]) == (("OF-5",), ("US",))
    assert "U.S. 6th Fleet" in rank.reasons["service"]
    assert rank.id == "rank/captain/of-5"


def test_later_mentions_of_a_person_have_the_full_rank(normalizer: ValueNormalizer) -> None:
    text = (
        "U.S. Army [RANK Lt. Gen.] Ann Doe spoke. [RANK Gen.] Doe left, and the [RANK general] "
        "waved. She hopes to become a [RANK general]."
    )
    first, second, bare, grade = norms_of(normalizer, text)
    for norm in (first, second, bare):
        assert norm is not None
        assert (norm.values["rank"], norm.values["nato"]) == (("Lieutenant General",), ("OF-8",))
    assert grade is not None
    assert set(grade.open["rank"]) == {"General", "Lieutenant General"}
    assert "nato" not in grade.values


def test_a_bare_rank_of_which_two_persons_have_different_ones_stays_open(
    normalizer: ValueNormalizer,
) -> None:
    text = "[RANK Maj. Gen.] Ann Doe met [RANK Brig. Gen.] Bo Roe. The [RANK general] smiled."
    norm = norms_of(normalizer, text)[-1]
    assert norm is not None
    assert "nato" not in norm.values


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("82nd Airborne Division", {"echelon": "division", "number": "82", "country": "US"}),
        ("2nd Battalion, 506th Infantry Regiment", {"echelon": "battalion", "number": "2"}),
        ("1st Battalion 22nd Infantry Regiment", {"echelon": "battalion", "number": "1"}),
        ("14 and 34 Brigades", {"echelon": "brigade", "number": ["14", "34"]}),
        ("2, 14 and 34 Brigades", {"echelon": "brigade", "number": ["2", "14", "34"]}),
        ("6 Division of the Nigerian Army",
         {"echelon": "division", "number": "6", "country": "NG", "service": "army"}),
        ("Headquarters 81 Division", {"echelon": "division", "number": "81"}),
        ("XVIII Airborne Corps", {"echelon": "corps", "number": "18", "country": "US"}),
        ("Fifth Air Force", {"echelon": "air force", "number": "5"}),
        ("SEAL Team Five", {"echelon": "team", "number": "5"}),
        ("Task Force (CTF) 50", {"echelon": "task force", "number": "50"}),
        ("No. 617 Squadron RAF", {"echelon": "squadron", "number": "617", "country": "GB"}),
        ("Big Red One", {"country": "US", "echelon": "division"}),
        ("CENTCOM", {"name": "U.S. Central Command", "echelon": "command", "country": "US"}),
    ],
)  # fmt: skip
def test_units_are_parsed(
    normalizer: ValueNormalizer, name: str, values: dict[str, object]
) -> None:
    (norm,) = norms_of(normalizer, f"[UNIT {name}]")
    assert norm is not None
    found = norm.to_json()["values"]
    assert {**found, **values} == found


def test_a_common_name_is_an_entity_only_where_the_text_agrees(normalizer: ValueNormalizer) -> None:
    (unknown,) = norms_of(normalizer, "The [UNIT 1st Division] moved north.")
    (australian,) = norms_of(normalizer, "The Australian [UNIT 7th Brigade] moved north.")
    (other,) = norms_of(normalizer, "The Danish [UNIT 7th Brigade] moved north.")
    assert unknown is not None and australian is not None and other is not None
    assert unknown.id is None and "country" not in unknown.values
    assert australian.id == "unit/au/7th-brigade"
    assert other.id is None
    assert other.values["country"] == ("DK",)


@pytest.mark.parametrize(
    ("marked", "values"),
    [
        ("[ROLE Prime Minister]", {"level": "head-of-government"}),
        ("[ROLE French Defense Minister]", {"level": "minister", "portfolio": "defence"}),
        ("[ROLE deputy foreign minister]", {"level": "deputy", "portfolio": "foreign"}),
        ("[ROLE King]", {"level": "head-of-state"}),
        ("[OPERATION Operation Inherent Resolve]", {"name": "Inherent Resolve"}),
        ("[OPERATION Exercise Purple Turnip 2031]", {"name": "Purple Turnip", "edition": "2031"}),
        ("[OPERATION Purple Turnip Mission]", {"name": "Purple Turnip"}),
    ],
)
def test_roles_and_operations(
    normalizer: ValueNormalizer, marked: str, values: dict[str, str]
) -> None:
    (norm,) = norms_of(normalizer, marked)
    assert norm is not None
    found = norm.to_json()["values"]
    assert {**found, **values} == found


def test_other_labels_have_no_values(normalizer: ValueNormalizer) -> None:
    assert norms_of(normalizer, "[OTHER Gen.] Ann Doe") == [None]
    assert not ValueNormalizer(ValueTables())
    assert norms_of(ValueNormalizer(ValueTables()), "[RANK Gen.] Ann Doe") == [None]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_text_and_spans_are_accepted_and_never_changed(data: st.DataObject) -> None:
    words = [
        "Gen.",
        "U.S.",
        "Navy",
        "3rd",
        "Brigade",
        ",",
        "of the",
        "(",
        "IV",
        "’s",
        "\n",
        "é",
        "5/8",
    ]
    text = data.draw(
        st.one_of(st.text(max_size=60), st.lists(st.sampled_from(words)).map(" ".join))
    )
    offsets = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    labels = st.sampled_from(["RANK", "UNIT", "ROLE", "OPERATION", "OTHER"])
    pairs = zip(offsets[::2], offsets[1::2], strict=False)
    spans = tuple(Span(start, end, data.draw(labels), score=0.5) for start, end in pairs)
    document = with_norms(Document("a", text, spans), _shipped())
    assert document.spans == spans
    assert [s.score for s in document.spans] == [0.5] * len(spans)


def _shipped() -> ValueNormalizer:
    if not _CACHE:
        _CACHE.append(ValueNormalizer(load_value_tables()))
    return _CACHE[0]


_CACHE: list[ValueNormalizer] = []


def test_tables_can_be_written_and_read(tables: ValueTables) -> None:
    assert ValueTables.from_bytes(tables.to_bytes()) == tables
    for content in (b"[]", b"{}", b'{"format": 1}', b'{"format": 0, "labels": {}}'):
        with pytest.raises(ValueError, match="value tables"):
            ValueTables.from_bytes(content)


OWN = """
[context]
file = "words.csv"

[[values]]
label = "SHIP"
file = "ships.csv"
forms = ["name", "aliases"]
fields = { name = "name", navy = "navies", type = "type" }
context = ["navy"]
id = ["name"]
"""


def own_tables(folder: Path, declaration: str = OWN) -> ValueTables:
    (folder / "ships.csv").write_text(
        "name,aliases,navies,type\nHood,Mighty Hood,GB,battlecruiser\nBear,,SE;NO,icebreaker\n"
    )
    (folder / "words.csv").write_text("phrase,field,value,kind\nSwedish,navy,SE,member\n")
    (folder / "own.toml").write_text(declaration)
    return load_value_tables(folder / "own.toml")


def test_own_tables_in_csv(tmp_path: Path) -> None:
    normalizer = ValueNormalizer(own_tables(tmp_path))
    text = "Mighty Hood met the Swedish Bear."
    hood, bear = normalizer(text, [Span(0, 11, "SHIP"), Span(28, 32, "SHIP")])
    (lone,) = normalizer("The Bear sank.", [Span(4, 8, "SHIP")])
    assert hood is not None and bear is not None and lone is not None
    assert hood.to_json()["values"] == {"name": "Hood", "navy": "GB", "type": "battlecruiser"}
    assert bear.to_json()["values"] == {"name": "Bear", "navy": "SE", "type": "icebreaker"}
    assert lone.to_json()["open"] == {"navy": ["SE", "NO"]}
    assert hood.id == "ship/hood"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('file = "ships.csv"', 'file = "nowhere.csv"', "nowhere.csv: cannot be read"),
        ('context = ["navy"]', 'context = ["fleet"]', "'context' names 'fleet'"),
        ('type = "type"', 'id = "type"', "the name of another column"),
        ('forms = ["name", "aliases"]', 'forms = ["title"]', "ships.csv:2: no 'title'"),
        ('label = "SHIP"', 'label = "SHIP"\ncolour = 1', "colour"),
        ('file = "words.csv"', 'file = "ships.csv"', "ships.csv: no column 'phrase'"),
    ],
)
def test_broken_declarations_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        own_tables(tmp_path, OWN.replace(old, new))


def test_a_broken_line_of_a_table_is_named(tmp_path: Path) -> None:
    own_tables(tmp_path)
    (tmp_path / "words.csv").write_text("phrase,field,value,kind\nSwedish,navy,SE,friend\n")
    with pytest.raises(InputError, match=r"words.csv:2: unknown kind 'friend'"):
        load_value_tables(tmp_path / "own.toml")
    (tmp_path / "words.csv").write_text("phrase,field,value,kind\nSwedish,navy,SE\n")
    with pytest.raises(InputError, match=r"words.csv:2: the number of cells"):
        load_value_tables(tmp_path / "own.toml")
