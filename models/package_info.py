"""What a model package says of itself: language, name, version, description, author and license."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..corpus.addresses import hide_password
from ..corpus.labels import NO_EXAMPLE, LabelSet
from ..errors import InputError, first_line
from ..training.run_folder import read_manifest

if TYPE_CHECKING:
    from .variants import VariantReport

SEVERAL_LANGUAGES = "xx"
"""spaCy's code for several languages. It also stands for one that is not stated."""


@dataclass(frozen=True)
class PackageInfo:
    """What a wheel or checkpoint says of itself.

    Attributes:
        lang: ISO 639 code of the pipeline's language, as spaCy uses it.
        name: the model's name without the language: lower-case letters, digits and underscores.
        version: the model's version (PEP 440).
        author: who publishes the model; "" for nobody.
        email: the author's address; "" for none.
        url: a page about the model; "" for none.
        license: the license of the weights, as SPDX or the Hugging Face Hub name it; None for that
            of the base model.
        description: what the model finds, in one line; the labels are added.
        example: a text for the model card's example code.
        datasets: ids on the Hugging Face Hub of what the model was trained on.
        license_file: a text of the license of the weights, which the package contains; None for
            orbat's own copy, if it has one.

    Raises:
        InputError: if a field is malformed, or the file does not exist.
    """

    lang: str = "en"
    name: str = "orbat_news"
    version: str = "0.1.0"
    author: str = ""
    email: str = ""
    url: str = ""
    license: str | None = None
    description: str = "Named entities"
    example: str = NO_EXAMPLE
    datasets: tuple[str, ...] = ()
    license_file: Path | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]{2,3}", self.lang):
            raise InputError(f"--lang {self.lang}: write a language code such as en")
        if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", self.name):
            raise InputError(f"--name {self.name}: use lower-case letters, digits and underscores")
        if not re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?", self.version):
            raise InputError(f"--version {self.version}: write a version such as 0.1.0")

        for field in ("author", "email", "url", "license", "description", "example"):
            if not (getattr(self, field) or "").isprintable():
                raise InputError(f"--{field}: write one line without control characters")
        if self.license_file is not None and not self.license_file.is_file():
            raise InputError(f"--license-file {self.license_file}: no such file")
        if self.email and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.email):
            raise InputError(f"--email {self.email}: write an address such as ann@example.org")
        if self.email and not self.author:
            raise InputError("--email needs --author")
        if self.url != hide_password(self.url):
            shown = hide_password(self.url)
            raise InputError(f"--url {shown}: must not have a user name or password; remove it")
        if self.url and not re.fullmatch(r"https?://\S+", self.url):
            raise InputError(f"--url {self.url}: write an address such as https://example.org")

    @property
    def package_name(self) -> str:
        """The name of the Python package, such as `en_orbat_news`."""
        return f"{self.lang}_{self.name}"

    @property
    def language(self) -> str:
        """The language, for a model card."""
        several = self.lang == SEVERAL_LANGUAGES
        return f"several, or not stated (`{self.lang}`)" if several else self.lang

    def describe(self, labels: Sequence[str]) -> str:
        """Return what the model finds, with its labels, in one line."""
        return f"{self.description}: {', '.join(labels)}"


def run_package_info(
    run: Path,
    *,
    lang: str | None = None,
    name: str | None = None,
    description: str | None = None,
    example: str | None = None,
    **fields: Any,
) -> PackageInfo:
    """Return what a run's package says of itself; what is not given is that of its label set.

    Args:
        run: a finished run folder.
        lang: see :class:`PackageInfo`; None for the label set's language, or
            :data:`SEVERAL_LANGUAGES`.
        name: None for the name of the label set.
        description: None for that of the label set.
        example: None for that of the label set.
        fields: the other fields of :class:`PackageInfo`.

    Raises:
        InputError: if a field is malformed.
        ModelError: if the folder is not a finished run.
    """
    labels = LabelSet.model_validate(read_manifest(Path(run))["labels"])
    return PackageInfo(
        lang=lang or labels.language or SEVERAL_LANGUAGES,
        name=name or model_name(labels.name),
        description=description or labels.description,
        example=example or labels.example,
        **fields,
    )


