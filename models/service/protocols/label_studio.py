"""Label Studio's machine learning backend: `/setup`, `/predict` and `/webhook`, beside `/health`.

Offsets count code points, as the page of Label Studio does (1.23, tried with emoji before a mark).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from lxml import etree
from pydantic import BaseModel, Field

from ....corpus.document import Document, Span
from ...model import Model
from ..log import log_event
from ..service import Service
from ..tag_api import REFUSALS
from .xml import checked_xml


class SetupRequest(BaseModel):
    """A project that is connected with the service, or asks whether it still is."""

    project: Annotated[str | int | None, Field(description="Ignored.")] = None
    schema_: Annotated[str, Field(alias="schema", description="The labeling configuration (XML).")]


class SetupResponse(BaseModel):
    """The version that predictions will have; another one makes Label Studio ask again."""

    model_version: str


class Task(BaseModel):
    """A task of a project."""

    id: int | None = None
    data: Annotated[dict[str, Any], Field(examples=[{"text": "A text to tag."}])]


class PredictRequest(BaseModel):
    """Tasks to predict annotations for."""

    tasks: list[Task]
    label_config: Annotated[str, Field(description="The labeling configuration (XML).")]


class Prediction(BaseModel):
    """A prediction in Label Studio's format, one for each task in order."""

    model_version: str
    score: float | None = None
    result: list[dict[str, Any]]


class PredictResponse(BaseModel):
    """The predictions."""

    results: list[Prediction]


@dataclass(frozen=True)
class Control:
    """A `<Labels>` control of a labeling configuration and the `<Text>` that it labels.

    Attributes:
        from_name: name of the control.
        to_name: name of the text.
        path: keys that lead to the text in a task's data.
        labels: the name that the control gives to each label, by the label's value and alias; None
            if the labels come from the task's data, so that all are allowed.
    """

    from_name: str
    to_name: str
    path: tuple[str, ...]
    labels: Mapping[str, str] | None

    def text_of(self, data: Mapping[str, Any]) -> str:
        """Return the text in a task's data.

        Raises:
            HTTPException: 422 if there is none.
        """
        value: Any = data
        for key in self.path:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, str):
            raise HTTPException(422, f"tasks: no text in data.{'.'.join(self.path)}")
        return value


def read_controls(label_config: str) -> list[Control]:
    """Return the controls of a labeling configuration that label spans of a text.

    Raises:
        HTTPException: 422 if the configuration is not XML or has no such control.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(checked_xml(label_config, "label_config"), parser)
    except etree.XMLSyntaxError as error:
        raise HTTPException(422, f"label_config: not XML ({error.msg})") from error
    texts = {
        element.get("name"): element.get("value", "")
        for element in root.iter("Text")
        if element.get("valueType", "text") != "url"
    }
    controls = []
    for element in root.iter("Labels"):
        name, to_name = element.get("name"), element.get("toName")
        if name and to_name in texts and texts[to_name].startswith("$"):
            path = tuple(texts[to_name][1:].split("."))
            controls.append(Control(name, to_name, path, _label_names(element)))
    if not controls:
        raise HTTPException(
            422,
            "label_config: no <Labels> for a <Text> whose value is a field of the data, such as "
            '<Text name="text" value="$text"/>',
        )
    return controls


def _label_names(element: Any) -> dict[str, str] | None:
    names = {}
    for label in element.iter("Label"):
        value = label.get("value", "")
        names[value] = names[label.get("alias") or value] = label.get("alias") or value
    return names or None


def label_studio_router(service: Service) -> APIRouter:
    """Return the routes for Label Studio."""
    router = APIRouter(tags=["Label Studio"])

    @router.post("/setup", response_model=SetupResponse, responses=REFUSALS)
    async def setup(body: SetupRequest) -> JSONResponse:
        """Check a project's labeling configuration."""
        model = service.live.model
        _log_unknown_labels(model, read_controls(body.schema_))
        return JSONResponse({"model_version": model_version(model)})

    @router.post("/predict", response_model=PredictResponse, responses=REFUSALS)
    async def predict(body: PredictRequest, request: Request) -> JSONResponse:
        """Predict the spans of each control of the project in the texts of its tasks."""
        controls = read_controls(body.label_config)
        texts = [control.text_of(task.data) for task in body.tasks for control in controls]
        tagged = await service.tag(request, texts, "tasks")
        documents = iter(tagged.documents)
        results = [
            _prediction(tagged.model, [(control, next(documents)) for control in controls])
            for _ in body.tasks
        ]
        return JSONResponse({"results": results})

    @router.post("/webhook", status_code=201, responses=REFUSALS)
    async def webhook(body: dict[str, Any]) -> JSONResponse:
        """Accept an event of a project, such as a new annotation, without doing anything.

        The service does not train; orbat train does.
        """
        log_event("label_studio_event_ignored", action=str(body.get("action"))[:40])
        return JSONResponse({"detail": "ignored: this service does not train"}, 201)

    return router


def model_version(model: Model) -> str:
    """Return the version that Label Studio stores with each prediction."""
    return f"orbat-{model.fingerprint[:12]}"


def _log_unknown_labels(model: Model, controls: Iterable[Control]) -> None:
    """Name the model's labels that a project does not have, and will not get."""
    for control in controls:
        unknown = [
            label for label in model.labels if control.labels and label not in control.labels
        ]
        if unknown:
            log_event(
                "labels_not_in_project",
                level=logging.WARNING,
                control=control.from_name,
                labels=unknown,
            )


def _prediction(model: Model, tagged: Iterable[tuple[Control, Document]]) -> dict[str, Any]:
    regions = [region for control, document in tagged for region in _regions(control, document)]
    scores = [region["score"] for region in regions if "score" in region]
    return {
        "model_version": model_version(model),
        **({"score": sum(scores) / len(scores)} if scores else {}),
        "result": regions,
    }


def _regions(control: Control, document: Document) -> list[dict[str, Any]]:
    def region(span: Span, label: str) -> dict[str, Any]:
        return {
            "id": f"{control.from_name}-{span.start}-{span.end}",
            "from_name": control.from_name,
            "to_name": control.to_name,
            "type": "labels",
            "value": {
                "start": span.start,
                "end": span.end,
                "text": document.text[span.start : span.end],
                "labels": [label],
            },
            **({} if span.score is None else {"score": span.score}),
        }

    names = control.labels
    return [
        region(span, span.label if names is None else names[span.label])
        for span in document.spans
        if names is None or span.label in names
    ]
