"""All formats by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...corpus.document import Document
from ...errors import InputError, did_you_mean
from .conversion_report import ConversionReport
from .datasets.reading import read_datasets
from .datasets.writing import write_datasets
from .docbin import read_docbin, write_docbin
from .imported import ImportedDocument, ReadOptions
from .jsonl import read_jsonl, write_jsonl
from .spacy_json import read_spacy_json
from .standoff.brat import read_brat, write_brat
from .standoff.re3d import read_re3d, write_re3d
from .tokens.column_files import read_columns
from .tokens.conll import write_conll, write_iob
from .tokens.words_tags import read_word_files, write_word_files
from .tools.doccano import read_doccano, write_doccano
from .tools.label_studio import read_label_studio
from .tools.label_studio_writer import write_label_studio
from .tools.prodigy import read_prodigy, write_prodigy
from .uima.cas import read_cas_json, read_xmi, write_xmi
from .uima.webanno import read_webanno
from .write_options import WriteOptions


@dataclass(frozen=True)
class Format:
    """A format of annotated corpora.

    Attributes:
        read: yields the documents of a file or folder, unchecked.
        write: writes documents to a new file or folder, atomically, and returns their number; None
            for formats that can be read only.
        suffix: ending of the file name; "" for folders.
    """

    read: Callable[[Path, ReadOptions, ConversionReport], Iterator[ImportedDocument]]
    write: Callable[[Path, Iterable[Document], ConversionReport, WriteOptions], int] | None
    suffix: str = ""


FORMATS = {
    "jsonl": Format(read_jsonl, write_jsonl, ".jsonl"),
    "doccano": Format(read_doccano, write_doccano, ".jsonl"),
    "brat": Format(read_brat, write_brat),
    "conll": Format(read_columns, write_conll, ".conll"),
    "iob": Format(read_columns, write_iob, ".iob"),
    "words-tags": Format(read_word_files, write_word_files),
    "docbin": Format(read_docbin, write_docbin, ".spacy"),
    "spacy": Format(read_spacy_json, None),
    "labelstudio": Format(read_label_studio, write_label_studio, ".json"),
    "prodigy": Format(read_prodigy, write_prodigy, ".jsonl"),
    "datasets": Format(read_datasets, write_datasets),
    "re3d": Format(read_re3d, write_re3d),
    "webanno": Format(read_webanno, None),
    "xmi": Format(read_xmi, write_xmi),
    "cas-json": Format(read_cas_json, None),
}


def get_format(name: str) -> Format:
    """Return the format of a name.

    Raises:
        InputError: if there is none; it names the one that is most like it.
    """
    if name not in FORMATS:
        raise InputError(
            f"unknown format '{name}'{did_you_mean(name, FORMATS)}; choose one of "
            f"{', '.join(FORMATS)}"
        )
    return FORMATS[name]


def get_writable(name: str) -> Format:
    """Return the format of a name that is to be written.

    Raises:
        InputError: as :func:`get_format`, and if the format can be read only.
    """
    chosen = get_format(name)
    if chosen.write is None:
        raise InputError(f"{name} can be read only; choose another format with --to")
    return chosen
