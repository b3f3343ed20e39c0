"""The format of a file or folder to write, from its ending or its name."""

from __future__ import annotations

from pathlib import Path

from ....errors import InputError
from ..registry import FORMATS, get_writable

_ENDINGS: dict[str, list[str]] = {}
for _name, _format in FORMATS.items():
    if _format.write is not None and _format.suffix:
        _ENDINGS.setdefault(_format.suffix, []).append(_name)
_ENDINGS |= {".iob2": ["iob"], ".bio": ["iob"]}
"""The formats that are written to files of an ending; the first one without `--to`."""
_OF_FOLDERS = {".parquet": "datasets", ".arrow": "datasets", ".xmi": "xmi", ".ann": "brat"}
"""Endings of files within folders that are written."""
_READ_ONLY = {
    ".gz": "compressed files are not written",
    ".zip": "archives are not written",
    ".conllu": "CoNLL-U is not written",
    ".conllup": "CoNLL-U Plus is not written",
}


def find_target_format(
    target: Path, format_name: str | None = None, *, by_annotator: bool = False
) -> str:
    """Return the name of the format in which a file or folder is to be written.

    Args:
        target: the file or folder.
        format_name: the format that the user names; None to find it from the ending.
        by_annotator: `target` is a folder with a file or folder for each annotator. Without
            `format_name`, they are JSON Lines.

    Raises:
        InputError: if the ending tells no format, or another one than `format_name`; it says what
            to name instead.
    """
    target = Path(target)
    chosen = None if format_name is None else get_writable(format_name)
    suffix = target.suffix.lower()
    if suffix in _READ_ONLY:
        stem = target.with_suffix("")
        other = stem if stem.suffix in _ENDINGS else stem.with_suffix(".conll")
        fix = "name a file or folder without it" if suffix == ".zip" else f"name it {other}"
        raise InputError(f"{target}: {_READ_ONLY[suffix]}; {fix}")
    if suffix in _OF_FOLDERS:
        of_folder = _OF_FOLDERS[suffix]
        raise InputError(
            f"{target}: {of_folder} is written as a folder; name one, such as "
            f"{target.with_suffix('')} --to {of_folder}"
        )
    names = _ENDINGS.get(suffix, [])
    if by_annotator:
        if names:
            raise InputError(
                f"{target}: --by-annotator writes a folder of files; name one, such as "
                f"{target.with_suffix('')} --to {format_name or names[0]}"
            )
        return format_name or "jsonl"
    if format_name is None or chosen is None:
        if names:
            return names[0]
        found = f"the ending {target.suffix} tells" if suffix else "a name without ending tells"
        writable = ", ".join(name for name, one in FORMATS.items() if one.write is not None)
        raise InputError(
            f"{target}: {found} no format; name a file such as "
            f"{target.with_suffix('.jsonl')}, or add --to, one of {writable}"
        )
    if names and format_name not in names and FORMATS[names[0]].read is not chosen.read:
        kind = "a file" if chosen.suffix else "a folder"
        raise InputError(
            f"{target}: the ending {target.suffix} is that of {' or '.join(names)}, but --to says "
            f"{format_name}; name {kind} such as {target.with_suffix(chosen.suffix)}, or change "
            "--to"
        )
    return format_name
