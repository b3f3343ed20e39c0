"""The format of what is written, from the ending of its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.formats.detection.sources import find_format
from orbat.annotation.formats.detection.targets import find_target_format
from orbat.annotation.formats.registry import FORMATS
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.errors import InputError
from tests.conftest import Orbat

DOCUMENT = Document("a", "Gen. Osei led the 4th Brigade.", (Span(0, 4, "RANK"),))


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        (".conll", "conll"),
        (".iob", "iob"),
        (".bio", "iob"),
        (".spacy", "docbin"),
        (".json", "labelstudio"),
        (".jsonl", "jsonl"),
        (".CONLL", "conll"),
    ],
)
def test_the_ending_of_the_target_tells_its_format(
    orbat: Orbat, tmp_path: Path, ending: str, name: str
) -> None:
    write_documents(tmp_path / "gold.jsonl", [DOCUMENT])
    target = tmp_path / f"back{ending}"
    outcome = orbat("annotate", "convert", tmp_path / "gold.jsonl", target)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(f"1 document in {target} (format {name})\n")
    assert FORMATS[find_format(target).name].read is FORMATS[name].read


@pytest.mark.parametrize(
    ("target", "options", "mend"),
    [
        ("x.xyz", (), "the ending .xyz tells no format; name a file such as {}/x.jsonl, or add"),
        ("brat", (), "a name without ending tells no format; name a file such as {}/brat.jsonl"),
        ("x.txt", (), "or add --to, one of jsonl, doccano, brat, conll"),
        (
            "x.spacy",
            ("--to", "conll"),
            "the ending .spacy is that of docbin, but --to says conll; name a file such as "
            "{}/x.conll, or change --to",
        ),
        ("x.jsonl", ("--to", "brat"), "name a folder such as {}/x, or change --to"),
        ("x.json", ("--to", "spacy"), "spacy can be read only; choose another format"),
        ("x.jsonl.gz", (), "compressed files are not written; name it {}/x.jsonl"),
        ("x.conllu", ("--to", "conll"), "CoNLL-U is not written; name it {}/x.conll"),
        ("x.parquet", (), "datasets is written as a folder; name one, such as {}/x --to datasets"),
        ("x.zip", ("--to", "brat"), "archives are not written; name a file or folder without it"),
        ("x.conll", ("--by-annotator",), "a folder of files; name one, such as {}/x --to conll"),
        ("x.conll", ("--to", "connl"), "unknown format 'connl' (did you mean 'conll'?)"),
    ],
)
def test_a_target_that_tells_no_format_or_another_one_is_refused(
    refused: Callable[..., str],
    tmp_path: Path,
    target: str,
    options: tuple[str, ...],
    mend: str,
) -> None:
    write_documents(tmp_path / "gold.jsonl", [DOCUMENT])
    message = refused("annotate", "convert", tmp_path / "gold.jsonl", tmp_path / target, *options)
    assert mend.format(tmp_path) in message
    assert [path.name for path in tmp_path.iterdir()] == ["gold.jsonl"]


@given(
    name=st.text("ab.", min_size=1, max_size=4),
    ending=st.sampled_from(["", ".jsonl", ".json", ".conll", ".bio", ".spacy", ".txt", ".xmi"]),
    chosen=st.one_of(st.none(), st.sampled_from(sorted(FORMATS))),
)
def test_what_is_written_is_what_was_asked_for(name: str, ending: str, chosen: str | None) -> None:
    target = Path("folder") / f"x{name}{ending}"
    try:
        found = find_target_format(target, chosen)
    except InputError as error:
        assert str(error).startswith((f"{target}: ", f"{chosen} can be read only"))
        return
    assert FORMATS[found].write is not None
    assert chosen in (None, found)
    if ending in (".jsonl", ".json", ".conll", ".spacy"):
        assert FORMATS[found].suffix == ending or {found, ending} <= {"iob", "conll", ".conll"}
