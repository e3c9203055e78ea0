"""Pure: the JSON bodies of Doc2X version 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zhiyipdf.server.conversion import Progress
from zhiyipdf.server.doc2x.admission import Throttle
from zhiyipdf.server.doc2x.desk import Found
from zhiyipdf.server.doc2x.links import PictureLink
from zhiyipdf.server.doc2x.pages import has_pictures, layout_of, markdown_of, pixels_of
from zhiyipdf.server.engine import PageMarkdown
from zhiyipdf.server.refusal import Refusal

__all__ = [
    "bad_request",
    "not_found",
    "refuse",
    "result_of",
    "slow_down",
    "state_of",
    "success",
    "unauthorized",
]

# Seconds, for 429.
RETRY_AFTER_S = 1
VERSION = "zhiyipdf"
_THROTTLED: dict[Throttle, str] = {
    "parse_task_limit_exceeded": "too many tasks of this key are alive; it starts when one ends",
    "parse_concurrency_limit": "too many pages of this key are alive; it starts when some end",
}


def success(data: dict[str, Any]) -> dict[str, Any]:
    """The envelope of success."""
    return {"code": "success", "data": data}


def refuse(code: str, message: str) -> Refusal:
    """A refusal with one of the service's codes: business failures are HTTP 200 (notes 2)."""
    return Refusal(200, {"code": code, "msg": message})


def bad_request(message: str) -> Refusal:
    """A parameter error; its code is not public, this is version 1's."""
    return refuse("bad_request", message)


def not_found() -> Refusal:
    """Unknown, expired, somebody else's, or not uploaded yet."""
    return refuse("parse_status_not_found", "there is no such uid, or its file has not come")


def unauthorized() -> Refusal:
    """A key that is none."""
    return Refusal(401, {"code": "unauthorized", "msg": "the API key is not valid"})


def slow_down() -> Refusal:
    """HTTP 429."""
    content = {"code": "request_limit_exceeded", "msg": "too many requests"}
    return Refusal(429, content, {"Retry-After": str(RETRY_AFTER_S)})


def state_of(found: Found, throttle: Throttle | None, progress: Progress) -> dict[str, Any]:
    """The data of a status that is not success.

    Args:
        found: The upload.
        throttle: The limit it waits for, if it does.
        progress: How far it is; matters only while it is in process.

    Raises:
        Refusal: It failed, or waits for a limit.
    """
    upload, task = found.upload, found.task
    if task is not None and task.state == "failed":
        raise refuse(task.error_code or "parse_error", task.message or "the parse failed")
    if task is None and upload.state == "announced":
        raise not_found()
    if task is None and upload.state == "refused":
        raise refuse(upload.code or "parse_error", upload.message or "the file was refused")
    if task is None and throttle is not None:
        raise refuse(throttle, _THROTTLED[throttle])
    return {"status": "processing", "progress": progress.percent, "detail": ""}


def result_of(
    found: Found, pages: Sequence[PageMarkdown], *, base: str, image: bool = False
) -> dict[str, Any]:
    """The ``result`` of a success.

    Args:
        found: The upload.
        pages: Its pages.
        base: The server's own address, for pictures.
        image: Whether it was an image: its page has no index and no picture.
    """
    layout = found.upload.model == "v3-2026"
    made = [_page(found.upload.uid, page, base=base, image=image, layout=layout) for page in pages]
    return {"version": VERSION, "pages": made}


def _page(uid: str, page: PageMarkdown, *, base: str, image: bool, layout: bool) -> dict[str, Any]:
    pixels = pixels_of(page, image=image)
    link = PictureLink(base, uid, page.number - 1)
    source_of = link.of(pixels)
    answer: dict[str, Any] = {
        "url": link.whole if has_pictures(page) else "",
        "page_idx": page.number - 1,
        "page_width": pixels.width,
        "page_height": pixels.height,
        "md": markdown_of(page, source_of=source_of),
        "score": page.quality,
    }
    if image:
        del answer["page_idx"], answer["url"]
    if layout:
        answer["layout"] = layout_of(page, pixels, source_of=source_of)
    return answer
