"""The pretrained model that a run was trained from."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ..training.transformer.encoder import PRETRAINED


@dataclass(frozen=True)
class BaseModel:
    """The pretrained model that a run was trained from.

    Attributes:
        name: its Hugging Face id, or the folder that the recipe names.
        license: the license of its weights; None if it is not known.
        sha256: hash of its weights; None if it is not known.
        language: ISO 639 code of the texts that it was trained on; None if it is not known.
    """

    name: str
    license: str | None = None
    sha256: str | None = None
    language: str | None = None

    @property
    def hub_id(self) -> str | None:
        """Its id on the Hugging Face Hub; None for a folder."""
        is_id = re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", self.name)
        return self.name if is_id and not Path(self.name).is_dir() else None

    def to_json(self) -> dict[str, str]:
        """Return what is known of it as a JSON object."""
        return {field: value for field, value in asdict(self).items() if value is not None}


def find_base_model(encoder: str) -> BaseModel:
    """Return the base model of a recipe.

    Args:
        encoder: the recipe's field `encoder`.
    """
    known = PRETRAINED.get(encoder)
    if known is None:
        return BaseModel(encoder)
    return BaseModel(known.name, known.license, known.sha256, known.language)
