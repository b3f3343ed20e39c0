"""`POST /tag`, `GET /health` and `GET /metrics`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.openapi.models import Example
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ...corpus.document import Document, document_to_json
from ..model import Model
from .gate import is_trusted
from .offsets import OffsetUnit, offset_converter
from .service import Service, Tagged


class Problem(BaseModel):
    """Why a request was refused."""

    detail: Annotated[str, Field(description="One line: what is wrong, and the fix.")]


class ModelInfo(BaseModel):
    """The model that answered."""

    name: Annotated[str, Field(description="The folder, file or package that is served.")]
    fingerprint: Annotated[str, Field(description="Hash, equal for copies of one model only.")]


def _check_texts(value: object) -> object:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("must be a string or a list of strings")
    return value


class TagRequest(BaseModel):
    """One text or several."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[
        str | list[str],
        BeforeValidator(_check_texts),
        Field(description="A text, or a list of texts."),
    ]
    offsets: Annotated[
        OffsetUnit,
        Field(
            description="What start and end count: Unicode code points, as Python does; UTF-16 "
            "code units, as JavaScript and Java do; or bytes of UTF-8.",
        ),
    ] = "code_points"


class TaggedSpan(BaseModel):
    """An entity. `end` is exclusive."""

    model_config = ConfigDict(extra="allow")

    start: Annotated[int, Field(examples=[0])]
    end: Annotated[int, Field(examples=[8])]
    label: Annotated[str, Field(examples=["LABEL"])]
    text: Annotated[str, Field(description="The part of the text.")]
    score: Annotated[
        float | None,
        Field(description="Estimated probability that the span is right.", examples=[0.98]),
    ] = None
    norm: Annotated[
        dict[str, Any] | None,
        Field(description="What the entity means, as in orbat's records; absent if unknown."),
    ] = None


class TaggedText(BaseModel):
    """The entities of one text, in order of position."""

    spans: list[TaggedSpan]


class TagResponse(BaseModel):
    """One entry in `documents` for each text, in the order of the request."""

    model: ModelInfo
    offsets: OffsetUnit
    documents: list[TaggedText]


class Health(BaseModel):
    """Whether the service works; without the token, `status` only."""

    status: Annotated[str, Field(examples=["UP"])]
    version: Annotated[str | None, Field(description="The version of orbat.")] = None
    model: ModelInfo | None = None
    labels: list[str] | None = None
    loaded_at: Annotated[str | None, Field(description="When the model was loaded (UTC).")] = None
    problem: Annotated[
        str | None,
        Field(description="Why the files on disk are not what is served; null if they are."),
    ] = None


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not JSON in UTF-8, or a host that is not served"},
    401: {"model": Problem, "description": "The token is missing or wrong"},
    413: {"model": Problem, "description": "The body or a text is too large, or too many texts"},
    415: {"model": Problem, "description": "Not application/json"},
    422: {"model": Problem, "description": "A field is missing or invalid"},
    503: {"model": Problem, "description": "Too many requests at a time; see Retry-After"},
}
"""The answers that every POST may get instead of its own."""


def tag_router(service: Service) -> APIRouter:
    """Return the routes of a service's own interface."""
    router = APIRouter(tags=["tagging"])
    # In an annotation, FastAPI could not find what this function computes.
    tag_body = Body(openapi_examples=_requests(service.live.model.example))

    @router.post("/tag", response_model=TagResponse, responses=REFUSALS)
    async def tag(request: Request, body: TagRequest = tag_body) -> JSONResponse:
        """Find the entities in one text or several."""
        texts = [body.text] if isinstance(body.text, str) else body.text
        tagged = await service.tag(request, texts)
        return JSONResponse(tag_response(tagged, body.offsets))

    @router.get("/health", response_model=Health)
    async def health(request: Request) -> JSONResponse:
        """Say that the service works, and which model it serves."""
        if not is_trusted(request.scope):
            return JSONResponse({"status": "UP"})
        from ... import __version__

        live = service.live
        loaded_at = datetime.fromtimestamp(live.loaded_at, UTC).isoformat(timespec="seconds")
        return JSONResponse(
            {
                "status": "UP",
                "version": __version__,
                "model": model_info(live.model),
                "labels": list(live.model.labels),
                "loaded_at": loaded_at,
                "problem": live.problem,
            }
        )

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        """Return counts and times in Prometheus's text format."""
        return PlainTextResponse(service.metrics.render(), media_type="text/plain; version=0.0.4")

    return router


def _requests(text: str) -> dict[str, Example]:
    """Return requests for the description of the interface."""
    return {
        "one": {"summary": "One text", "value": {"text": text}},
        "several": {
            "summary": "Several texts, for a client that counts UTF-16 units",
            "value": {"text": [text, f"😀 {text}"], "offsets": "utf16"},
        },
    }


def tag_response(tagged: Tagged, unit: OffsetUnit) -> dict[str, Any]:
    """Return tagged documents as the JSON of a :class:`TagResponse`."""
    return {
        "model": model_info(tagged.model),
        "offsets": unit,
        "documents": [{"spans": spans_to_json(document, unit)} for document in tagged.documents],
    }


def model_info(model: Model) -> dict[str, str]:
    """Return name and fingerprint of a model as JSON."""
    return {"name": model.name, "fingerprint": model.fingerprint}


def spans_to_json(document: Document, unit: OffsetUnit) -> list[dict[str, Any]]:
    """Return the spans of a document's record, with their text and with offsets in a unit."""
    convert = offset_converter(document.text, unit)
    return [
        {
            **span,
            "start": convert(span["start"]),
            "end": convert(span["end"]),
            "text": document.text[span["start"] : span["end"]],
        }
        for span in document_to_json(document)["spans"]
    ]
