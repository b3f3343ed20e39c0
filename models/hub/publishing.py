"""Uploading to the Hugging Face Hub, or to another server with its API."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...corpus.addresses import check_address, is_confidential
from ...errors import InputError, OrbatError, ServerError, first_line

if TYPE_CHECKING:
    from .contents import HubContents

HUB = "https://huggingface.co"
TOKEN_VARIABLE = "HF_TOKEN"
_PREFIXES = {"model": "", "dataset": "datasets/"}


@dataclass(frozen=True)
class HubTarget:
    """A repository.

    Attributes:
        name: its id, `OWNER/NAME`.
        endpoint: address of the server.
        public: whether everybody may see it.
    """

    name: str
    endpoint: str = HUB
    public: bool = False

    def address(self, kind: str) -> str:
        """Return the address of its page."""
        return f"{self.endpoint}/{_PREFIXES[kind]}{self.name}"


def make_target(name: str, endpoint: str | None, *, public: bool) -> HubTarget:
    """Return the repository that options name.

    Args:
        name: its id.
        endpoint: address of the server; None for `HF_ENDPOINT`, or else the Hub.
        public: whether everybody may see it.

    Raises:
        InputError: if the id or address is not valid, or the address does not encrypt the token.
    """
    endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    check_address(endpoint, "--endpoint")
    if not is_confidential(endpoint):
        raise InputError(f"--endpoint {endpoint}: others could read the token; use https")
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        raise InputError(f"--to {name}: write OWNER/NAME")
    return HubTarget(name, endpoint, public)


def publish(contents: HubContents, target: HubTarget) -> str:
    """Upload files in one commit, and return its address. The repository is created if need be.

    Files of the repository that have other names stay as they are.

    Raises:
        InputError: if there is no token, or the repository is public and must not be.
        ServerError: if the server refuses, fails or does not answer.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=target.endpoint, token=_find_token(target))
    operations = [CommitOperationAdd(file.path, file.content) for file in contents.files]
    try:
        _ensure_repository(api, contents.kind, target)
        names = ", ".join(file.path for file in contents.files[:3])
        more = f" and {len(contents.files) - 3} more" if len(contents.files) > 3 else ""
        commit = api.create_commit(
            target.name,
            operations,
            commit_message=f"Upload {names}{more}",
            repo_type=contents.kind,
        )
    except OrbatError:
        raise
    # Besides its own errors it raises those of its HTTP library, which differs by version.
    except Exception as error:
        raise ServerError(
            f"{target.address(contents.kind)}: not published ({first_line(error)}); check the "
            f"name, and the rights of the token in {TOKEN_VARIABLE}"
        ) from error
    return str(commit.commit_url)


def _find_token(target: HubTarget) -> str:
    """Return the token: of the environment, or for the Hub, of the login."""
    from huggingface_hub import get_token

    # That of a login belongs to the Hub, and must not reach another server.
    token = get_token() if target.endpoint == HUB else os.environ.get(TOKEN_VARIABLE)
    if not token:
        login = ", or log in with hf auth login" if target.endpoint == HUB else ""
        raise InputError(f"{target.endpoint}: no token; set {TOKEN_VARIABLE}{login}")
    return token.strip()


def _ensure_repository(api: Any, kind: str, target: HubTarget) -> None:
    """Create the repository, or check that an existing one is not public against the user's will.

    Raises:
        InputError: if it is.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        existing = api.repo_info(target.name, repo_type=kind)
    except RepositoryNotFoundError:
        api.create_repo(target.name, repo_type=kind, private=not target.public)
        return
    if not existing.private and not target.public:
        raise InputError(
            f"{target.address(kind)}: exists and is public; pass --public, or name another --to"
        )
