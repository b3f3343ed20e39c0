"""What names a tagger that orbat did not train: a model file (TOML), or a short form of one.

spacy:en_core_web_sm
gliner:models/gliner-small
llm:qwen2.5-7b-instruct@http://127.0.0.1:8080/v1
models/gpt.toml
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from ...corpus.addresses import check_address
from ...corpus.files import read_toml
from ...errors import InputError, first_error

_SHORT_LLM = re.compile(r"llm:([^\0-\x20]+)@(https?://[^\0-\x20@]+)")
_SHORT = {"spacy:": "spacy", "gliner:": "gliner"}
"""Kind of model by the beginning of a short form whose rest is the model."""
_Name = Annotated[str, Field(min_length=1, max_length=300)]


class _ModelFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _OwnLabels(_ModelFile):
    map: dict[_Name, str] = {}
    """The label that each label of the model becomes, such as `PER = "PERSON"`; "" drops its
    mentions. Labels that are not named keep their names."""


class SpacyPipeline(_OwnLabels):
    """A pipeline of spaCy."""

    kind: Literal["spacy"] = "spacy"
    """Kind of model."""
    model: _Name
    """Name of an installed pipeline, or its folder."""


class TokenClassifier(_OwnLabels):
    """A token classifier of transformers; without a map, it needs no model file."""

    kind: Literal["transformers"]
    """Kind of model."""
    model: _Name
    """Folder written by `save_pretrained`, or id on the Hugging Face Hub."""


class GlinerModel(_ModelFile):
    """A GLiNER model, which finds what its prompts name."""

    kind: Literal["gliner"] = "gliner"
    """Kind of model."""
    model: _Name
    """Folder written by `save_pretrained`, or id on the Hugging Face Hub."""
    labels: _Name | None = None
    """Label set file; by default the label set of the command, or the one that ships with orbat."""
    prompts: dict[_Name, _Name] = {}
    """What the model is asked for instead of a label's description, such as `UNIT = "military
    unit"`."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Least confidence of an entity."""


class LanguageModel(_ModelFile):
    """A language model behind an API that is compatible with OpenAI's chat completions."""

    kind: Literal["llm"] = "llm"
    """Kind of model."""
    url: _Name
    """Address of the API without `/chat/completions`, such as `http://127.0.0.1:8080/v1`. The texts
    of the articles are sent to it."""
    model: _Name
    """Name of the model at this address."""
    labels: _Name | None = None
    """Label set file, whose labels, descriptions and guidelines the model is told; by default the
    label set of the command, or the one that ships with orbat."""
    guidelines: bool = True
    """Whether the model is told the guidelines, which each request then contains."""
    answer_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    """The `response_format` of requests: a JSON schema, any JSON object, or none at all, for APIs
    that refuse the others."""
    parameters: dict[str, Any] = {"temperature": 0, "max_tokens": 2048}
    """Further fields of requests, which replace the default ones."""
    passage: Annotated[int, Field(ge=100, le=200_000)] = 3000
    """Most characters of a text in one request; longer texts are split between paragraphs."""
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests at a time."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120
    """Seconds until an answer must be complete."""
    input_price: Annotated[float, Field(ge=0)] | None = None
    """Price of a million tokens that are sent, in any currency."""
    output_price: Annotated[float, Field(ge=0)] | None = None
    """Price of a million tokens that are received."""
    cache: _Name | None = None
    """SQLite file that keeps the answers; by default one in the user's cache folder."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        try:
            check_address(url, "url")
        except InputError as error:
            raise ValueError(str(error)) from error
        return url.rstrip("/").removesuffix("/chat/completions")

    @field_validator("parameters")
    @classmethod
    def _check_parameters(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        taken = {"model", "messages", "response_format", "stream", "n"} & set(parameters)
        if taken:
            raise ValueError(f"'{min(taken)}' is set by orbat; remove it")
        return parameters


ModelFile = SpacyPipeline | TokenClassifier | GlinerModel | LanguageModel
_KINDS: dict[str, type[ModelFile]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(ModelFile)
}


def is_model_file(name: str | Path) -> bool:
    """Return whether a name is that of a model file, or a short form."""
    text = str(name)
    is_file = text.endswith(".toml") and not Path(text).is_dir()
    return is_file or text.startswith(("llm:", *_SHORT))


def read_model_file(name: str | Path) -> ModelFile:
    """Return the settings of a tagger that orbat did not train.

    Args:
        name: a model file, `spacy:NAME`, `gliner:MODEL` or `llm:MODEL@URL`. Paths in a model file
            are relative to its folder.

    Raises:
        InputError: if the file cannot be read, or a field is invalid.
    """
    text = str(name)
    for start, kind in _SHORT.items():
        if text.startswith(start):
            return _parse({"kind": kind, "model": text.removeprefix(start)}, text)
    if text.startswith("llm:"):
        match = _SHORT_LLM.fullmatch(text)
        if match is None:
            raise InputError(f"{text}: write llm:MODEL@URL, with the address of an API")
        return _parse({"kind": "llm", "model": match[1], "url": match[2]}, text)
    path = Path(name)
    settings = _parse(read_toml(path), str(path))
    return settings.model_copy(update=_inner_paths(settings, path.parent))


def _parse(values: dict[str, Any], where: str) -> ModelFile:
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputError(f"{where}: kind: must be one of {', '.join(_KINDS)}")
    try:
        return TypeAdapter[ModelFile](_KINDS[kind]).validate_python(values)
    except ValidationError as error:
        known = ", ".join(_KINDS[kind].model_fields)
        raise InputError(f"{where}: {first_error(error)} (fields: {known})") from error


def _inner_paths(settings: ModelFile, folder: Path) -> dict[str, str]:
    """Return the fields of a model file that are paths, from its folder on."""
    if isinstance(settings, LanguageModel):
        names = {"labels": settings.labels, "cache": settings.cache}
        return {field: str(folder / name) for field, name in names.items() if name is not None}
    # The name of an installed pipeline and an id on the Hub are no paths.
    paths = {"model": str(folder / settings.model)} if (folder / settings.model).is_dir() else {}
    if isinstance(settings, GlinerModel) and settings.labels is not None:
        paths["labels"] = str(folder / settings.labels)
    return paths
