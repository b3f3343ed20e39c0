"""The record of an article as its source contains it, before extraction and cleaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..addresses import hide_password
from ..json_values import replace_surrogates, to_json_value
from ..rejected import Rejected

TEXT_EXTENSIONS = (".txt", ".text", ".md")
HTML_EXTENSIONS = (".html", ".htm", ".xhtml")
ARTICLE_EXTENSIONS = (*TEXT_EXTENSIONS, *HTML_EXTENSIONS, ".pdf")
"""Extensions of files that hold one article."""


@dataclass(frozen=True)
class RawArticle:
    """An article as its source contains it.

    Attributes:
        location: the file, file and line, or URL, for messages.
        name: the name from which its id is made; empty for a record.
        content: the bytes of a page, text or PDF; empty for a record.
        record: the decoded fields of a record; None for bytes.
        extension: the file name extension of its content type, with the dot; ``""`` if unknown.
        origin: facts about its source, for its provenance.
        charset: the label of the encoding that its source declares, such as the charset of an HTTP
            header; empty if there is none.
        metadata: what is known of the article besides its bytes, such as the subject of an e-mail.
    """

    location: str
    name: str
    content: bytes = b""
    record: Any = None
    extension: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    charset: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # File names need not be Unicode, and headers may hold half of an emoji.
        object.__setattr__(self, "name", replace_surrogates(self.name))
        for facts in ("origin", "metadata"):
            object.__setattr__(self, facts, to_json_value(getattr(self, facts), self.location))


def ignore_notice(notice: str) -> None:
    """Do nothing with a notice."""


@dataclass(frozen=True)
class ReaderOptions:
    """Options for reading files.

    Attributes:
        text_column: the field or column that holds the text, `outer.inner` for a field of an
            object in the record; None for `text` or another usual name.
        notify: called with a line about what was chosen or not read.
    """

    text_column: str | None = None
    notify: Callable[[str], None] = ignore_notice


RawArticles = Iterator[RawArticle | Rejected]
"""A stream of articles; those that cannot be read are yielded as :class:`Rejected`."""


def describe_endings(names: Iterable[str]) -> str:
    """Return the number of files with each ending, the most frequent first, as `3 *.docx`."""
    endings = Counter(Path(name).suffix.lower() for name in names)
    return ", ".join(
        f"{count} *{ending}" if ending else f"{count} without ending"
        for ending, count in sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    )


def url_to_name(url: str) -> str:
    """Return a URL as a readable name, without its scheme, user name and password."""
    return hide_password(url).partition("://")[2].rstrip("/")
