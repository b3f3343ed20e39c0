"""The files that the browser loads."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from .responses import Environ, StartResponse, respond

WEB = Path(__file__).parent.parent / "web"
STATIC = "/orbat/static/"
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_PAGE = re.compile(r"/orbat/(annotate|adjudicate)/[1-9][0-9]{0,17}(/[1-9][0-9]{0,17})?/?")


def served_paths(root: Path = WEB) -> list[str]:
    """Return the paths below a folder that are served, with `/` as separator."""
    return sorted(
        path.relative_to(root).as_posix()
        for folder, _, names in os.walk(root)
        for path in (Path(folder) / name for name in names)
        if path.suffix in _CONTENT_TYPES and path.is_file() and not path.is_symlink()
    )


class PageFiles:
    """The pages, scripts and styles, by address.

    Only files that exist when this object is made are served, so that no address leads out of the
    folder. Changed content is served at once.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path = WEB) -> None:
        self._files = {f"{STATIC}{path}": root / path for path in served_paths(root)}

    def find(self, path: str) -> Path | None:
        """Return the file at an address, or None."""
        page = _PAGE.fullmatch(path)
        if page:
            path = f"{STATIC}{page[1]}.html"
        return self._files.get(path)

    def serve(self, file: Path, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer a GET or HEAD request for a file, with 304 if the browser has its content."""
        content = file.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = [("Cache-Control", "no-cache"), ("ETag", tag)]
        content_type = _CONTENT_TYPES[file.suffix]
        known = {part.strip() for part in environ.get("HTTP_IF_NONE_MATCH", "").split(",")}
        if {tag, f"W/{tag}", "*"} & known:
            respond(start_response, "304 Not Modified", content, content_type, headers)
            return []
        return respond(start_response, "200 OK", content, content_type, headers)
