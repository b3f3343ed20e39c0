"""Label schemes of token classifiers, and their conversion to BIO tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ....errors import ModelError
from ...tagger.mentions import tag_names

_BEGIN = "BSU"
"""Marks of the first word of a mention, or of its only one."""
_SCHEMES = {"": "IO", "I": "IO", "B": "BIO", "BI": "BIO", "BEIS": "BIOES", "BILU": "BILOU"}
"""Schemes by the marks that their classes have."""


@dataclass(frozen=True)
class LabelScheme:
    """How the classes of a model become BIO tags.

    Attributes:
        name: `BIO` (also with IOB1's marks), `IO`, `BIOES` or `BILOU`.
        labels: the label names, in the order of the classes.
        classes: the indices of the classes that become each of :func:`tag_names` of the labels;
            empty for a tag that the model does not have.
    """

    name: str
    labels: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]


def read_label_scheme(id2label: Mapping[int, str], source: str) -> LabelScheme:
    """Recognize the label scheme of a model.

    Args:
        id2label: the name of each class.
        source: names the model in the error message.

    Raises:
        ModelError: if the classes are unnamed, none of them is O, or they follow no known scheme.
    """
    names = [id2label[index] for index in sorted(id2label)]
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if all(re.fullmatch(r"LABEL_\d+", name) for name in names):
        raise ModelError(
            f"{source}: config.json does not name its classes ({shown}); "
            "write their names, such as O, B-PER and I-PER, into id2label"
        )
    if "O" not in names:
        raise ModelError(f"{source}: has no class O, so it does not find entities ({shown})")
    matches = {name: re.fullmatch(r"([BIESLU])-(.+)", name) for name in names if name != "O"}
    marks = "".join(sorted({match[1] for match in matches.values() if match}))
    plain = [name for name, match in matches.items() if match is None]
    is_mixed = bool(marks and plain) or marks not in _SCHEMES
    if not matches or is_mixed or any(re.search(r"^[BIESLU]_|[-_][BIESLU]$", n) for n in plain):
        raise ModelError(
            f"{source}: its classes are not BIO tags ({shown}); rename them in id2label to O, and "
            "B- and I- with the label"
        )
    tags = [(match[1], match[2]) if match else ("I", name) for name, match in matches.items()]
    labels = tuple(dict.fromkeys(label for _, label in tags))
    converted = {
        name: f"{'B' if mark in _BEGIN else 'I'}-{label}"
        for name, (mark, label) in zip(matches, tags, strict=True)
    }
    classes = tuple(
        tuple(index for index, name in enumerate(names) if converted.get(name, name) == tag)
        for tag in tag_names(labels)
    )
    return LabelScheme(_SCHEMES[marks], labels, classes)
