"""Tables of articles in CSV and its dialects, with the mistakes that real tables have."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import RawArticle, ReaderOptions
from orbat.corpus.ingestion.readers import read_file
from orbat.corpus.rejected import Rejected
from tests.conftest import Orbat


def read(path: Path, content: str | bytes, column: str | None = None) -> list[str]:
    """Return `id: text` of each row, or why it is rejected, without the path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    results = []
    for raw in read_file(path, ReaderOptions(column)):
        if isinstance(raw, Rejected):
            results.append(str(raw).removeprefix(str(path)))
        else:
            document = make_document(raw, clean=False)
            results.append(f"{document.id}: {document.text}")
    return results


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id,text\n1,x y\n2,Café\n"),
        ("a.csv", "id;text\r\n1;x y\r\n2;Café\r\n"),
        ("a.csv", "id|text\n1|x y\n2|Café"),
        ("a.csv", "id\ttext\n1\tx y\n2\tCafé\n"),
        ("a.tsv", "id\ttext\n1\tx y\n2\tCafé\n"),
        ("a.csv", "sep=;\r\nid;text\r\n1;x y\r\n2;Café\r\n"),
        ("a.csv", '"id","text"\n\n"1","x y"\n"2","Café"\n\n'),
        ("a.csv", "\ufeffid,text\n1,x y\n2,Café\n"),
        ("a.csv", "id\ttext\r\n1\tx y\r\n2\tCafé\r\n".encode("utf-16")),
        ("a.csv", "id,body, title ,text\n1,,a,x y\n2,b,,Café\n"),
        ("a.csv.gz", gzip.compress("id,text\n1,x y\n2,Café\n".encode(), mtime=0)),
    ],
)
def test_dialects_are_recognized(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert read(tmp_path / name, content) == ["1: x y", "2: Café"]


def test_a_quotation_mark_in_a_tab_separated_file_is_a_character(tmp_path: Path) -> None:
    rows = [
        'id\ttext\n1\t"Nobody knew," he said.',
        '2\t"Quoted ""as"" a whole"',
        '3\tHe said "yes"',
        '4\t"Two\nlines"',
        '5\t"open',
        '6\tclosed"',
        "7\tlast\n",
    ]
    for name in ("a.tsv", "a.csv"):
        assert read(tmp_path / name, "\n".join(rows)) == [
            '1: "Nobody knew," he said.',
            '2: Quoted "as" a whole',
            '3: He said "yes"',
            "4: Two\nlines",
            '5: "open',
            '6: closed"',
            "7: last",
        ]


def test_the_run_goes_on_after_a_broken_row(orbat: Orbat, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [
        *("id,text", "1,one", "2,two,more", "3", '4,"He said "yes" again"', '5,"open', "6,six"),
        *("7,a\0b", f"8,{'x' * 200_000}", '9,"Two\r\nlines, ""quoted"""'),
    ]
    path.write_bytes("\r\n".join(rows).encode())
    output = tmp_path / "out.jsonl"
    outcome = orbat("corpus", "add", path, "--output", output)
    assert outcome.code == 0, outcome.err
    documents = {document.id: document.text for document in read_documents(output)}
    assert documents == {
        "1": "one\n",
        "6": "six\n",
        "8": "x" * 200_000 + "\n",
        "9": 'Two\nlines, "quoted"\n',
    }
    columns = "number of columns differs from the header; correct the line"
    quotes = "invalid CSV (',' expected after '\"'); correct the line"
    assert outcome.err.splitlines() == [
        f"rejected: {path}:3: {columns}",
        f"rejected: {path}:4: {columns}",
        f"rejected: {path}:5: {quotes}",
        f"rejected: {path}:6: {quotes}",
        f"rejected: {path}:8: contains NUL bytes; remove them",
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", ": is empty; expected a header and rows"),
        ("id,text\n", ": has a header but no rows; give one with articles"),
        ("text,text\na,b\n", ": has two columns 'text'; rename one"),
        ("body,content\na,b\n", ": the text may be in body or content; choose with"),
        ("id,text\n1,x\n".encode("utf-16-le"), ": binary data, or UTF-16 without its mark"),
        ("text\ncaf\xe9\n".encode("latin-1"), ": not UTF-8; save it as UTF-8"),
    ],
)
def test_tables_without_articles_are_refused(
    tmp_path: Path, content: str | bytes, line: str
) -> None:
    (rejected,) = read(tmp_path / "a.csv", content)
    assert rejected.startswith(line)


def test_columns_without_a_name_and_repeated_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",text,tag,tag\n0,one,a,b\n")
    (raw,) = read_file(path)
    assert isinstance(raw, RawArticle)
    assert raw.record == {"column_1": "0", "text": "one", "tag": "a", "tag_4": "b"}


CELLS = st.text(st.sampled_from('ab ",;|\n\r'), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1), st.sampled_from(",;|"))
def test_what_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(("text", "note"))
    writer.writerows((f"x{text}", note) for text, note in rows)
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(file.getvalue().encode())
    records = [raw.record for raw in read_file(path) if isinstance(raw, RawArticle)]
    assert [(record["text"], record.get("note", "")) for record in records] == [
        (f"x{text}", note) for text, note in rows
    ]


TAB_CELLS = st.text(st.sampled_from('ab "'), max_size=5)


@given(st.lists(st.tuples(TAB_CELLS, TAB_CELLS), min_size=1))
def test_quotation_marks_never_join_tab_separated_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("tsv") / "a.tsv"
    lines = [f"{note}\tx{text}\n" for note, text in rows]
    path.write_text("note\ttext\n" + "".join(lines))
    records = [raw.record for raw in read_file(path) if isinstance(raw, RawArticle)]
    assert [record["text"] for record in records] == [f"x{text}" for _, text in rows]


@pytest.mark.parametrize(
    ("name", "header", "line"),
    [
        # Each line closes the quotation of the line before, and opens one.
        ("a.csv", "id,text", 'a","""'),
        ("a.tsv", "id\ttext\tnote", '"a'),
    ],
)
def test_quotations_that_never_end_are_not_sought_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, header: str, line: str
) -> None:
    monkeypatch.setattr("orbat.corpus.ingestion.records.csv_files._MAX_READ_AGAIN", 100_000)
    results = read(tmp_path / name, f"{header}\n" + f"{line}\n" * 2000)
    assert "too many quotation marks without an end" in results[-1]
    assert len(results) < 2000
    assert read(tmp_path / "few.csv", 'id,text\n1,"x\n2,y\n3,"z"\n')[-1] == "3: z"
