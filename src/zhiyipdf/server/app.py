"""The ASGI application: wire protocols over one service that lives as long as the lifespan."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from zhiyipdf.server.access_log import AccessLog
from zhiyipdf.server.doc2x.desk import Desk
from zhiyipdf.server.doc2x.object_routes import object_routes
from zhiyipdf.server.doc2x.v1_routes import v1_routes
from zhiyipdf.server.doc2x.v2_routes import v2_routes
from zhiyipdf.server.service import Service
from zhiyipdf.server.settings import ServerSettings
from zhiyipdf.server.zhiyipdf_routes import zhiyipdf_routes

__all__ = ["create_app"]


def create_app(settings: ServerSettings, *, clock: Callable[[], float] = time.time) -> Starlette:
    """Make the application; nothing is opened before its lifespan begins.

    One asyncio loop drives it, with a socket (uvicorn) or without one. When the lifespan ends, all
    worker processes are gone and the folder is free for the next server.

    Args:
        settings: Folder, limits, engine.
        clock: Seconds since 1970, for records and retention.
    """
    service = Service(settings, clock=clock)
    desk = Desk(service)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        try:
            await desk.start()
            yield
        finally:
            await desk.stop()
            await service.stop()

    app = Starlette(
        routes=[
            *zhiyipdf_routes(service),
            *v1_routes(desk),
            *v2_routes(desk),
            *object_routes(desk),
        ],
        lifespan=lifespan,
        middleware=[Middleware(AccessLog)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.state.service = service
    return app


async def _refused(request: Request, error: Exception) -> Response:  # noqa: ARG001
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = error.detail if isinstance(error, HTTPException) else "Internal server error"
    headers = error.headers if isinstance(error, HTTPException) else None
    return JSONResponse({"success": False, "message": message}, status, headers)


async def _failed(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"success": False, "message": "Internal server error"}, 500)
