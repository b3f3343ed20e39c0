"""INCEpTION's external recommender: documents as UIMA XMI in and out.

dkpro-cassis converts offsets between the UTF-16 units of UIMA and code points.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from ....corpus.document import Span
from ....errors import first_line
from ..log import log_event
from ..service import Service
from ..tag_api import REFUSALS
from .xml import checked_xml

PREDICTED = "inception_internal_predicted"
"""The feature by which INCEpTION tells suggestions from annotations."""


class Metadata(BaseModel):
    """The layer and feature that suggestions are for."""

    layer: Annotated[str, Field(examples=["custom.Span"])]
    feature: Annotated[str, Field(examples=["value"])]


class XmiDocument(BaseModel):
    """A document with its annotations."""

    xmi: Annotated[str, Field(description="The CAS as XMI.")]


class RecommendRequest(BaseModel):
    """A document to annotate."""

    metadata: Metadata
    document: XmiDocument
    type_system: Annotated[
        str, Field(alias="typeSystem", description="The UIMA type system (XML).")
    ]


class RecommendResponse(BaseModel):
    """The document with the suggestions added."""

    document: Annotated[str, Field(description="The CAS as XMI.")]


def inception_router(service: Service) -> APIRouter:
    """Return the routes for INCEpTION, whose recommender takes the address of `/inception`."""
    router = APIRouter(prefix="/inception", tags=["INCEpTION"])

    @router.post("/predict", response_model=RecommendResponse, responses=REFUSALS)
    async def predict(body: RecommendRequest, request: Request) -> JSONResponse:
        """Add suggestions to a document."""
        # Large documents take seconds.
        view = await asyncio.to_thread(_read_view, body)
        (document,) = (await service.tag(request, [view.sofa_string], "document")).documents
        xmi = await asyncio.to_thread(_add_suggestions, view, body.metadata, document.spans)
        return JSONResponse({"document": xmi})

    @router.post("/train", status_code=204, responses={401: REFUSALS[401]})
    async def train(body: dict[str, Any]) -> Response:
        """Accept annotated documents without training on them; orbat train does."""
        documents = body.get("documents")
        count = len(documents) if isinstance(documents, list) else 0
        log_event("inception_training_ignored", documents=count)
        return Response(status_code=204)

    return router


def _read_view(body: RecommendRequest) -> Any:
    """Return the view of the document that has the text.

    Raises:
        HTTPException: 422 if the document cannot be read, or has no text, or the layer lacks a
            feature.
    """
    from cassis import load_cas_from_xmi, load_typesystem

    try:
        types = load_typesystem(checked_xml(body.type_system, "typeSystem"))
    except HTTPException:
        raise
    except Exception as error:  # cassis and lxml raise many kinds
        raise HTTPException(422, f"typeSystem: cannot be read ({first_line(error)})") from error
    try:
        cas = load_cas_from_xmi(checked_xml(body.document.xmi, "document.xmi"), types)
    except HTTPException:
        raise
    except Exception as error:
        raise HTTPException(422, f"document.xmi: cannot be read ({first_line(error)})") from error
    layer, feature = body.metadata.layer, body.metadata.feature
    if not types.contains_type(layer):
        raise HTTPException(422, f"metadata.layer: the type system has no type {layer}")
    for name in (feature, PREDICTED):
        if types.get_type(layer).get_feature(name) is None:
            raise HTTPException(422, f"metadata: {layer} has no feature {name}")
    for view in cas.views:
        if view.sofa.sofaString is not None:
            return cas.get_view(view.sofa.sofaID)
    raise HTTPException(422, "document.xmi: no view with a text")


def _add_suggestions(view: Any, metadata: Metadata, spans: tuple[Span, ...]) -> str:
    """Return the document with a suggestion for each span, as XMI."""
    kind = view.typesystem.get_type(metadata.layer)
    score = f"{metadata.feature}_score"
    has_score = kind.get_feature(score) is not None
    for span in spans:
        values = {"begin": span.start, "end": span.end, metadata.feature: span.label}
        if has_score and span.score is not None:
            values[score] = span.score
        view.add(kind(**values, **{PREDICTED: True}))
    xmi: str = view.to_xmi()
    return xmi
