"""The part of the Hugging Face Hub's API that uploads use, on this machine.

`python -m tests.models.hub_server` runs it until Ctrl-C. It keeps uploads in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = (".whl", ".safetensors")
"""Files that are stored as large ones (LFS)."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        with self.server.lock:
            status, content = self._route(path, body)
        data = json.dumps(content).encode()
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815

    def _route(self, path: str, body: bytes) -> tuple[int, Any]:
        server = self.server
        server.requests.append(f"{self.command} {path}")
        if path.startswith("/large/"):
            server.large[path.rpartition("/")[2]] = body
            return 200, {}
        server.tokens.add(self.headers.get("Authorization"))
        if server.refusal:
            return server.refusal, {"error": "refused by the server"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            created = json.loads(body)
            kind = created.get("type", "model")
            name = f"{created['organization']}/{created['name']}"
            server.private[f"{kind}s/{name}"] = created["visibility"] == "private"
            return 200, {"url": f"{server.url}/{name}", "name": name}
        if path.endswith("/info/lfs/objects/batch"):
            return 200, {"transfer": "basic", "objects": [
                {**o, "actions": {"upload": {"href": f"{server.url}/large/{o['oid']}"}}}
                for o in json.loads(body)["objects"]
            ]}  # fmt: skip
        key = "/".join(path.split("/")[2:5])
        if self.command == "GET":
            if key not in server.private:
                return 404, {"error": "Repository not found"}
            return 200, {"id": key.partition("/")[2], "private": server.private[key]}
        if "/preupload/" in path:
            return 200, {"files": [
                {"path": f["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if f["path"].endswith(LARGE) else "regular"}
                for f in json.loads(body)["files"]
            ]}  # fmt: skip
        assert "/commit/" in path, path
        self._commit(key, [json.loads(line) for line in body.splitlines()])
        oid = "0" * 40
        page = f"{server.url}/{key.removeprefix('models/')}/commit/{oid}"
        return 200, {"success": True, "commitOid": oid, "commitUrl": page}

    def _commit(self, key: str, lines: list[dict[str, Any]]) -> None:
        files = self.server.files.setdefault(key, {})
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                assert value["encoding"] == "base64"
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                content = self.server.large[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                files[value["path"]] = content

    def log_message(self, *arguments: Any) -> None:
        """Print nothing; tests read :attr:`HubServer.requests`."""


class HubServer(ThreadingHTTPServer):
    """Keeps repositories in memory.

    Attributes:
        private: whether each repository is private, by kind and name, such as `models/o/n`.
        files: the contents of the files of each.
        large: the contents of large files by their SHA-256.
        requests: method and path of each request.
        tokens: the Authorization headers of requests.
        refusal: status of all answers, unless it is 0.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.tokens: set[str | None] = set()
        self.refusal = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


if __name__ == "__main__":
    with HubServer() as server, suppress(KeyboardInterrupt):
        print(server.url, flush=True)
        server.serve_forever()
