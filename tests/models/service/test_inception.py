"""INCEpTION's external recommender, with the XMI that dkpro-cassis writes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from cassis import Cas, TypeSystem, load_cas_from_xmi, load_typesystem

from tests.models.service.conftest import TEXT, Served

LAYER = "custom.Span"
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


def make_types(*, is_marked: bool = True) -> TypeSystem:
    """Return a type system as INCEpTION sends it: the layer has features for suggestions."""
    types = TypeSystem()
    layer = types.create_type(LAYER, supertypeName="uima.tcas.Annotation")
    types.create_feature(layer, "value", "uima.cas.String")
    types.create_feature(layer, "value_score", "uima.cas.Double")
    if is_marked:
        types.create_feature(layer, "inception_internal_predicted", "uima.cas.Boolean")
    return types


def request(types: TypeSystem, text: str | None = TEXT, **metadata: Any) -> dict[str, Any]:
    cas = Cas(typesystem=types)
    if text is not None:
        cas.sofa_string = text
        cas.sofa_mime = "text/plain"
        # An annotation of the user, which must survive.
        cas.add(types.get_type(LAYER)(begin=2, end=5, value="mine"))
    return {
        "metadata": {
            "layer": LAYER,
            "feature": "value",
            "projectId": 1,
            "anchoringMode": "characters",
            "crossSentence": False,
            "range": {"begin": 0, "end": len(text or "")},
            **metadata,
        },
        "document": {"xmi": cas.to_xmi(), "documentId": 42, "userId": "ann"},
        "typeSystem": types.to_xml(),
    }


def predict(served: Served, body: dict[str, Any]) -> httpx.Response:
    return served.client.post("/inception/predict", json=body)


def test_suggestions_are_added_to_the_document(served: Served) -> None:
    body = request(make_types())
    answer = predict(served, body)
    assert answer.status_code == 200
    cas = load_cas_from_xmi(answer.json()["document"], load_typesystem(body["typeSystem"]))
    assert cas.sofa_string == TEXT
    found = [
        (span.get_covered_text(), span.value, bool(span.inception_internal_predicted))
        for span in cas.select(LAYER)
    ]
    assert found == [
        ("Lt.", "mine", False),
        ("Lt. Gen.", "RANK", True),
        ("3rd Infantry Division", "UNIT", True),
    ]
    # UIMA counts UTF-16 units.
    assert 'begin="3" end="11"' in answer.json()["document"]


def test_training_is_accepted_and_ignored(served: Served) -> None:
    body = request(make_types())
    documents = [body.pop("document")] * 2
    answer = served.client.post("/inception/train", json={**body, "documents": documents})
    assert (answer.status_code, answer.content) == (204, b"")
    assert served.wait_for("inception_training_ignored")["documents"] == 2


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"typeSystem": "<a"}, "typeSystem: cannot be read"),
        ({"typeSystem": f"{BOMB}<x>&b;</x>"}, "typeSystem: XML with a document type is not read"),
        ({"document": {"xmi": "no XML"}}, "document.xmi: cannot be read"),
        ({"document": {"xmi": f"{BOMB}<x>&b;</x>"}}, "document.xmi: XML with a document type"),
        ({"document": {}}, "document.xmi: Field required"),
        ({"metadata": {"layer": "other", "feature": "value"}}, "metadata.layer: the type system"),
        ({"metadata": {"layer": LAYER, "feature": "x"}}, f"metadata: {LAYER} has no feature x"),
    ],
)
def test_what_cannot_be_read_is_refused_with_one_line(
    served: Served, change: dict[str, Any], line: str
) -> None:
    answer = predict(served, {**request(make_types()), **change})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(line)
    assert "\n" not in answer.json()["detail"]


def test_a_layer_without_features_for_suggestions_is_refused(served: Served) -> None:
    answer = predict(served, request(make_types(is_marked=False)))
    assert (
        answer.json()["detail"] == f"metadata: {LAYER} has no feature inception_internal_predicted"
    )
    answer = predict(served, request(make_types(), text=None))
    assert answer.json()["detail"] == "document.xmi: no view with a text"
