"""The example text of a service is of what the model was trained on, whatever that was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from tests.conftest import Orbat
from tests.models.service.conftest import Serve

LABELS = """name = "courts"
{example}
[[label]]
name = "COURT"
color = "#123456"
description = "A court."
"""
TEXT = "Filed in May.\nThe Court of Appeal ruled.\nIt was late."


@pytest.mark.parametrize(
    ("line", "example"),
    [
        ("", "The Court of Appeal ruled."),
        ('example = "The Old Bailey sat."', "The Old Bailey sat."),
    ],
)
def test_the_example_is_of_the_labels_or_the_data(
    orbat: Orbat, serve: Serve, tmp_path: Path, line: str, example: str
) -> None:
    (tmp_path / "labels.toml").write_text(LABELS.format(example=line))
    for name in ("train", "dev"):
        document = Document(name, f"{TEXT} ({name})", (Span(18, 33, "COURT"),))
        write_documents(tmp_path / f"{name}.jsonl", [document])
    trained = orbat(
        *("train", "baseline-linear", "--train", tmp_path / "train.jsonl"),
        *("--dev", tmp_path / "dev.jsonl", "--labels", tmp_path / "labels.toml"),
        *("--set", "epochs=1", "--set", "gazetteer=none", "--output", tmp_path / "run"),
    )
    assert trained.code == 0, trained.err
    served = serve(tmp_path / "run")
    schema = served.client.get("/openapi.json").json()
    examples = schema["paths"]["/tag"]["post"]["requestBody"]["content"]["application/json"]
    assert examples["examples"]["one"]["value"] == {"text": example}
    assert "Lt. Gen." not in json.dumps(schema)
    assert example in served.client.get("/docs").text
