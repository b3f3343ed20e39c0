"""Tagging schemes: every one that is certain is read, the others are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.formats.conversion import read_format, write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.document import Document, Span
from orbat.errors import InputError


def read_tags(path: Path, tags: list[str]) -> list[tuple[int, int, str]]:
    """Return the first and last word of each span of a sentence with these tags."""
    path.write_text("".join(f"w{number}\t{tag}\n" for number, tag in enumerate(tags)))
    (document,) = read_format(path, "iob", ConversionReport())
    words = document.text.split()
    found = []
    for span in document.spans:
        quote = document.text[span.start : span.end].split()
        found.append((words.index(quote[0]), words.index(quote[-1]), span.label))
    return found


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-A I-A O B-A B-A", [(0, 1), (3, 3), (4, 4)]),
        ("I-A I-A O I-A B-A", [(0, 1), (3, 3), (4, 4)]),
        ("B-A L-A O U-A U-A", [(0, 1), (3, 3), (4, 4)]),
        ("B-A E-A O S-A S-A", [(0, 1), (3, 3), (4, 4)]),
        ("B-A M-A E-A W-A O", [(0, 2), (3, 3)]),
        ("I-A E-A O I-A E-A", [(0, 1), (3, 4)]),
        ("B_A I_A O B_A B_A", [(0, 1), (3, 3), (4, 4)]),
        ("A-B A-I O A-B A-B", [(0, 1), (3, 3), (4, 4)]),
        ("A_B A_I - A_B A_B", [(0, 1), (3, 3), (4, 4)]),
        ("A A O O A O", [(0, 1), (4, 4)]),
        ("(A* *) * (A) (A)", [(0, 1), (3, 3), (4, 4)]),
        ("b-A i-A o b-A b-A", [(0, 1), (3, 3), (4, 4)]),
    ],
)
def test_tags_of_every_scheme_are_read(
    tmp_path: Path, tags: str, spans: list[tuple[int, int]]
) -> None:
    expected = [(first, last, "A") for first, last in spans]
    assert read_tags(tmp_path / "a.iob", tags.split()) == expected


WRITERS: dict[str, Callable[[int, int, str], str]] = {
    "BIO": lambda i, n, label: f"{'I' if i else 'B'}-{label}",
    "BIOES": lambda i, n, label: f"{'S' if n == 1 else 'IEB'[(i == n - 1) - (i == 0)]}-{label}",
    "BILOU": lambda i, n, label: f"{'U' if n == 1 else 'ILB'[(i == n - 1) - (i == 0)]}-{label}",
    "BMEWO": lambda i, n, label: f"{'W' if n == 1 else 'MEB'[(i == n - 1) - (i == 0)]}-{label}",
    "suffix": lambda i, n, label: f"{label}-{'I' if i else 'B'}",
    "lower case": lambda i, n, label: f"{'i' if i else 'b'}-{label}",
    "underscore": lambda i, n, label: f"{'I' if i else 'B'}_{label}",
}


@pytest.mark.parametrize("scheme", WRITERS)
@given(
    groups=st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([None, "PER", "ORG-part", "B2"])), min_size=1
    )
)
def test_spans_come_back_from_every_scheme(
    tmp_path_factory: pytest.TempPathFactory, scheme: str, groups: list[tuple[int, str | None]]
) -> None:
    tags, spans = ["O"], []
    for length, label in groups:
        if label is None:
            tags += ["O"] * length
        else:
            spans.append((len(tags), len(tags) + length - 1, label))
            tags += [WRITERS[scheme](i, length, label) for i in range(length)]
    assert read_tags(tmp_path_factory.mktemp("x") / "a", tags) == spans


def test_a_tag_of_another_scheme_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a:3: unknown tag 'RANK'; expected tags such as O and B"):
        read_tags(tmp_path / "a", ["B-UNIT", "I-UNIT", "RANK", "O"])


@pytest.mark.parametrize("tags", ["(A* (B) *)", "(A* * (B)", "(A) *) *"])
def test_nested_brackets_are_refused(tmp_path: Path, tags: str) -> None:
    with pytest.raises(InputError, match=r"a:\d: cannot read the brackets"):
        read_tags(tmp_path / "a", tags.split())


@pytest.mark.parametrize("format_name", ["conll", "iob", "words-tags", "datasets"])
@pytest.mark.parametrize("label", ["O", "B-UNIT"])
def test_labels_that_are_tags_cannot_be_written(
    tmp_path: Path, label: str, format_name: str
) -> None:
    document = Document("d1", "Gen. Osei", (Span(0, 4, label),))
    with pytest.raises(InputError, match=f"document 'd1': label '{label}' is read as a tag"):
        write_format(tmp_path / "out", format_name, [document], ConversionReport())
    assert not (tmp_path / "out").exists()
