"""Settings and lists that break a parser, or have other shapes than expected: one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.corpus.files import iterate_json_lines, read_toml
from orbat.corpus.gazetteer import gazetteer_files, iterate_patterns, load_phrases
from orbat.corpus.ingestion.web.feeds import FeedLog
from orbat.corpus.reading.bounded import check_lines, check_packing, read_bytes
from orbat.corpus.reading.json_files import decode_json, read_json_object
from orbat.errors import InputError
from orbat.training.recipe import load_recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 3000 + "]" * 3000, "nested more than 100 levels"),
        ("a = " + "{a = " * 3000 + "1" + "}" * 3000, "nested more than 100 levels"),
        ("[" + ".".join("a" * 3000) + "]", "nested more than 100 levels"),
        ("a = " + "1" * 4301, "invalid TOML: Exceeds the limit"),
        ("a = 2024-13-45", "invalid TOML"),
    ],
    ids=["lists", "tables", "dotted keys", "digits", "date"],
)
def test_toml_that_breaks_the_parser_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_toml(path)


@pytest.mark.parametrize("value", ["1" * 4301, "[" * 3000, "1979-13-01"])
def test_a_setting_that_is_no_toml_is_a_string(value: str) -> None:
    with pytest.raises(InputError, match="with --set: epochs: must be a number"):
        load_recipe("fast", settings=[f"epochs={value}"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b"{\n1", r"invalid JSON \(Expecting property name.*, line 2"),
        (b"[" * 101 + b"]" * 101, "nested more than 100 levels"),
        (b"[" * 9000, "nested more than 100 levels"),
        (b"1" * 4301, "too many digits"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_json_that_python_cannot_keep_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=f"^a.json: .*{message}"):
        decode_json(content, "a.json")
    assert decode_json(b"\xef\xbb\xbf[1]", "a.json") == [1]


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(InputError, match="larger than 0 MB"):
        read_bytes(path, 4)
    with pytest.raises(InputError, match="cannot be read"):
        read_bytes(tmp_path / "missing")
    with pytest.raises(InputError, match="not a JSON object"):
        read_json_object(path)


def test_only_large_and_densely_packed_files_are_refused() -> None:
    check_packing(1, 64 * 2**20, "a")
    check_packing(2**20, 200 * 2**20, "a")
    with pytest.raises(InputError, match="a: 201 MB are packed into 1024 kB"):
        check_packing(2**20, 201 * 2**20, "a")


@pytest.mark.parametrize(
    "entry", ["1", "[]", '{"forms": 1}', '{"forms": {"a": 1}}', '{"forms": [1]}']
)
def test_phrases_of_another_shape_are_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"forms": "Gen."}}\n{entry}\n')
    gazetteer = tmp_path / "g.toml"
    gazetteer.write_text('[[phrases]]\nfile = "a.jsonl"\nlabel = "RANK"\nfields = ["forms"]\n')
    with pytest.raises(InputError, match=r"a\.jsonl:2: "):
        load_phrases(gazetteer)


@pytest.mark.parametrize("sizes", [(2**20, 5), (2**20 - 1, 2, 3), (5, 2**21 + 1, 1)])
def test_lines_are_read_up_to_a_limit(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\n".join(b"x" * size for size in sizes))
    check_lines(path, max(sizes))
    with pytest.raises(InputError, match="a line is longer than"):
        check_lines(path, max(sizes) - 1)


@pytest.mark.parametrize(
    "entry", ["1", '{"label": [], "pattern": []}', '{"label": "A", "pattern": 1}']
)
def test_patterns_of_another_shape_are_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / "a.jsonl").write_text(f"{entry}\n")
    gazetteer = tmp_path / "g.toml"
    gazetteer.write_text('[[patterns]]\nfile = "a.jsonl"\n')
    with pytest.raises(InputError, match=r"a\.jsonl:1: no usable pattern"):
        list(iterate_patterns(gazetteer, ["RANK"]))


def test_a_link_out_of_the_folder_of_a_gazetteer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text('{"forms": "Gen."}\n')
    folder = tmp_path / "lists"
    folder.mkdir()
    gazetteer, names = folder / "g.toml", folder / "a.jsonl"
    gazetteer.write_text('[[phrases]]\nfile = "a.jsonl"\nlabel = "RANK"\nfields = ["forms"]\n')
    names.symlink_to(tmp_path / "secret.jsonl")
    for read in (load_phrases, gazetteer_files):
        with pytest.raises(InputError, match=r"a\.jsonl: a link that leads out of"):
            read(gazetteer)
    names.unlink()
    (folder / "b.jsonl").write_text('{"forms": "Gen."}\n')
    names.symlink_to("b.jsonl")
    assert load_phrases(gazetteer).exact["RANK"] == {"Gen."}


@pytest.mark.parametrize("content", ["", "[]", "[" * 9000, '{"u": 1}', '{"u": {"seen": {"a": 1}}}'])
def test_a_feed_log_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "log.json").write_text(content)
    with pytest.raises(InputError, match="not a valid feed log"):
        FeedLog(tmp_path / "log.json")


def test_a_byte_order_mark_and_blank_lines_come_before_the_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for start in (b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\r\n", b"\n \n"):
        path.write_bytes(start + b'{"a": 1}\n')
        assert [value for _, value in iterate_json_lines(path)] == [{"a": 1}]
    path.write_bytes(b"\xef\xbb\xbf\n")
    with pytest.raises(InputError, match="is empty"):
        list(iterate_json_lines(path))
