"""Text of PDF files."""

from __future__ import annotations

import io
import logging
from typing import Any

from ...errors import InputError, describe_fault


def extract_pdf(content: bytes, location: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a PDF, pages separated by blank lines, and its title and author.

    Extraction is pypdf's.

    Raises:
        InputError: if the PDF is encrypted, damaged, or holds scanned pages only.
    """
    from pypdf import PdfReader

    # pypdf logs everything that it repairs.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(f"{location}: encrypted PDF; save it without a password")
        text = "\n\n".join(page.extract_text() for page in reader.pages)
        properties = reader.metadata
    except InputError:
        raise
    except NotImplementedError as error:
        # Such as encryption for the owner of a certificate.
        raise InputError(f"{location}: PDF that cannot be read ({error}); print it anew") from error
    # Damaged files make pypdf raise errors of many classes.
    except Exception as error:
        fault = describe_fault(error)
        raise InputError(f"{location}: damaged PDF ({fault}); save it again") from error
    if not text.strip():
        raise InputError(f"{location}: PDF without text, perhaps scanned; run OCR first")
    metadata = {"title": properties.title, "author": properties.author} if properties else {}
    return text, {name: str(value) for name, value in metadata.items() if value}
