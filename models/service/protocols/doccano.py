"""doccano's auto-labeling: the request that a project of type Sequence Labeling sends."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ..offsets import offset_converter
from ..service import Service
from ..tag_api import REFUSALS


class DoccanoRequest(BaseModel):
    """The text of the example that the annotator has opened."""

    text: Annotated[str, Field(examples=["A text to tag."])]


class DoccanoSpan(BaseModel):
    """A suggestion, in UTF-16 units, which doccano's page counts."""

    label: str
    start_offset: Annotated[int, Field(examples=[0])]
    end_offset: Annotated[int, Field(examples=[8])]


def doccano_router(service: Service) -> APIRouter:
    """Return the route for doccano."""
    router = APIRouter(tags=["doccano"])

    @router.post("/doccano", response_model=list[DoccanoSpan], responses=REFUSALS)
    async def suggest(body: DoccanoRequest, request: Request) -> JSONResponse:
        """Suggest spans for a Custom REST Request of doccano."""
        (document,) = (await service.tag(request, [body.text])).documents
        convert = offset_converter(document.text, "utf16")
        suggestions: list[dict[str, Any]] = [
            {
                "label": span.label,
                "start_offset": convert(span.start),
                "end_offset": convert(span.end),
            }
            for span in document.spans
        ]
        return JSONResponse(suggestions)

    return router
