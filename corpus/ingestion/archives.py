"""Reader of zip archives of articles."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ...errors import InputError
from ..rejected import Rejected
from .raw_article import ARTICLE_EXTENSIONS, RawArticle, RawArticles, read_limited


def read_zip(path: Path, text_column: str) -> RawArticles:
    """Yield the texts, pages and PDFs of a zip file.

    Raises:
        InputError: if the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                extension = Path(entry.filename).suffix.lower()
                if not entry.is_dir() and extension in ARTICLE_EXTENSIONS:
                    yield _read_entry(path, archive, entry, extension)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not a complete zip file ({error}); fetch it again") from error


def _read_entry(
    path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, extension: str
) -> RawArticle | Rejected:
    location = f"{path}!{entry.filename}"
    try:
        with archive.open(entry) as file:
            content = read_limited(file, location)
    except InputError as error:
        return Rejected.from_error(location, error)
    except (RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
        return Rejected(location, f"cannot be decompressed ({error}); unpack it first")
    origin = {"file": f"{path.name}!{entry.filename}"}
    name = Path(entry.filename).stem
    return RawArticle(location, name, content, extension=extension, origin=origin)
