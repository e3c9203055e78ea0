"""Pure: the JSON bodies of Doc2X version 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zhiyipdf.server.conversion import Progress
from zhiyipdf.server.doc2x.desk import Found
from zhiyipdf.server.doc2x.links import PictureLink
from zhiyipdf.server.doc2x.pages import has_pictures, markdown_of, pixels_of, texts_of
from zhiyipdf.server.engine import PageMarkdown
from zhiyipdf.server.refusal import Refusal

__all__ = [
    "bad_params",
    "bad_request",
    "broken",
    "result_of",
    "state_of",
    "task_limit",
    "translation_of",
    "unauthorized",
    "unreadable",
]

LOCKED = "img locked"
PAGES_LIMIT = {"parse_quota_limit", "parse_page_limit_exceeded"}


def unauthorized() -> Refusal:
    """A credential that is none, or of the other kind; the shape is inferred (notes 5.1)."""
    return Refusal(401, {"code": "unauthorized", "msg": "the credential is not valid here"})


def bad_params() -> Refusal:
    """400 of a broken form or file (notes 1.4)."""
    return Refusal(400, {"code": "invalid request", "msg": "bad params"})


def bad_request(message: str, detail: str) -> Refusal:
    """400 with a reason (notes 1.4).

    Args:
        message: What was wrong.
        detail: Why.
    """
    return Refusal(400, {"code": "bad_request", "msg": message, "detail": detail})


def broken(code: str, message: str) -> Refusal:
    """400 of a file that cannot be read, or was sent too often (notes 1.4).

    Args:
        code: As version 2 names it.
        message: Why, for a person.
    """
    detail = LOCKED if code == "parse_file_lock" else message
    return bad_request("the file cannot be read", detail)


def unreadable() -> Refusal:
    """500 of a file the service cannot read back (notes 1.4)."""
    return Refusal(500, {"code": "service unavailable", "msg": "read file error"})


def task_limit() -> dict[str, Any]:
    """HTTP 200 without data: too many tasks are alive (notes 1.4)."""
    return {"code": "parse_task_limit_exceeded", "msg": "wait for earlier tasks to finish"}


def state_of(found: Found, progress: Progress) -> dict[str, Any]:
    """The data of a status that is not success.

    Args:
        found: The upload.
        progress: How far it is; matters only while it is in process.
    """
    upload, task = found.upload, found.task
    if task is None:
        if upload.state != "refused":
            return {"status": "ready"}
        return {"status": "pages limit exceeded" if upload.code in PAGES_LIMIT else "failed"}
    if task.state == "failed":
        return {"status": "failed"}
    if task.state == "waiting":
        return {"status": "ready"}
    status = "translate_processing" if progress.translating else "processing"
    return {"status": status, "progress": progress.percent}


def result_of(found: Found, pages: Sequence[PageMarkdown], *, base: str) -> dict[str, Any]:
    """The data of a success.

    Args:
        found: The upload.
        pages: Its pages.
        base: The server's own address, for pictures.
    """
    image = found.upload.options.source == "image"
    made = [_page(found.upload.uid, page, base=base, image=image) for page in pages]
    return {"status": "success", "progress": 100, "result": {"pages": made}}


def _page(uid: str, page: PageMarkdown, *, base: str, image: bool) -> dict[str, Any]:
    pixels = pixels_of(page, image=image)
    link = PictureLink(base, uid, page.number - 1)
    # Images have no index (notes 1.3).
    index = {} if image else {"page_idx": page.number - 1}
    return {
        **index,
        "page_width": pixels.width,
        "page_height": pixels.height,
        "url": link.whole if has_pictures(page) else "",
        "md": markdown_of(page, source_of=link.of(pixels)),
    }


def translation_of(pages: Sequence[PageMarkdown], translated: Sequence[str]) -> dict[str, Any]:
    """The data of a translated success, whose result is a string that holds JSON (notes 1.3).

    Args:
        pages: The pages.
        translated: Their blocks in the other language.
    """
    items = []
    for (page, block), text in zip(texts_of(pages), translated, strict=True):
        pixels = pixels_of(page)
        crop = pixels.crop(block.box)
        items.append(
            {
                "raw": f"## {block.text}" if block.kind == "title" else block.text,
                "translated": f"## {text}" if block.kind == "title" else text,
                "page_idx": page.number - 1,
                "page_width": pixels.width,
                "page_height": pixels.height,
                "x": crop.x,
                "y": crop.y,
            }
        )
    result = json.dumps(items, ensure_ascii=False)
    return {"status": "translate_success", "progress": 100, "result": result}
