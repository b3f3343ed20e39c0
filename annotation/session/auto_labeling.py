"""Suggestions on request: a service as auto-labeling of a session's doccano projects."""

from __future__ import annotations

from typing import Any

from ..doccano.client import DoccanoClient
from .folder import Session


def register_service(
    client: DoccanoClient, session: Session, url: str, token: str | None = None
) -> None:
    """Let the annotators of a session ask a service for suggestions.

    When an annotator switches auto-labeling on, doccano sends the texts of the articles to the
    service and stores what it suggests as the annotator's spans. In a project where the address is
    registered already, the registration is replaced.

    Args:
        client: a connection to the session's server.
        session: the session.
        url: the address of the service's route for doccano, as doccano reaches it.
        token: what the service demands. Administrators of the projects can read it in doccano.

    Raises:
        ServerError: if doccano refuses the registration.
    """
    for project in session.projects.values():
        path = f"projects/{project}/auto-labeling/configs"
        for config in client.transport.get(path):
            if config["model_attrs"].get("url") == url:
                client.transport.delete(f"{path}/{config['id']}")
        client.transport.post(path, _config(url, token))


def _config(url: str, token: str | None) -> dict[str, Any]:
    """Return the five attributes of a configuration, all of which doccano requires."""
    return {
        "model_name": "Custom REST Request",
        "model_attrs": {
            "url": url,
            "method": "POST",
            "params": {},
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "body": {"text": "{{ text }}"},
        },
        "template": "{{ input | tojson }}",
        "label_mapping": {},
        "task_type": "Span",
    }
