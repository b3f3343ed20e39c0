"""Tagging with GLiNER, whose labels are words that it is given.

Source: Zaratiana et al. 2024, https://aclanthology.org/2024.naacl-long.300.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.files import sha256_path, sha256_text
from ...corpus.labels import LabelSet
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ModelError, first_line
from ..tagger.mentions import Mention
from ..transformer.encoder import fetch_from_hub, quiet_transformers, refuse_pickles
from .model_file import GlinerModel
from .verbatim import split_passages

CONFIG_FILE = "gliner_config.json"
"""The file by which a model's folder is recognized."""
_PASSAGE = 1000
"""Most characters in a passage, so that encoders that read 512 pieces read all of it."""
_CONVERT = (
    "write it anew with GLiNER.from_pretrained(…).save_pretrained(FOLDER, safe_serialization=True)"
)


class GlinerTagger:
    """Tags texts with GLiNER. See :class:`orbat.training.base.TextTagger`.

    The prompt of a label is that of the settings, or else its description, or else its name in
    lower case. Texts are read in passages that the model does not cut off.

    Args:
        settings: the model.
        labels: what it is to find.

    Raises:
        InputError: if its weights are pickled, it would run code of its own, or a prompt is for no
            label.
        ModelError: if it cannot be loaded.
    """

    def __init__(self, settings: GlinerModel, labels: LabelSet) -> None:
        self.labels = tuple(label.name for label in labels.choices)
        unknown = sorted(set(settings.prompts) - set(self.labels))
        if unknown:
            raise InputError(
                f"gliner:{settings.model}: prompts: there is no label '{unknown[0]}'; the label "
                f"set has {', '.join(self.labels)}"
            )
        self._prompts = {
            label.name: settings.prompts.get(label.name, label.description)
            or label.name.lower().replace("_", " ")
            for label in labels.choices
        }
        if len(set(self._prompts.values())) < len(self._prompts):
            raise InputError(
                f"gliner:{settings.model}: two labels have the same prompt; change one by prompts"
            )
        self._name = f"gliner:{settings.model}"
        self._threshold = settings.threshold
        self._folder, self._model = _load(settings.model)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that answers depend on, besides the text."""
        options = json.dumps([self._prompts, self._threshold])
        return sha256_text(f"{sha256_path(self._folder)} {options}")

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order.

        Raises:
            ModelError: if the model does not read the prompts and a passage together.
        """
        for text in texts:
            passages = list(self._passages(text))
            found = self._infer([text[start:end] for start, end in passages])
            yield [
                Mention(start + m["start"], start + m["end"], m["label"], float(m["score"]))
                for (start, _), mentions in zip(passages, found, strict=True)
                for m in sorted(mentions, key=lambda mention: mention["start"])
            ]

    def _infer(self, passages: list[str]) -> list[list[dict[str, Any]]]:
        try:
            found: list[list[dict[str, Any]]] = self._model.inference(
                passages, self._prompts, flat_ner=True, threshold=self._threshold
            )
        except (RuntimeError, IndexError) as error:
            raise ModelError(
                f"{self._name}: cannot read a passage ({first_line(error)}); set shorter prompts"
            ) from error
        return found

    def _passages(self, text: str, size: int = _PASSAGE) -> Iterator[tuple[int, int]]:
        """Yield start and end of passages with as many words as the model reads."""
        for start, end in split_passages(text, size):
            words = sum(1 for _ in self._model.data_processor.words_splitter(text[start:end]))
            if words <= self._model.config.max_len:
                yield start, end
                continue
            for inner, inner_end in self._passages(text[start:end], max(1, (end - start) // 2)):
                yield start + inner, start + inner_end


def _load(name: str) -> tuple[Path, Any]:
    """Return the folder of a model, and the model."""
    from gliner import GLiNER

    folder = Path(name) if Path(name).is_dir() else fetch_from_hub(name)
    try:
        config = read_json_object(folder / CONFIG_FILE)
    except InputError as error:
        raise ModelError(f"gliner:{name}: has no readable {CONFIG_FILE}") from error
    # The package lets transformers run the code that an encoder names, also that of an encoder
    # whose configuration is elsewhere.
    if _names_code(config):
        raise InputError(f"gliner:{name}: names code of its own, which is never run")
    for part in ("encoder", "labels_encoder", "labels_decoder"):
        is_used = part == "encoder" or config.get(part) is not None
        if is_used and not isinstance(config.get(f"{part}_config"), dict):
            raise ModelError(f"gliner:{name}: lacks {part}_config in {CONFIG_FILE}; {_CONVERT}")
    refuse_pickles(folder)
    if not any(folder.glob("*.safetensors")):
        raise ModelError(f"gliner:{name}: has no weights as safetensors; {_CONVERT}")
    try:
        with quiet_transformers():
            model = GLiNER.from_pretrained(str(folder), local_files_only=True, strict=True)
    # It raises what its libraries raise.
    except Exception as error:
        raise ModelError(
            f"gliner:{name}: cannot be loaded ({first_line(error)}); {_CONVERT}"
        ) from error
    return folder, model


def _names_code(value: Any) -> bool:
    """Return whether a configuration, or one within it, has the field by which code is named."""
    if isinstance(value, dict):
        return "auto_map" in value or any(map(_names_code, value.values()))
    return isinstance(value, list) and any(map(_names_code, value))
