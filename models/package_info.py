"""Language, name, version, author and license of a model package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, first_line


@dataclass(frozen=True)
class PackageInfo:
    """Language, name, version and author of a wheel or checkpoint.

    Attributes:
        lang: ISO 639 code of the pipeline's language, as spaCy uses it.
        name: the model's name without the language: lower-case letters, digits and underscores.
        version: the model's version (PEP 440).
        author: who publishes the model; "" for nobody.
        email: the author's address; "" for none.
        url: a page about the model; "" for none.

    Raises:
        InputError: if a field is malformed.
    """

    lang: str = "en"
    name: str = "orbat_news"
    version: str = "0.1.0"
    author: str = ""
    email: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]{2,3}", self.lang):
            raise InputError(f"--lang {self.lang}: write a language code such as en")
        if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", self.name):
            raise InputError(f"--name {self.name}: use lower-case letters, digits and underscores")
        if not re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?", self.version):
            raise InputError(f"--version {self.version}: write a version such as 0.1.0")

        if not all(value.isprintable() for value in (self.author, self.email, self.url)):
            raise InputError("--author, --email, --url: write one line without control characters")
        if self.email and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.email):
            raise InputError(f"--email {self.email}: write an address such as ann@example.org")
        if self.email and not self.author:
            raise InputError("--email needs --author")
        if self.url and not re.fullmatch(r"https?://\S+", self.url):
            raise InputError(f"--url {self.url}: write an address such as https://example.org")

    @property
    def package_name(self) -> str:
        """The name of the Python package, such as `en_orbat_news`."""
        return f"{self.lang}_{self.name}"


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
    """

    expression: str
    files: Mapping[str, Path]


_ROOT = Path(__file__).parent.parent
CODE_LICENSE = PackageLicense("Apache-2.0", {"Apache-2.0.txt": _ROOT / "LICENSE"})
"""The license of the code in every package."""
RUN_LICENSE = PackageLicense(
    CODE_LICENSE.expression,
    {**CODE_LICENSE.files, "CC0-1.0.txt": _ROOT / "LICENSES" / "CC0-1.0.txt"},
)
"""The license of a packaged run: code and weights, and the shipped articles and gazetteer."""
