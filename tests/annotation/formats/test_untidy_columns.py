"""Files of words and tags as people have them: line ends, charsets, blanks, packing, headers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.gold_files import GoldReader
from orbat.errors import InputError

LINES = "In O\nKöln B-ORT\ntagt O\n\nBad B-ORT\nHomburg I-ORT\nauch O\n"
SPANS = ["Köln", "Bad Homburg"]


def spans(path: Path) -> list[str]:
    documents = GoldReader().read(path, ["ORT"], part="train")
    return [d.text[span.start : span.end] for d in documents for span in d.spans]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + LINES,
        LINES.replace("\n", "\r\n"),
        LINES.rstrip("\n"),
        LINES.replace("\n", " \n"),
        LINES.replace(" ", "\t").replace("\n", "\t\n"),
        LINES.replace("\n\n", "\n \t \n"),
        LINES.replace("Köln B", "Köln\tB").replace("Bad B", "Bad \t B"),
        LINES.replace("B-", "I-"),
        LINES.replace("Köln B-", "Köln S-").replace("Homburg I-", "Homburg E-"),
        "-DOCSTART- O\n\n" + LINES.replace("\n\n", "\n\n-DOCSTART- O\n\n"),
        "-DOCSTART-\n\n" + LINES,
        "# newdoc id = a\n# text = In Köln tagt\n" + LINES,
        "word tag\n" + LINES,
        "\n".join(line and f"{line} NN NP x.y" for line in LINES.split("\n")),
    ],
)
def test_untidy_files_are_read(content: str, tmp_path: Path) -> None:
    for name in ("a.conll", "a.txt"):
        (tmp_path / name).write_bytes(content.encode())
        assert spans(tmp_path / name) == SPANS


def test_packed_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name in ("a.conll.gz", "b.conll.gz", "c.txt.gz"):
        path = tmp_path / "set" / name
        path.write_bytes(gzip.compress(LINES.encode()))
        assert spans(path) == SPANS
    assert spans(tmp_path / "set") == SPANS * 3
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"c\.txt\.gz: damaged or truncated"):
        list(read_format(path, "conll", ConversionReport()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINES.encode("latin-1"), r"a b\.conll:2: not UTF-8; .* iconv -f ISO-8859-1 -t UTF-8 '.*'"),
        (LINES.encode("utf-16"), r"a b\.conll:1: not UTF-8; .* iconv -f UTF-16 -t UTF-8 '.*'"),
        (LINES.replace("\n", "\r").encode(), r"lines end at \\r; convert them with tr '\\r' '\\n'"),
        (LINES.replace("In O", "In").encode(), r":1: 1 column, expected 2; correct the line"),
        (
            b"wort label\n" + LINES.encode(),
            r":1: unknown tag 'label'; .*remove the line if it names",
        ),
        (b"\n \n", r"a b\.conll: is empty"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_mend(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "a b.conll"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        spans(path)
