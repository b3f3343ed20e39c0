"""All ways into orbat that damaged input takes, in groups; each has a small valid source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orbat.annotation.formats.imported import ReadOptions
from orbat.annotation.formats.registry import FORMATS
from tests.annotation.formats.test_fuzz import check_reading, make_samples
from tests.campaign.article_readers import address_readers, article_readers
from tests.campaign.folder_readers import folder_readers, setting_readers
from tests.campaign.hostile_inputs import Pack, Reader
from tests.corpus.test_sources import zipped
from tests.damage import Files


def source_readers(folder: Path) -> list[Reader]:
    (folder / "formats").mkdir()
    samples = make_samples(folder / "formats")
    readers = [_source(name, files) for name, files in samples.items()]
    content = samples["jsonl"][""]
    return [*readers, _source("jsonl", {"": content}, ".zip", lambda c: zipped(a_jsonl=c))]


def _source(name: str, files: Files, suffix: str = "", pack: Pack = bytes) -> Reader:
    def read(path: Path) -> None:
        for options in (ReadOptions(), ReadOptions(predictions=True, by_annotator=True)):
            check_reading(path, name, options, skip_bad=options.predictions)

    suffix = suffix or FORMATS[name].suffix
    return Reader(f"convert --from {name}{suffix}", files, suffix, read, pack)


GROUPS: dict[str, Callable[[Path], list[Reader]]] = {
    "articles": article_readers,
    "annotated sources": source_readers,
    "settings": setting_readers,
    "folders": folder_readers,
    "addresses": address_readers,
}
"""Make the readers of each group, with a folder for the sources."""
