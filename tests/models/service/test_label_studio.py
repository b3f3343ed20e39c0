"""Label Studio's machine learning backend, with requests as Label Studio sends them and a real one.

Label Studio takes minutes to install and one gigabyte, so that the test of the real one runs where
ORBAT_LABEL_STUDIO names a virtual environment with it:

    python -m venv label-studio && label-studio/bin/pip install label-studio
    ORBAT_LABEL_STUDIO=label-studio python -m pytest tests/models/service/test_label_studio.py
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.models.service.conftest import TEXT, Served

CONFIG = """<View>
  <Labels name="entity" toName="article">
    <Label value="UNIT"/><Label value="RANK" alias="grade"/><Label value="Other"/>
  </Labels>
  <Text name="article" value="$article.body"/>
</View>"""
REGIONS = [("Lt. Gen.", ["grade"]), ("3rd Infantry Division", ["UNIT"])]
TOKEN = "0123456789abcdef0123456789abcdef01234567"


def task(number: int, text: str) -> dict[str, Any]:
    return {"id": number, "data": {"article": {"body": text}}, "project": 1, "meta": {}}


def predict(served: Served, label_config: str, *tasks: dict[str, Any]) -> httpx.Response:
    params = {"login": None, "password": None, "context": None}
    body = {"tasks": tasks, "project": "1.17", "label_config": label_config, "params": params}
    return served.client.post("/predict", json=body)


def cut(text: str, result: list[Any]) -> list[tuple[str, list[str]]]:
    """Return text and labels of each region, the text by its offsets, in code points."""
    values = [region["value"] for region in result]
    assert [value["text"] for value in values] == [text[v["start"] : v["end"]] for v in values]
    return [(value["text"], value["labels"]) for value in values]


def test_predictions_have_the_names_of_the_configuration(served: Served) -> None:
    first, second = predict(served, CONFIG, task(1, TEXT), task(2, "")).json()["results"]
    assert cut(TEXT, first["result"]) == REGIONS
    assert {(r["from_name"], r["to_name"], r["type"]) for r in first["result"]} == {
        ("entity", "article", "labels")
    }
    assert second["result"] == []
    setup = {"project": "1.17", "schema": CONFIG, "hostname": "", "access_token": "x"}
    answer = served.client.post("/setup", json={**setup, "extra_params": None}).json()
    assert answer["model_version"] == first["model_version"] == second["model_version"]
    # The labels that the project will not get are named.
    assert served.wait_for("labels_not_in_project")["labels"] == ["ROLE", "OPERATION"]


def test_each_control_gets_its_regions(served: Served) -> None:
    config = """<?xml version="1.0" encoding="utf-8"?><View>
      <Labels name="a" toName="head"><Label value="RANK"/></Labels><Text name="head" value="$head"/>
      <Labels name="b" toName="body" value="$labels"/><Text name="body" value="$body"/>
      <Text name="link" value="$url" valueType="url"/>
      <Labels name="c" toName="link"><Label value="RANK"/></Labels>
    </View>"""
    data = {"head": TEXT, "body": TEXT, "url": "http://example.org"}
    (prediction,) = predict(served, config, {"id": 1, "data": data}).json()["results"]
    assert [(r["from_name"], r["to_name"], r["value"]["text"]) for r in prediction["result"]] == [
        ("a", "head", "Lt. Gen."),
        ("b", "body", "Lt. Gen."),
        ("b", "body", "3rd Infantry Division"),
    ]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("<View", "label_config: not XML"),
        ("<View/>", "label_config: no <Labels> for a <Text>"),
        (CONFIG.replace("$article.body", "fixed"), "label_config: no <Labels> for a <Text>"),
        (f'<!DOCTYPE v [<!ENTITY a "b">]>{CONFIG}', "label_config: XML with a document type"),
        (CONFIG.replace("$article.body", "$title"), "tasks: no text in data.title"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    served: Served, config: str, line: str
) -> None:
    answer = predict(served, config, task(1, TEXT))
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(line)


def test_events_are_accepted_and_ignored(served: Served) -> None:
    event = {"action": "ANNOTATION_CREATED", "task": task(1, "Gen. Zanzibar"), "annotation": {}}
    assert served.client.post("/webhook", json=event).status_code == 201
    assert served.wait_for("label_studio_event_ignored")["action"] == "ANNOTATION_CREATED"


@pytest.fixture
def label_studio(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a real Label Studio with an empty SQLite database."""
    environment = os.environ.get("ORBAT_LABEL_STUDIO")
    if environment is None:
        pytest.skip("set ORBAT_LABEL_STUDIO to a virtual environment with label-studio")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path),
        # It asks services on its own machine only if told so.
        "ML_BLOCK_LOCAL_IP": "False",
    }
    command = [
        *(str(Path(environment).absolute() / "bin" / "label-studio"), "start", "--no-browser"),
        *("--port", str(port), "--internal-host", "127.0.0.1", "--data-dir", str(tmp_path)),
        *("--username", "ann@localhost.localdomain", "--password", "a-long-password"),
        *("--user-token", TOKEN, "--enable-legacy-api-token"),
    ]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(command, env={**inherited, **settings}, stdout=log, stderr=log)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Token {TOKEN}"},
        timeout=120,
    )
    try:
        while True:  # until it answers; the time limit of the test ends the wait
            assert process.poll() is None, (tmp_path / "log").read_text()
            try:
                client.get("/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait()
        log.close()


@pytest.mark.slow
def test_a_real_label_studio_stores_predictions(served: Served, label_studio: httpx.Client) -> None:
    project = label_studio.post(
        "/api/projects", json={"title": "articles", "label_config": CONFIG}
    ).json()["id"]
    tasks = [{"article": {"body": TEXT}}, {"article": {"body": "Nothing."}}]
    label_studio.post(f"/api/projects/{project}/import", json=tasks).raise_for_status()
    backend = {"url": served.url, "project": project, "title": "orbat"}
    answer = label_studio.post("/api/ml", json=backend)
    # The backend is stored, but 1.23 will not send events to an address of its own machine.
    assert answer.status_code in (201, 403), answer.text
    (stored,) = label_studio.get(f"/api/ml?project={project}").json()
    assert stored["state"] == "CO"
    label_studio.post(
        f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}",
        json={"selectedItems": {"all": True, "excluded": []}},
    ).raise_for_status()
    first, second = label_studio.get(f"/api/predictions?project={project}").json()
    assert cut(TEXT, first["result"]) == REGIONS
    assert second["result"] == []
    assert first["model_version"] == stored["model_version"]
