"""Parsing the XML that annotation tools send inside their JSON."""

from __future__ import annotations

import re

from fastapi import HTTPException

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def checked_xml(text: str, name: str) -> str:
    """Return XML without its declaration, whose encoding is meaningless in a string.

    Args:
        text: the XML.
        name: the field that it comes from, for messages.

    Raises:
        HTTPException: 422 if it has a document type, through which entities could read files or
            grow without bound. None of the tools sends one.
    """
    if "<!DOCTYPE" in text:
        raise HTTPException(422, f"{name}: XML with a document type is not read; remove it")
    return _DECLARATION.sub("", text)
