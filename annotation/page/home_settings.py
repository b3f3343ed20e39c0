"""What the web process of a local doccano needs for the annotation page."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ...corpus.addresses import check_address
from ...corpus.files import write_json
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError
from .server.application import MODEL_TOKEN_VARIABLE, MODEL_URL_VARIABLE
from .server.files import served_paths

FOLDER = Path(__file__).parent
APPLICATION = "server.application:create()"
"""What gunicorn runs, with :data:`FOLDER` in the Python path."""
SETTINGS = "server.settings"
"""The settings of doccano's processes, with :data:`FOLDER` in the Python path."""
HOSTS_VARIABLE = "ORBAT_DOCCANO_HOSTS"
"""The variable with further names at which doccano answers."""
ORIGIN_VARIABLE = "ORBAT_DOCCANO_ORIGIN"
"""The variable with the address that annotators open, if it is not that of the web server."""


class PageSettings:
    """The settings of the page in one doccano home, kept in `page.json` there.

    Args:
        home: the folder of the server's data.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "page.json"

    def set_model(self, url: str, token: str | None) -> None:
        """Record the service that is asked for suggestions.

        Args:
            url: address of a running `orbat serve`; empty for none.
            token: what the service demands.

        Raises:
            InputError: if it is not an http or https address.
        """
        url = url.strip().rstrip("/")
        record: dict[str, str | None] = {}
        if url:
            check_address(url, "--model-url")
            record = {"model_url": url, "model_token": token}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._file, record, private=True)

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of doccano's processes."""
        # doccano allows requests from every web page unless this is set.
        environ = {"DEBUG": "False", "PYTHONPATH": str(FOLDER)}
        record = self._record()
        for variable, key in (
            (MODEL_URL_VARIABLE, "model_url"),
            (MODEL_TOKEN_VARIABLE, "model_token"),
        ):
            if record.get(key):
                environ[variable] = str(record[key])
        return environ

    @property
    def model_url(self) -> str | None:
        """Address of the service that is asked for suggestions."""
        return self._record().get("model_url")

    def fingerprint(self) -> str:
        """Return a hash of all that a running web process has loaded: code, files and settings."""
        code = [path.read_bytes() for path in sorted((FOLDER / "server").rglob("*.py"))]
        parts = [json.dumps([served_paths(), self.environ]).encode(), *code]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def _record(self) -> dict[str, Any]:
        try:
            return read_json_object(self._file)
        except InputError:
            return {}