def model_name(text: str) -> str:
    """Return a valid name of a model, made from a text such as the name of a folder."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if re.match(r"[a-z]", name) and len(name) > 1 else f"model_{name}".rstrip("_")


def language_fault(lang: str) -> str | None:
    """Return why spaCy cannot make a pipeline of a language; None if it can."""
    import spacy

    try:
        own = spacy.blank(lang).lang
    # Some languages need a library of their own.
    except ImportError as error:
        return f"spaCy cannot load it ({first_line(error)}); xx is for any language"
    # The data of a package is found by spaCy's own code, such as `de` for `deu`.
    return None if own == lang else f"spaCy's code of this language is {own}; write {own}"


def language_name(lang: str) -> str:
    """Return the English name of a language that spaCy knows, such as `English` for `en`."""
    from spacy.util import get_lang_class

    return str(get_lang_class(lang).__name__)


def check_language(lang: str) -> None:
    """Refuse a language of which spaCy cannot make a pipeline.

    Raises:
        InputError: saying why.
    """
    if fault := language_fault(lang):
        raise InputError(f"--lang {lang}: {fault}")


@dataclass(frozen=True)
class PackageLicense:
    """The license in a package's metadata, and the texts in its folder `LICENSES`.

    Attributes:
        expression: the SPDX license expression for code and weights together.
        files: the license texts by the names that they have in the package.
        missing: the license of the weights, if there is no text of it; "" if there is.
    """

    expression: str
    files: Mapping[str, Path]
    missing: str = ""


_ROOT = Path(__file__).parent.parent
CODE_LICENSE = PackageLicense("Apache-2.0", {"Apache-2.0.txt": _ROOT / "LICENSE"})
"""The license of the code in every package."""
UNKNOWN_LICENSE = "unknown"
"""The license of weights of which none is known."""
_CC0 = {"CC0-1.0.txt": _ROOT / "LICENSES" / "CC0-1.0.txt"}
_TEXTS = {"Apache-2.0": CODE_LICENSE.files, "CC0-1.0": _CC0}
"""The licenses of which orbat has the text."""


def weights_license(
    weights: str, texts: Iterable[Path] = (), *, shipped_gazetteer: bool = False
) -> PackageLicense:
    """Return the license of a package: code, weights and, if it is in it, the shipped gazetteer.

    Args:
        weights: the name of the weights' license.
        texts: files with its text; for none, orbat's own copy is taken if there is one.
        shipped_gazetteer: whether the package has entries of the gazetteer that ships with orbat.
    """
    given = {f"weights-{path.name}": path for path in texts}
    identifier = _spdx_identifier(weights)
    own = {} if given else _TEXTS.get(identifier, {})
    files = {**CODE_LICENSE.files, **(_CC0 if shipped_gazetteer else {}), **own, **given}
    missing = "" if given or own else identifier
    return PackageLicense(license_expression(weights), files, missing)


def package_notices(
    info: PackageInfo, license: PackageLicense, variants: VariantReport | None
) -> list[str]:
    """Return lines on what a package does not state or contain, each with what to do.

    Args:
        info: what the package says of itself.
        license: the license of the weights.
        variants: the comparison on the dev documents; None without dev documents.
    """
    notices = []
    if info.lang == SEVERAL_LANGUAGES:
        notices.append(f"language {info.lang}: several, or not stated; name one with --lang")
    if license.missing == _spdx_identifier(UNKNOWN_LICENSE):
        notices.append("the license of the weights is not known; name it with --license")
    elif license.missing:
        notices.append(
            f"the wheel has no text of {license.missing}, the license of the weights; give it "
            "with --license-file"
        )
    if variants is not None and variants.calibration is None:
        notices.append(
            "confidences are not calibrated: the predicted mentions in the dev documents are too "
            "few, all right or all wrong; give more dev documents"
        )
    return notices


def license_expression(weights: str) -> str:
    """Return the SPDX expression for code and weights together; both licenses apply.

    The Hub's names of licenses are SPDX identifiers in lower case; others, such as `llama3`,
    `other` and `unknown`, become SPDX's form for a license that it does not list,
    `LicenseRef-NAME`.

    Args:
        weights: the name of the weights' license.
    """
    identifier, code = _spdx_identifier(weights), CODE_LICENSE.expression
    return code if identifier == code else f"{code} AND {identifier}"


def _spdx_identifier(name: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    reference = f"LicenseRef-{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}"
    if re.search(r"\s", name):  # an expression, or free text
        return reference
    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return reference
