"""`POST /tag`, `GET /health`, `GET /metrics` and the description of the interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.models.service.offsets import OffsetUnit, offset_converter
from tests.conftest import Orbat
from tests.models.service.conftest import TEXT, Served

ENCODINGS: dict[OffsetUnit, tuple[str, int]] = {
    "code_points": ("utf-32-le", 4),
    "utf16": ("utf-16-le", 2),
    "bytes": ("utf-8", 1),
}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(ENCODINGS)))
def test_offsets_count_the_units_of_an_encoding(text: str, unit: OffsetUnit) -> None:
    encoding, size = ENCODINGS[unit]
    convert = offset_converter(text, unit)
    for offset in range(len(text) + 1):
        assert convert(offset) == len(text[:offset].encode(encoding)) // size


@pytest.mark.parametrize("unit", ENCODINGS)
def test_spans_cut_their_text_out_of_the_encoded_article(served: Served, unit: OffsetUnit) -> None:
    answer = served.tag(TEXT, offsets=unit).json()
    encoding, size = ENCODINGS[unit]
    encoded = TEXT.encode(encoding)
    (document,) = answer["documents"]
    assert answer["offsets"] == unit
    assert [span["text"] for span in document["spans"]] == ["Lt. Gen.", "3rd Infantry Division"]
    for span in document["spans"]:
        part = encoded[size * span["start"] : size * span["end"]]
        assert part.decode(encoding) == span["text"]


def test_a_list_is_answered_in_its_order(served: Served) -> None:
    texts = ["", TEXT, "Nothing here.", "Gen. Doe"]
    documents = served.tag(texts).json()["documents"]
    assert [len(document["spans"]) for document in documents] == [0, 2, 0, 1]
    assert served.tag([]).json()["documents"] == []


def test_the_answer_has_the_spans_of_orbat_tag(
    orbat: Orbat, served: Served, rules_run: Path, tmp_path: Path, dev_articles: list[Document]
) -> None:
    articles = [article for article in dev_articles if len(article.text) < 2000][:3]
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_documents(source, [article.with_spans(()) for article in articles])
    assert orbat("tag", rules_run, source, "--output", output).code == 0
    answer = served.tag([article.text for article in articles]).json()
    assert [
        [(span["start"], span["end"], span["label"]) for span in document["spans"]]
        for document in answer["documents"]
    ] == [
        [(span.start, span.end, span.label) for span in document.spans]
        for document in read_documents(output)
    ]


def test_health_names_the_model(served: Served, rules_run: Path) -> None:
    health = served.client.get("/health").json()
    answer = served.tag(TEXT).json()
    assert health["status"] == "UP"
    assert health["problem"] is None
    assert health["model"] == answer["model"]
    assert health["model"]["name"] == str(rules_run)
    assert "UNIT" in health["labels"]


def test_metrics_count_texts_and_answers(served: Served) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    def read() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        families = text_string_to_metric_families(served.client.get("/metrics").text)
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    before = read()
    served.tag([TEXT, TEXT])
    served.tag(TEXT, offsets="words")
    after = read()

    def difference(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after[key] - before.get(key, 0)

    assert difference("orbat_texts_total") == 2
    assert difference("orbat_characters_total") == 2 * len(TEXT)
    assert difference("orbat_entities_total", label="RANK") == 2
    assert difference("orbat_requests_total", path="/tag", status="200") == 1
    assert difference("orbat_requests_total", path="/tag", status="422") == 1
    assert difference("orbat_request_seconds_count", path="/tag") == 2
    assert after["orbat_waiting_texts", ()] == 0


def test_unknown_paths_share_one_time_series(served: Served) -> None:
    for path in ("/a", "/b"):
        assert served.client.get(path).json() == {"detail": "Not Found"}
    metrics = served.client.get("/metrics").text
    assert 'path="other",status="404"' in metrics
    assert 'path="/a"' not in metrics


def test_the_log_has_no_text(served: Served) -> None:
    served.tag("Gen. Zanzibar took command.")
    served.client.post("/tag?text=Zanzibar", json={"text": ["Zanzibar", 3]})
    served.client.post("/tag", content="Zanzibar", headers={"Content-Type": "application/json"})
    served.wait_for("request", path="/tag", status=400)
    assert "Zanzibar" not in json.dumps(served.log)
    line = served.wait_for(
        "request", path="/tag", texts=1, characters=len("Gen. Zanzibar took command.")
    )
    assert line["entities"] == 1
    assert line["ms"] > 0


def test_the_description_has_an_example_that_works(served: Served) -> None:
    schema = served.client.get("/openapi.json").json()
    content = schema["paths"]["/tag"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        response = served.client.post("/tag", json=example["value"])
        assert response.status_code == 200
        assert response.json()["documents"][0]["spans"]
    assert set(schema["paths"]) >= {"/tag", "/health", "/metrics", "/doccano", "/predict"}


def test_security_headers_are_on_every_answer(served: Served) -> None:
    responses: list[Any] = [
        served.client.get("/"),
        served.client.get("/nothing"),
        served.tag(3),  # type: ignore[arg-type]
        served.client.get("/", headers={"Host": "example.org"}),
    ]
    assert [response.status_code for response in responses] == [200, 404, 422, 400]
    for response in responses:
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "server" not in response.headers
