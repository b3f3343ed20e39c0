"""Readers of all types of files, intact and damaged."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import RawArticle, ReaderOptions
from orbat.corpus.ingestion.readers import count_articles, read_file
from orbat.corpus.ingestion.sources import read_articles, read_sources
from orbat.corpus.reading.bounded import MAX_ARTICLE_BYTES
from orbat.corpus.rejected import Rejected
from orbat.errors import InputError
from tests.conftest import Orbat
from tests.corpus.test_ingestion import PAGE

TEXT = "Gen. Doe leads the 3rd Brigade."


def pdf(text: str, password: str = "") -> bytes:
    """Write a PDF of one page with a line of text."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(300, 200)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode() if text else b"")
    page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def warc(*pages: tuple[str, str]) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for url, page in pages:
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                url, "response", payload=io.BytesIO(page.encode()), http_headers=headers
            )
        )
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


def parquet(path: Path, rows: list[dict[str, object]]) -> Path:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def read(
    path: Path, content: bytes | None = None, column: str | None = None
) -> list[Document | str]:
    """Return the documents of a file, and the message for each article that is rejected."""
    if content is not None:
        path.write_bytes(content)
    results: list[Document | str] = []
    for raw in read_file(path, ReaderOptions(column)):
        try:
            results.append(str(raw) if isinstance(raw, Rejected) else make_document(raw))
        except InputError as error:
            results.append(str(error))
    return results


def texts(results: list[Document | str]) -> list[str]:
    return [d.text.strip() if isinstance(d, Document) else d for d in results]


def test_tables_become_documents(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": TEXT, "source": "x"}, {"id": "b", "text": "Two,\n lines", "n": 3}]
    head = 'id,body,source\na,"Gen. Doe leads the 3rd Brigade.",x\nb,"Two,\n lines",\n'
    for results in (
        read(parquet(tmp_path / "t.parquet", rows)),
        read(tmp_path / "t.csv", head.encode(), "body"),
        read(
            tmp_path / "t.tsv",
            head.replace(",b", "\tb")
            .replace(",s", "\ts")
            .replace('a,"', 'a\t"')
            .replace('",x', '"\tx')
            .replace('b,"T', 'b\t"T')
            .replace('",\n', '"\t\n')
            .encode(),
            "body",
        ),
    ):
        assert texts(results) == [TEXT, "Two,\n lines"]
        first = results[0]
        assert isinstance(first, Document)
        assert (first.id, first.meta["source"]) == ("a", "x")
        assert len(first.meta["provenance"]["sha256"]) == 64


def test_dates_and_nan_of_a_table_become_json(orbat: Orbat, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": TEXT, "date": datetime.date(2024, 5, 1), "n": float("nan"), "tags": ["a", "b"]}
    ]
    parquet(tmp_path / "t.parquet", rows)
    output = tmp_path / "out.jsonl"
    assert orbat("corpus", "add", tmp_path / "t.parquet", "--output", output).code == 0
    (document,) = read_documents(output)
    assert document.meta["date"] == "2024-05-01"
    assert document.meta["n"] is None
    assert document.meta["tags"] == ["a", "b"]


def test_all_articles_of_archives_are_read(tmp_path: Path) -> None:
    page = PAGE.replace("Kidal", "Gao")
    results = read(tmp_path / "w.warc.gz", warc(("http://a.org/x", PAGE), ("http://b.org/y", page)))
    assert [d.meta["url"] for d in results if isinstance(d, Document)] == [
        *("http://a.org/x", "http://b.org/y")
    ]
    assert texts(results)[1].startswith("Brigade leaves Gao")
    results = read(
        tmp_path / "z.zip", zipped(one_txt=TEXT.encode(), two_html=PAGE.encode(), x_bin=b"x")
    )
    assert texts(results)[0] == TEXT
    assert texts(results)[1].startswith("Brigade leaves Kidal")
    assert len(results) == 2
    assert texts(read(tmp_path / "a.txt.gz", gzip.compress(TEXT.encode()))) == [TEXT]
    line = json.dumps({"id": "a", "text": TEXT}).encode()
    assert texts(read(tmp_path / "a.jsonl.gz", gzip.compress(line))) == [TEXT]


def test_the_text_of_a_pdf_is_extracted(tmp_path: Path) -> None:
    assert texts(read(tmp_path / "a.pdf", pdf(TEXT))) == [TEXT]


def test_a_saved_dataset_is_read(orbat: Orbat, tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_list([{"body": TEXT, "n": 1}, {"body": "Another one.", "n": 2}]).save_to_disk(
        str(tmp_path / "set")
    )
    output = tmp_path / "out.jsonl"
    outcome = orbat("corpus", "add", tmp_path / "set", "--output", output, "--text-column", "body")
    assert outcome.code == 0, outcome.err
    assert "2 added" in outcome.out


def test_a_missing_dataset_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    line = refused(
        *("corpus", "add", "hf:nobody/no-such-dataset", "--output", tmp_path / "out.jsonl"),
        env={"HF_HUB_OFFLINE": "1"},
    )
    assert "nobody/no-such-dataset: no such dataset" in line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt.gz", gzip.compress(b"x " * 5000)[:-20], "damaged or truncated"),
        ("a.jsonl.gz", gzip.compress(b'{"id": "a", "text": "x"}')[:-12], "damaged or truncated"),
        ("a.warc.gz", warc(("http://a.org", PAGE))[:-200], "damaged or truncated"),
        ("bomb.txt.gz", gzip.compress(bytes(MAX_ARTICLE_BYTES + 2)), "64 MB are packed into"),
        (
            "bomb.zip",
            zipped(a_txt=bytes(MAX_ARTICLE_BYTES + 2)),
            "bomb.zip: 64 MB are packed into 63 kB",
        ),
        ("cut.zip", zipped(a_txt=b"hello")[:-10], "not a complete zip file"),
        ("locked.pdf", pdf(TEXT, "secret"), "encrypted PDF"),
        ("scan.pdf", pdf(""), "PDF without text"),
        ("broken.pdf", b"%PDF-1.4 nothing", "damaged PDF"),
        (
            "a.csv",
            b"title,lead\nx,y\n",
            "no field 'text'; its fields are title, lead (--text-column",
        ),
        ("b.csv", b"text,n\nx,1,2\n", "b.csv:2: number of columns differs from the header"),
        ("c.csv", b"text\n\xff\xfe\xfa\n", "c.csv: not UTF-8"),
        ("a.parquet", b"PAR1 nothing", "invalid Parquet"),
        ("nul.txt", b"a\0b", "binary data, not text"),
        ("feed.rss", PAGE.encode(), "a web page, not a feed"),
        ("other.atom", b"<feeling>good</feeling>", "not an RSS or Atom feed"),
    ],
    # Compressed contents hold the time, and parallel workers must collect the same names.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_damaged_files_are_refused(
    refused: Callable[..., str], tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    line = refused("corpus", "add", tmp_path / name, "--output", tmp_path / "out.jsonl")
    assert message in line
    assert name in line
    assert not list(tmp_path.glob("out*"))


def test_a_line_that_is_too_long_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "')
        for _ in range(70):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + json.dumps({"id": "after", "text": TEXT}).encode())
    assert texts(read(path)) == [f"{path}:1: longer than 64 MB; split it", TEXT]


