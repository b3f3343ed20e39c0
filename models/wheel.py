"""A pip-installable spaCy model: the package's files, and the wheel built of them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..training import tagger as tagger_package
from . import component as component_source
from . import runtime as runtime_source
from .component import FACTORY, EntityTagger

# 1980-01-01, the earliest time that a zip file can hold: the same input gives the same bytes.
EPOCH = "315532800"
SPACY = ">=3.8,<3.9"
REQUIREMENTS = (f"spacy{SPACY}", "onnxruntime>=1.22,<2", "tokenizers>=0.21,<1", "numpy>=2,<3")

_INIT = '''"""{description}"""

from pathlib import Path

from spacy.util import get_model_meta, load_model_from_init_py

from . import component  # registers the factory

__version__ = get_model_meta(Path(__file__).parent)["version"]


def load(**overrides):
    """Load the pipeline; takes what spacy.load takes."""
    return load_model_from_init_py(__file__, **overrides)
'''


def check_name(lang: str, name: str, version: str) -> str:
    """Return the package name, `LANG_NAME`.

    Raises:
        InputError: if the parts make no valid package name or version.
    """
    if not re.fullmatch(r"[a-z]{2,3}", lang):
        raise InputError(f"--lang {lang}: write a language code such as en")
    if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name):
        raise InputError(f"--name {name}: write lower-case letters, digits and underscores")
    if not re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?", version):
        raise InputError(f"--version {version}: write a version such as 0.1.0")
    return f"{lang}_{name}"


_TAGGER = Path(str(tagger_package.__file__)).parent
_SOURCES = (
    Path(str(component_source.__file__)),
    Path(str(runtime_source.__file__)),
    *sorted(path for path in _TAGGER.glob("*.py") if path.name != "__init__.py"),
)
"""The source files that the installed model runs on."""


def write_package(
    folder: Path,
    *,
    lang: str,
    name: str,
    version: str,
    files: dict[str, bytes],
    card: str,
    description: str,
    performance: dict[str, Any],
) -> None:
    """Write a spaCy model package: pipeline, component code, card and build metadata.

    Args:
        folder: a new folder.
        lang: the pipeline's language code.
        name: the model's name without the language.
        version: the model's version.
        files: contents of the packaged tagger, and its manifest.
        card: the model card, in Markdown.
        description: one line.
        performance: scores for spaCy's `meta.json`.
    """
    import spacy

    package = f"{lang}_{name}"
    code = folder / package
    code.mkdir(parents=True)
    nlp = spacy.blank(lang)
    tagger = nlp.add_pipe(FACTORY)
    assert isinstance(tagger, EntityTagger)
    tagger.set_files(files)
    nlp.meta.update(
        {
            "name": name,
            "version": version,
            "description": description,
            "license": "Apache-2.0",
            "requirements": list(REQUIREMENTS[1:]),
            "performance": performance,
        }
    )
    data = code / f"{package}-{version}"
    nlp.to_disk(data)
    shutil.copyfile(data / "meta.json", code / "meta.json")
    (code / "__init__.py").write_text(_INIT.format(description=description), encoding="utf-8")
    for path in _SOURCES:
        text = re.sub(
            r"^from (\.\.training\.tagger)?\.(?=\w)", "from .", path.read_text("utf-8"), flags=re.M
        )
        (code / path.name).write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
    (code / "README.md").write_text(card, encoding="utf-8")
    requirements = "\n".join(f'    "{requirement}",' for requirement in REQUIREMENTS)
    (folder / "pyproject.toml").write_text(
        f"""[build-system]
requires = ["flit_core>=3.10,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "{package}"
version = "{version}"
description = "{description}"
readme = "README.md"
requires-python = ">=3.10"
license = "Apache-2.0"
dependencies = [
{requirements}
]

[project.entry-points.spacy_factories]
{FACTORY} = "{package}.component:make_entity_tagger"
""",
        encoding="utf-8",
    )


def build_wheel(folder: Path, output: Path) -> Path:
    """Build a package folder into a wheel in `output`, and return its path.

    The same contents give the same bytes (https://reproducible-builds.org/specs/source-date-epoch).
    """
    from flit_core.wheel import make_wheel_in

    output.mkdir(parents=True, exist_ok=True)
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    try:
        return Path(make_wheel_in(folder / "pyproject.toml", output).file)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
