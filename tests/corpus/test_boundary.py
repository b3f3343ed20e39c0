"""Hostile and broken articles: each is one rejected line, and the others are added."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.pipeline import IngestionReport, add_to_corpus
from orbat.corpus.ingestion.sources import SourceOptions
from orbat.corpus.ingestion.web.fetching import FetchRules
from orbat.corpus.reading.boundary import guard, guard_each, limit_time
from orbat.corpus.rejected import Rejected
from orbat.errors import InputError
from tests.corpus.test_ingestion import PAGE
from tests.corpus.test_sources import pdf, zipped
from tests.corpus.test_warc import record

TEXT = "The 3rd Brigade crossed the river near Izium on Monday, officials said."
GOOD = json.dumps({"id": "good", "text": "Gen. Doe leads the 5th Division."}).encode()


def parquet_with_bad_cell() -> bytes:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    out = io.BytesIO()
    table = pa.table({"id": ["bad", "good"], "text": [TEXT, "Gen. Doe leads the 5th Division."]})
    write_table(table, out, use_dictionary=False, compression="none", write_statistics=False)
    content = out.getvalue()
    assert content.count(b"river") == 1
    return content.replace(b"river", b"\xff\xfe\xfd\xfc\xfb")


def zip_of_version(version: int) -> bytes:
    content = bytearray(zipped(a_txt=TEXT.encode()))
    content[content.find(b"PK\x01\x02") + 6] = version
    return bytes(content)


def zip_with_long_name() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a" * 300 + ".txt", TEXT)
        archive.writestr("good.jsonl", GOOD)
    return out.getvalue()


def nested_message(depth: int) -> bytes:
    part = "--b{0}\nContent-Type: multipart/mixed; boundary=b{1}\n\n"
    parts = "".join(part.format(number, number + 1) for number in range(depth))
    return f"MIME-Version: 1.0\n{part.format('', 0).partition(chr(10))[2]}{parts}{TEXT}".encode()


def rss(*links: str) -> bytes:
    items = "".join(f"<item><title>t</title><link>{link}</link></item>" for link in links)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()


def lines(*records: str) -> bytes:
    return "\n".join(records).encode() + b"\n" + GOOD + b"\n"


def add(tmp_path: Path, name: str, content: bytes) -> tuple[IngestionReport, list[str]]:
    """Add a file and, after it, a good one; return the report and the ids in the corpus."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.jsonl").write_bytes(GOOD)
    output = tmp_path / "out.jsonl"
    rules = FetchRules(pause=0, timeout=5, obey_robots=False)
    sources = [tmp_path / name, tmp_path / "good.jsonl"]
    report = add_to_corpus(sources, output, options=SourceOptions(rules=rules))
    return report, [document.id for document in read_documents(output)]


@pytest.mark.parametrize(
    ("name", "content", "location", "reason"),
    [
        ("cert.pdf", pdf(TEXT, "secret").replace(b"/Standard", b"/AdobePub"), "", "encryption"),
        ("empty.rss", b"", "", "is empty"),
        ("digits.jsonl", lines(f'{{"text": "x", "n": {"1" * 4301}}}'), ":1", "too many digits"),
        ("digits.json", f'{{"text": "x", "n": {"1" * 4301}}}'.encode(), "", "too many digits"),
        ("emoji.jsonl", lines('{"id": "\\ud83d", "text": "x"}'), ":1", "unpaired surrogate"),
        ("deep.jsonl", lines('{"text": "x", "n": ' + "[" * 3000), ":1", "nested too deeply"),
        ("deep.json", b'{"text": "x", "n": ' + b"[" * 90_000, "", "nested too deeply"),
        ("deep.eml", nested_message(1500), "", "RecursionError"),
        ("version.zip", zip_of_version(99), "", "zip file version 9.9"),
        ("names.zip", zip_with_long_name(), f"!{'a' * 300}.txt", "name too long"),
        ("cell.parquet", parquet_with_bad_cell(), ":1", "UnicodeDecodeError"),
        ("status.warc", record(b"\r\n\r\nx", status=""), "!http://a.org/x", "status line"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_an_article_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes, location: str, reason: str
) -> None:
    report, ids = add(tmp_path, name, content)
    assert ids == ["good"]
    found = {str(article).removeprefix(str(tmp_path / name)) for article in report.rejected}
    fault = next(line for line in found if line.startswith(f"{location}: "))
    assert reason in fault
    assert "\n" not in fault


@pytest.mark.parametrize("link", ["http://[::1", "http://a.org:99999999999/", "http://%00/"])
def test_a_link_of_a_feed_that_is_no_address_is_one_line(tmp_path: Path, link: str) -> None:
    report, ids = add(tmp_path, "feed.rss", rss(link))
    assert ids == ["good"]
    assert [article.location for article in report.rejected] == [link]


def test_names_that_are_not_unicode_are_kept_with_u_fffd(tmp_path: Path) -> None:
    name = b"June \xff.txt".decode("utf-8", "surrogateescape")
    report, ids = add(tmp_path, name, TEXT.encode())
    assert ids == ["June-\ufffd", "good"]
    assert not report.rejected
    again, _ = add(tmp_path, name, TEXT.encode())
    assert (again.added, again.known) == (0, 2)
    report, _ = add(tmp_path, b"\xff.txt".decode("utf-8", "surrogateescape"), b"\0\0")
    assert report.rejected[0].location.endswith(r"\udcff.txt")


def test_the_pages_after_a_broken_record_are_read(tmp_path: Path) -> None:
    broken = record(b"", status="", kind="response")
    _, ids = add(tmp_path, "a.warc", broken + record(PAGE.encode()))
    assert ids == ["a.org/x", "good"]


def fail_with(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def test_any_exception_of_a_parser_becomes_a_line() -> None:
    for error, reason in (
        (KeyError("x"), "cannot be read (KeyError: 'x'); check it"),
        (MemoryError(), "cannot be read (MemoryError); check it"),
        (PermissionError(13, "Permission denied"), "cannot be read (Permission denied)"),
        (ValueError("a\nb"), "cannot be read (ValueError: a); check it"),
        (InputError("f: is empty; fill it"), "is empty; fill it"),
    ):
        assert guard("f", fail_with(error)) == Rejected("f", reason)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), ModuleNotFoundError("ray"), OSError(28, "No space left")]
)
def test_what_is_not_the_fault_of_an_article_ends_the_run(error: BaseException) -> None:
    with pytest.raises(type(error)):
        guard("f", fail_with(error))


def test_what_a_reader_raises_is_its_last_item() -> None:
    def read() -> Any:
        yield 1
        raise RuntimeError("lost")

    assert list(guard_each("f", read())) == [
        1,
        Rejected("f", "cannot be read (RuntimeError: lost); check it"),
    ]


def test_what_is_rejected_is_told_in_one_line() -> None:
    rejected = Rejected("http://a.example/\nb", "unknown\r\naddress")
    assert str(rejected) == r"http://a.example/\nb: unknown\naddress"


def test_a_parser_that_does_not_end_is_stopped() -> None:
    def hang() -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    late = pytest.raises(InputError, match=r"page: takes more than 0\.05 s to read")
    with late, limit_time("page", 0.05), limit_time("inner", 1000):
        hang()
    assert guard("page", lambda: 1) == 1