def test_mixed_and_wrong_encodings_are_repaired(tmp_path: Path) -> None:
    mixed = "Café Müller, “quoted”, naïve ".encode() + b"\x93smart\x94"
    assert texts(read(tmp_path / "m.txt", mixed)) == ["Café Müller, “quoted”, naïve “smart”"]
    mistaken = "The Army’s “new base".encode().decode("windows-1252").encode()
    (results,) = read(tmp_path / "n.txt", mistaken)
    assert isinstance(results, Document)
    assert results.text.strip() == "The Army’s “new base"
    assert "mojibake" in results.meta["provenance"]["changes"]


def test_sources_are_streamed(tmp_path: Path) -> None:
    """The first article is returned before the invalid last line is read."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": "a", "text": TEXT}) + "\n{broken")
    results = read_articles([path])
    first = next(results)
    assert isinstance(first, RawArticle)
    assert isinstance(next(results), Rejected)


def test_articles_are_counted_without_being_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": TEXT}) + "\n" + "{}\n")
    parquet(tmp_path / "c.parquet", [{"text": TEXT}] * 3)
    assert count_articles([tmp_path]) == 6
    (tmp_path / "d.zip").write_bytes(zipped(one_txt=TEXT.encode()))
    assert count_articles([tmp_path]) is None


def test_documents_of_sources_have_unique_ids(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(f"{TEXT} {folder}")
    first, second = read_sources([tmp_path])
    assert first.id == "a"
    assert second.id.startswith("a-")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "a", "text": TEXT}) + "\n")
    with pytest.raises(InputError, match=r"rows.jsonl:1: duplicate id 'a' \(first seen at .*a.txt"):
        list(read_sources([tmp_path / "one", rows]))


def test_a_rejected_article_has_a_location_and_a_reason() -> None:
    error = InputError("rows.jsonl:2: field 'id' must be a string")
    rejected = Rejected.from_error("rows.jsonl:2", error)
    assert rejected == Rejected("rows.jsonl:2", "field 'id' must be a string")
    assert str(rejected) == str(rejected.to_error()) == str(error)
