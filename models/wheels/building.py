"""A pip-installable spaCy model: the package's source folder, and the wheel built from it.

The package contains

    PACKAGE/__init__.py         load()
    PACKAGE/component.py        the spaCy component, a copy of models/component.py
    PACKAGE/entities.py         mentions as spaCy entities, a copy of models/entities.py
    PACKAGE/runtime.py          ONNX inference, a copy of models/runtime.py
    PACKAGE/tagger/             a copy of training/tagger/
    PACKAGE/values/             a copy of training/values/
    PACKAGE/PACKAGE-VERSION/    the pipeline's data: weights, tokenizer, configuration, manifest
    PACKAGE/README.md           the model card
    PACKAGE/__main__.py         the command line, a copy of models/wheel_main.py
    PACKAGE/colors.py           colors of the labels in displaCy
    PACKAGE/py.typed            marks the package as typed

so that an installed model runs the same code as training and evaluation, and does not need orbat.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...corpus.output.atomic import open_atomic
from ...telemetry import ONNXRUNTIME_SWITCH
from ...training import tagger, values
from .. import component, entities, runtime, wheel_main
from ..component import COMPONENT, FACTORY, EntityTagger
from ..package_info import PackageInfo, PackageLicense

SOURCE_DATE = "315532800"
"""Date of all files in a wheel: 1980-01-01, the earliest one that a zip file can store."""
WHEEL_REQUIREMENTS = (
    "spacy>=3.8.2,<3.9",
    "onnxruntime>=1.22,<2",
    "tokenizers>=0.21,<1",
    "numpy>=2,<3",
)
"""Requirements of a model package; spaCy is the first."""

_INIT = '''{description!r}

import os
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.util import get_model_meta

# Before onnxruntime is imported: later it has no effect.
os.environ.setdefault({telemetry!r}, {off!r})

from .component import load_pipeline  # registers the factory

__version__: str = get_model_meta(Path(__file__).parent)["version"]


def load(**overrides: Any) -> Language:
    """Load the pipeline; takes the arguments of spacy.load."""
    return load_pipeline(__file__, **overrides)
'''

_COLORS = '''"""Colors of the labels in displaCy, which spaCy finds by an entry point."""

COLORS = {colors}
'''

_PYPROJECT = """[build-system]
requires = ["flit_core>=3.12,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "{package}"
version = "{version}"
description = {description}
readme = "README.md"
requires-python = ">=3.10"
license = "{license}"
license-files = ["LICENSES/*"]
{author}
dependencies = [
{requirements}
]

[project.entry-points.spacy_factories]
{package}_ner = "{package}.component:make_entity_tagger"

[project.entry-points.spacy_callbacks]
{package}_any_length = "{package}.component:make_any_length"

[project.entry-points.spacy_displacy_colors]
{package} = "{package}.colors:COLORS"
"""


def write_package(
    folder: Path,
    info: PackageInfo,
    *,
    files: Mapping[str, bytes],
    card: str,
    description: str,
    meta: Mapping[str, Any],
    colors: Mapping[str, str],
    license: PackageLicense,
) -> None:
    """Write a spaCy model package: pipeline, component code, model card and build metadata.

    Args:
        folder: a new folder.
        info: language, name and version.
        files: contents of the packaged model's files by name, manifest and hashes included.
        card: the model card, in Markdown.
        description: one line.
        meta: further entries of spaCy's `meta.json`, such as `performance`.
        colors: the color of each label in displaCy.
        license: the license of code and weights.
    """
    code = folder / info.package_name
    code.mkdir(parents=True)
    _write_pipeline(
        code, info, files, {"description": description, "license": license.expression, **meta}
    )
    telemetry, off = ONNXRUNTIME_SWITCH
    init = _INIT.format(description=description, telemetry=telemetry, off=off)
    (code / "__init__.py").write_text(init, encoding="utf-8")
    _copy_code(code)
    (code / "colors.py").write_text(
        _COLORS.format(colors=json.dumps(dict(colors), indent=4)), encoding="utf-8"
    )
    (code / "py.typed").touch()
    (folder / "LICENSES").mkdir()
    for name, source in license.files.items():
        shutil.copyfile(source, folder / "LICENSES" / name)
    (folder / "README.md").write_text(card, encoding="utf-8")
    (code / "README.md").write_text(card, encoding="utf-8")
    pyproject = _PYPROJECT.format(
        package=info.package_name,
        version=info.version,
        # JSON strings are strings of TOML as well.
        description=json.dumps(description),
        license=license.expression,
        requirements="\n".join(f'    "{requirement}",' for requirement in WHEEL_REQUIREMENTS),
        author=_author(info),
    )
    (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")


def _author(info: PackageInfo) -> str:
    """Return the lines of `pyproject.toml` on author and home page."""
    lines = []
    if info.author:
        fields = {"name": info.author, "email": info.email}
        values = (f"{key} = {json.dumps(value)}" for key, value in fields.items() if value)
        lines.append(f"authors = [{{ {', '.join(values)} }}]")
    if info.url:
        lines.append(f"urls = {{ Homepage = {json.dumps(info.url)} }}")
    return "\n".join(lines)


def _write_pipeline(
    code: Path,
    info: PackageInfo,
    files: Mapping[str, bytes],
    meta: Mapping[str, Any],
) -> None:
    """Write the spaCy pipeline's data, and its meta.json beside the code."""
    import spacy
    from thinc.api import Config

    nlp = spacy.blank(info.lang)
    component = nlp.add_pipe(FACTORY, COMPONENT)
    assert isinstance(component, EntityTagger)
    component.load_files(files)
    nlp.meta.update(
        {
            "name": info.name,
            "version": info.version,
            "spacy_version": WHEEL_REQUIREMENTS[0].removeprefix("spacy"),
            "author": info.author,
            "email": info.email,
            "url": info.url,
            "requirements": list(WHEEL_REQUIREMENTS[1:]),
            **meta,
        }
    )
    data = code / f"{info.package_name}-{info.version}"
    nlp.to_disk(data)
    config = Config().from_disk(data / "config.cfg", interpolate=False)
    config["components"][COMPONENT]["factory"] = f"{info.package_name}_ner"
    config["nlp"]["after_creation"] = {"@callbacks": f"{info.package_name}_any_length"}
    config.to_disk(data / "config.cfg")
    written = json.loads((data / "meta.json").read_text(encoding="utf-8"))
    # spaCy writes empty fields for an unknown author.
    text = json.dumps({key: value for key, value in written.items() if value != ""}, indent=2)
    for folder in (data, code):
        (folder / "meta.json").write_text(text, encoding="utf-8")


def _copy_code(code: Path) -> None:
    """Copy the modules that the installed model runs on.

    In the package, `training/tagger` is the subpackage `tagger`: imports of `..training.tagger`
    become imports of `.tagger`; the same holds for `training/values`. Imports inside them are
    relative to them and stay as they are.
    """
    for module in (component, entities, runtime, wheel_main):
        source = Path(str(module.__file__))
        text = re.sub(
            r"^from \.\.training\.(tagger|values)\b",
            r"from .\1",
            source.read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
        name = "__main__.py" if module is wheel_main else source.name
        (code / name).write_text(text, encoding="utf-8")
    for subpackage in (tagger, values):
        package = Path(str(subpackage.__file__)).parent
        (code / package.name).mkdir()
        for source in sorted(package.glob("*.py")):
            shutil.copyfile(source, code / package.name / source.name)


def build_wheel(folder: Path, output: Path) -> Path:
    """Build a package folder into a wheel, write it to `output` atomically, return its path.

    Equal contents give equal bytes (https://reproducible-builds.org/specs/source-date-epoch).
    """
    from flit_core.wheel import make_wheel_in

    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = SOURCE_DATE
    try:
        built = Path(make_wheel_in(folder / "pyproject.toml", folder).file)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
    path = output / built.name
    with open_atomic(path) as file:
        file.write(built.read_bytes())
    return path
