"""What Doc2X answers share: JSON as a Go server writes it, trace ids, answers before the end."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from zhiyipdf.server.early_answer import EarlyAnswer
from zhiyipdf.server.refusal import Refusal

__all__ = [
    "answering",
    "bearer",
    "body_of",
    "content_length",
    "file_answer",
    "json_answer",
]

logger = logging.getLogger(__name__)

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
BODY_METHODS = {"POST", "PUT"}


def json_answer(
    content: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    r"""An answer whose ampersands are written ``\u0026``, as the service sends them (notes 2.3)."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("&", "\\u0026")
    return Response(body.encode("utf-8", "replace"), status, headers, "application/json")


def file_answer(file: Path, name: str) -> Response:
    """A file that was made: a Word document or a ZIP.

    Args:
        file: Where it is.
        name: What to call it.
    """
    kind = WORD if file.suffix == ".docx" else "application/zip"
    return FileResponse(file, media_type=kind, filename=name)


def answering(
    endpoint: Callable[[Request], Awaitable[Response]], *, linger_s: float
) -> Callable[[Request], Awaitable[Response]]:
    """Turn refusals into answers, and give each answer a ``trace-id``.

    Args:
        endpoint: May raise :class:`Refusal`.
        linger_s: Seconds to go on reading a body that was answered before its end.
    """

    async def answer(request: Request) -> Response:
        trace_id = uuid.uuid4().hex
        try:
            response = await endpoint(request)
        except Refusal as refusal:
            response = json_answer(refusal.content, refusal.status, refusal.headers)
        except ClientDisconnect:
            response = json_answer({"code": "bad_request", "msg": "the client went away"}, 400)
        except Exception:
            logger.exception("a Doc2X call failed, trace-id %s", trace_id)
            response = json_answer({"code": "internal_error", "msg": "internal error"}, 500)
        response.headers["trace-id"] = trace_id
        if request.method in BODY_METHODS and not getattr(request.state, "body_ended", False):
            return EarlyAnswer(response, linger_s=linger_s)
        return response

    return answer


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The request's body, piece by piece; its end is noted."""
    async for chunk in request.stream():
        yield chunk
    request.state.body_ended = True


def bearer(request: Request) -> str | None:
    """The token of ``Authorization: Bearer``; there is no other place for it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def content_length(request: Request) -> int | None:
    """How long the client says its body is."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
