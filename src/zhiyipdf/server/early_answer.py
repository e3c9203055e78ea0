"""An answer to a request whose body is still on its way, sent so that the client gets to see it."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["EarlyAnswer"]


class EarlyAnswer(Response):
    """Sends the whole answer at once, then reads on for a moment before it lets the connection go.

    A connection closed with unread data is reset, and many clients then lose the answer that is
    already on its way to them. What nginx calls lingering close avoids that.

    Args:
        answer: What to answer.
        linger_s: Seconds to go on reading at most.
    """

    def __init__(self, answer: Response, *, linger_s: float) -> None:
        super().__init__(answer.body, answer.status_code, media_type=answer.media_type)
        self.raw_headers = [*answer.raw_headers, (b"connection", b"close")]
        self._linger_s = linger_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer; see the class."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._linger_s):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
