"""The file of a backup: a zip archive that only its owner can read.

manifest.json    format, time, server, counts, and the SHA-256 of every other file
records.jsonl    doccano's records, see :mod:`.doccano_tables`
session/…        the session's folder
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import BaseModel, ValidationError

from ... import __version__
from ...corpus.json_values import encode_json
from ...corpus.output.atomic import DRAFT_SUFFIX, current_umask, open_atomic
from ...corpus.output.locks import LOCK_FILE
from ...corpus.reading.bounded import UNREADABLE_ZIP, check_archive, read_limited
from ...corpus.reading.json_files import decode_json
from ...errors import InputError

BACKUP_FORMAT = 1
MANIFEST, RECORDS, FOLDER = "manifest.json", "records.jsonl", "session"
_PASSWORDS = ("accounts.json", "new-account.json")
"""The files of a session that may have passwords."""
_CHUNK = 2**20


class Manifest(BaseModel, frozen=True):
    """What a backup contains.

    Attributes:
        format: :data:`BACKUP_FORMAT`.
        orbat: the version of orbat that wrote it.
        made_at: when, as ISO 8601.
        url: the server's address.
        counts: number of doccano's records by table.
        sha256: digest of each other file of the archive.
        private: the files and folders of the session that only their owner could read.
    """

    format: int
    orbat: str
    made_at: str
    url: str
    counts: dict[str, int]
    sha256: dict[str, str]
    private: list[str]

    @property
    def summary(self) -> str:
        """The most important counts in words."""
        names = ("examples.Example", "labels.Span", "examples.ExampleState", "auth.User")
        numbers = (self.counts.get(name, 0) for name in names)
        return "{} documents, {} spans, {} confirmations and {} accounts".format(*numbers)


class BackupWriter:
    """Adds files to a backup; :func:`write_backup` makes one."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._sha256: dict[str, str] = {}
        self._private: list[str] = []

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Add a file."""
        digest = hashlib.sha256()
        with self._archive.open(name, "w", force_zip64=True) as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        self._sha256[name] = digest.hexdigest()

    def add_folder(self, folder: Path) -> None:
        """Add the files of the session's folder, without passwords.

        Raises:
            InputError: if a symbolic link is in it.
        """
        for path in (folder, *sorted(folder.rglob("*"))):
            if path.name in (LOCK_FILE, *_PASSWORDS) or path.name.endswith(DRAFT_SUFFIX):
                continue
            if path.is_symlink() and path != folder:
                raise InputError(
                    f"{path}: is a symbolic link, which a backup cannot hold; replace it by a copy "
                    "of what it names, or remove it"
                )
            name = _name(folder, path)
            if not path.stat().st_mode & 0o077:
                self._private.append(name)
            if path.is_file():
                with path.open("rb") as file:
                    self.add(name, _chunks(file))

    def finish(self, url: str, counts: dict[str, int], made_at: str) -> Manifest:
        """Add the manifest, the last file."""
        manifest = Manifest(
            format=BACKUP_FORMAT,
            orbat=__version__,
            made_at=made_at,
            url=url,
            counts=counts,
            sha256=self._sha256,
            private=self._private,
        )
        self._archive.writestr(MANIFEST, encode_json(manifest.model_dump(), indent=2))
        return manifest


@contextmanager
def write_backup(path: Path) -> Iterator[BackupWriter]:
    """Write a backup, which appears whole at the end of the block or not at all.

    Raises:
        InputError: if the file cannot be written.
    """
    with (
        open_atomic(path, private=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        yield BackupWriter(archive)


class Backup:
    """A backup whose every byte has been verified; :func:`open_backup` opens one.

    Attributes:
        manifest: what it contains.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self.manifest = _read_manifest(path, archive)
        self._verify()

    def records(self) -> Iterator[bytes]:
        """Yield the lines of doccano's records."""
        with self._archive.open(RECORDS) as file:
            yield from file

    def extract_folder(self, folder: Path) -> None:
        """Write the session's files into an empty folder that nobody else can enter.

        In the end, everybody can enter it who could enter the session's, and what was private in
        it stays private.
        """
        for name in self.manifest.sha256:
            if name != RECORDS:
                path = folder / PurePosixPath(name).relative_to(FOLDER)
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._archive.open(name) as source, path.open("xb") as file:
                    file.writelines(_chunks(source))
        private = set(self.manifest.private)
        for path in (*folder.rglob("*"), folder):
            mode = 0o700 if _name(folder, path) in private else 0o777 & ~current_umask()
            path.chmod(mode if path.is_dir() else mode & 0o666)

    def _verify(self) -> None:
        names = [info.filename for info in self._archive.infolist() if info.filename != MANIFEST]
        check_archive(self._archive.infolist(), str(self._path))
        if sorted(names) != sorted(self.manifest.sha256) or RECORDS not in names:
            raise _damaged(self._path)
        for name in names:
            parts = PurePosixPath(name).parts
            if name != RECORDS and (parts[0] != FOLDER or len(parts) < 2 or ".." in parts):
                raise _damaged(self._path)
            digest = hashlib.sha256()
            with self._archive.open(name) as file:
                for chunk in _chunks(file):
                    digest.update(chunk)
            if digest.hexdigest() != self.manifest.sha256[name]:
                raise _damaged(self._path)


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup, and verify it as a whole.

    Raises:
        InputError: if it cannot be read, is damaged, or has another format.
    """
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            backup = Backup(path, archive)
        except (*UNREADABLE_ZIP, ValueError) as error:
            if isinstance(error, OSError) and error.strerror:
                raise InputError(f"{path}: cannot be read ({error.strerror})") from error
            raise _damaged(path) from error
        yield backup


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(MANIFEST) as file:
            record = decode_json(read_limited(file, f"{path}: {MANIFEST}"), f"{path}: {MANIFEST}")
        if record["format"] == BACKUP_FORMAT:
            return Manifest.model_validate(record)
    except (KeyError, TypeError, ValidationError) as error:
        raise InputError(f"{path}: not a backup of orbat annotate backup") from error
    raise InputError(
        f"{path}: backup format {record['format']}, but this version of orbat reads format "
        f"{BACKUP_FORMAT}; restore it with version {record.get('orbat')}"
    )


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: damaged, or not a backup of orbat; use another copy")


def _name(folder: Path, path: Path) -> str:
    """Return the name in the archive of a session's file or folder."""
    return str(PurePosixPath(FOLDER, path.relative_to(folder)))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
