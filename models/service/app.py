"""The ASGI application of a service: routes, middleware, errors and lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from .access_log import AccessLog
from .gate import Gate
from .pages import page_router
from .protocols.doccano import doccano_router
from .protocols.inception import inception_router
from .protocols.label_studio import label_studio_router
from .service import Service
from .tag_api import tag_router

_DESCRIPTION = (
    "Finds named entities in texts. Bodies and answers are JSON in UTF-8. A refused request is "
    "answered with one line in the field 'detail'."
)


def create_app(service: Service) -> FastAPI:
    """Return the application that serves a service.

    Its lifespan starts and stops the thread that tags and the task that follows the model's files.
    """
    from ... import __version__

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with service.batcher:
            watch = asyncio.create_task(service.live.watch())
            try:
                yield
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch

    app = FastAPI(
        title="orbat",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load their scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    for router in (
        tag_router(service),
        doccano_router(service),
        label_studio_router(service),
        inception_router(service),
        page_router(service, app),
    ):
        app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(Gate, settings=service.settings)
    app.add_middleware(AccessLog, metrics=service.metrics)
    return app


async def _refused(request: Request, error: Any) -> JSONResponse:
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _invalid(request: Request, error: Any) -> JSONResponse:
    """Answer with the first fault, without the value, which may be of any size."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        line = f"the body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}"
        return JSONResponse({"detail": line}, 400)
    field = ".".join(str(part) for part in first["loc"][1:]) or "body"
    if first["type"] == "extra_forbidden":
        line = f"unknown field '{field}'; remove it or correct its name"
    else:
        line = f"{field}: {first['msg'].removeprefix('Value error, ')}"
    return JSONResponse({"detail": line}, 422)
