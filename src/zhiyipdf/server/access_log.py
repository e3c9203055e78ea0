"""An access log without query strings: the API allows keys in them."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLog"]

logger = logging.getLogger(__name__)


class AccessLog:
    """Logs method, path, status and duration of each request at INFO, and nothing else of it.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; log when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            milliseconds = round(1000 * (time.monotonic() - begun))
            path = quote(scope["path"], safe="/")
            logger.info("%s %s %s %s ms", scope["method"], path, status, milliseconds)
