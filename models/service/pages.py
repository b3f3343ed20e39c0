"""The pages of a service: one to paste an article into, and the documentation of its interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse

from ...corpus.labels import load_labels
from ...ui import render_template
from .service import Service
from .tag_api import REFUSALS, tag_response

PAGES = Path(__file__).parent / "pages"
PALETTE = ("#7fb2e5", "#f2b76b", "#9fd39a", "#e59a9a", "#c4a6e0", "#8fd4d0", "#e0d27a", "#cfcfcf")
"""Colors of labels that the shipped label set does not have."""


def page_router(service: Service, app: FastAPI) -> APIRouter:
    """Return the routes of the pages. All they need comes from this service."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def index() -> HTMLResponse:
        model = service.live.model
        return HTMLResponse(
            render_template(
                PAGES / "index.html",
                model=model.name,
                colors=json.dumps(label_colors(model.labels)),
                max_characters=service.settings.max_characters,
            )
        )

    @router.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        # The first time, it may be read from the run's documents.
        example = await asyncio.to_thread(lambda: service.live.model.example)
        tagged = await service.tag(request, [example])
        answer = tag_response(tagged, "code_points")
        schema = app.openapi()
        return HTMLResponse(
            render_template(
                PAGES / "docs.html",
                info=schema["info"],
                operations=list_operations(schema),
                refusals={status: answer["description"] for status, answer in REFUSALS.items()},
                url=f"{request.url.scheme}://{request.url.netloc}",
                needs_token=service.settings.token is not None,
                request=json.dumps({"text": example}, ensure_ascii=False),
                answer=json.dumps(answer, indent=2, ensure_ascii=False),
            )
        )

    @router.get("/service.css")
    async def style() -> FileResponse:
        return FileResponse(PAGES / "service.css")

    @router.get("/service.js")
    async def script() -> FileResponse:
        return FileResponse(PAGES / "service.js")

    return router


@dataclass(frozen=True)
class Operation:
    """A path and method of an OpenAPI description.

    Attributes:
        method: the HTTP method.
        path: the path.
        summary: what it does, in one line.
        fields: name, type and description of each field of the body.
    """

    method: str
    path: str
    summary: str
    fields: tuple[tuple[str, str, str], ...]


def list_operations(schema: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI description, in its order."""
    return [
        Operation(
            method.upper(),
            path,
            operation["description"],
            tuple(_fields(schema, operation)),
        )
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def _fields(
    schema: Mapping[str, Any], operation: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    if "requestBody" not in operation:
        return
    body = _resolve(schema, operation["requestBody"]["content"]["application/json"]["schema"])
    for name, field in body.get("properties", {}).items():
        yield name, _type_name(field), field.get("description", "")


def _resolve(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    resolved: Mapping[str, Any] = schema["components"]["schemas"][part["$ref"].split("/")[-1]]
    return resolved


def _type_name(field: Mapping[str, Any]) -> str:
    """Return the type of a field in a few words."""
    if "$ref" in field:
        return str(field["$ref"].split("/")[-1])
    if "enum" in field:
        return ", ".join(map(json.dumps, field["enum"]))
    if "anyOf" in field:
        return " or ".join(map(_type_name, field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type_name(field['items'])}"
    return str(field.get("type", "any"))


def label_colors(labels: tuple[str, ...]) -> dict[str, str]:
    """Return a background color for each label: that of the shipped label set, if it has it."""
    shipped = {label.name: label.color for label in load_labels().labels}
    return {
        label: shipped.get(label, PALETTE[number % len(PALETTE)])
        for number, label in enumerate(labels)
    }
