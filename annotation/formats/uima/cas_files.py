"""Loading UIMA documents (CAS) with dkpro-cassis, which counts offsets in code points."""

from __future__ import annotations

import json
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

from ....corpus.ingestion.charsets.declaration import charsets_of_xml
from ....corpus.reading.bounded import read_bytes
from ....corpus.reading.json_files import decode_json
from ....errors import InputError, first_line

_TYPE_SYSTEM = b"typeSystemDescription"
_TYPE_SYSTEM_NAME = "typesystem.xml"
_XML_ENCODINGS = {"utf-8", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1"}
_PARENTS = 3
"""How many folders above a document may hold its type system."""


def is_type_system(path: Path) -> bool:
    """Return whether a file is a type system, not a document."""
    with path.open("rb") as file:
        return _TYPE_SYSTEM in file.read(4096)


class CasLoader:
    """Loads documents; the type systems of XMI files are read once."""

    def __init__(self) -> None:
        self._type_systems: dict[Path, Any] = {}

    def load(self, path: Path, where: str) -> Any:
        """Return the first view with a text.

        Args:
            path: an XMI file with its type system beside it, or a JSON file.
            where: its name for messages.

        Raises:
            InputError: if it cannot be read, or has no text.
            ValueError: if an annotation has an offset that is none of the text.
        """
        content = read_bytes(path, location=where)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                cas = self._parse(content, path, where)
            except InputError:
                raise
            # cassis and lxml raise many kinds.
            except Exception as error:
                raise InputError(
                    f"{where}: cannot be read ({first_line(error)}); export it again"
                ) from error
        views = [view.sofa.sofaID for view in cas.views if view.sofa.sofaString is not None]
        if not views:
            raise InputError(f"{where}: no text (sofaString); export the documents with texts")
        misplaced = [str(warning.message) for warning in caught if warning.category is UserWarning]
        if misplaced:
            raise ValueError(" ".join(misplaced[0].split()))
        return cas.get_view(views[0])

    def _parse(self, content: bytes, path: Path, where: str) -> Any:
        from cassis import load_cas_from_json, load_cas_from_xmi

        if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            value = decode_json(content, where)
            if "%FEATURE_STRUCTURES" not in value:
                raise InputError(f"{where}: not UIMA CAS JSON 0.4; export as 'UIMA CAS JSON'")
            types = None if value.get("%TYPES") else self._find_types(path, where)
            return load_cas_from_json(json.dumps({"%TYPES": {}, **value}), types)
        _refuse_document_type(content, where)
        # Without a document type, large texts are the only thing that `trusted` allows.
        types = self._find_types(path, where)
        return load_cas_from_xmi(BytesIO(content), types, trusted=True)

    def _find_types(self, path: Path, where: str) -> Any:
        """Return the type system beside a document, or in a folder above it."""
        from cassis import load_typesystem

        folders = [path.parent, *path.parent.parents][: _PARENTS + 1]
        named = [
            file
            for folder in folders
            for file in sorted(folder.glob("*.xml"))
            if file.name.lower() == _TYPE_SYSTEM_NAME
            or (folder == path.parent and file != path and is_type_system(file))
        ]
        if not named:
            raise InputError(
                f"{where}: no TypeSystem.xml beside it; export as a zip archive, or put it there"
            )
        found = named[0]
        if found not in self._type_systems:
            content = read_bytes(found)
            _refuse_document_type(content, str(found))
            self._type_systems[found] = load_typesystem(BytesIO(content))
        return self._type_systems[found]


def _refuse_document_type(content: bytes, where: str) -> None:
    """Refuse XML whose entities could read files or grow without bound; UIMA writes none.

    In encodings such as UTF-7 and EBCDIC it would not be found, so that these are refused too.
    """
    is_markup = content.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")
    if not is_markup or not set(charsets_of_xml(content)) <= _XML_ENCODINGS:
        raise InputError(f"{where}: not XML in UTF-8 or UTF-16; convert it to UTF-8")
    for encoding in ("ascii", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        if "<!DOCTYPE".encode(encoding) in content:
            raise InputError(f"{where}: XML with a document type is not read; remove it")
