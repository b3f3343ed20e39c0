"""doccano's auto-labeling, with a real doccano that asks a real service."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.annotation.session.folder import open_session
from orbat.annotation.session.push import push
from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from tests.conftest import Running
from tests.models.service.conftest import TEXT, Serve, Served

TOKEN = "a-token-of-many-characters"


def test_suggestions_count_utf16_units(served: Served) -> None:
    suggestions = served.client.post("/doccano", json={"text": TEXT}).json()
    assert suggestions == [
        {"label": "RANK", "start_offset": 3, "end_offset": 11},
        {"label": "UNIT", "start_offset": 40, "end_offset": 61},
    ]


@pytest.mark.doccano
@pytest.mark.slow
def test_an_annotator_gets_suggestions_from_a_registered_service(
    serve: Serve, doccano: Running, rules_run: Path, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    with doccano.connect() as client:
        push(client, session, [Document("one", TEXT)], ["wand"], load_labels())
        project = open_session(session).projects["wand"]
        options = ("--doccano", session)
        env = {**doccano.env, "ORBAT_TOKEN": TOKEN}
        service = serve(rules_run, *options, env=env)
        assert service.lines[0] == f"registered with 1 projects at {doccano.url}"
        # A service on the same address takes the place of the one before it.
        port = service.url.rpartition(":")[2]
        assert service.stop() == 0
        serve(rules_run, *options, "--port", port, env=env)
        configs = client.transport.get(f"projects/{project}/auto-labeling/configs")
        assert [config["model_attrs"]["url"] for config in configs] == [f"{service.url}/doccano"]

        (example,) = client.examples(project)
        client.transport.post(
            f"projects/{project}/auto-labeling", {}, params={"example": example.id}
        )
        names = {label.id: label.text for label in client.span_types(project)}
        spans = client.spans(project, example.id)
        assert sorted((s.start_offset, s.end_offset, names[s.label]) for s in spans) == [
            (3, 11, "RANK"),
            (40, 61, "UNIT"),
        ]
        client.delete_project(project)
