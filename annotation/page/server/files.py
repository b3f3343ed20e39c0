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
_VERSIONED = re.compile(re.escape(STATIC) + r"v-([0-9a-f]{16})/(.+)", re.DOTALL)
PAGE_PATH = re.compile(r"/orbat/(annotate|adjudicate)/[1-9][0-9]{0,17}(/[1-9][0-9]{0,17})?/?")


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
    folder. Changed content is served at once: pages name scripts and styles by addresses with the
    files' version, so that a browser asks for each of them only once.

        /orbat/static/PATH              a file
        /orbat/static/v-VERSION/PATH    the same, kept by the browser while the version is this one

    Args:
        root: the folder.
    """

    def __init__(self, root: Path = WEB) -> None:
        self._files = {f"{STATIC}{path}": root / path for path in served_paths(root)}

    def find(self, path: str) -> Path | None:
        """Return the file at an address, or None."""
        page = PAGE_PATH.fullmatch(path)
        if page:
            path = f"{STATIC}{page[1]}.html"
        versioned = _VERSIONED.fullmatch(path)
        if versioned:
            path = f"{STATIC}{versioned[2]}"
        return self._files.get(path)

    def serve(self, file: Path, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer a GET or HEAD request for a file, with 304 if the browser has its content."""
        content, version = file.read_bytes(), self._version()
        versioned = _VERSIONED.fullmatch(environ.get("PATH_INFO", ""))
        if file.suffix == ".html":
            address = f"{STATIC}v-{version}/"
            content = content.replace(STATIC.encode(), address.encode())
        is_current = versioned is not None and versioned[1] == version
        cache = "max-age=31536000, immutable" if is_current else "no-cache"
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = [("Cache-Control", cache), ("ETag", tag)]
        content_type = _CONTENT_TYPES[file.suffix]
        known = {part.strip() for part in environ.get("HTTP_IF_NONE_MATCH", "").split(",")}
        if {tag, f"W/{tag}", "*"} & known:
            respond(start_response, "304 Not Modified", content, content_type, headers)
            return []
        return respond(start_response, "200 OK", content, content_type, headers)

    def _version(self) -> str:
        """Return a name of the present state of all files."""
        states = [(path, file.stat()) for path, file in self._files.items() if file.exists()]
        state = repr([(path, stat.st_mtime_ns, stat.st_size) for path, stat in states])
        return hashlib.sha256(state.encode()).hexdigest()[:16]
