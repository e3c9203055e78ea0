"""Pure: whether a file may become a task now, later, or never."""

from __future__ import annotations

from typing import Literal

from zhiyipdf.server.doc2x.settings import Doc2XSettings

__all__ = ["Throttle", "too_many_pages", "wait_for"]

Throttle = Literal["parse_task_limit_exceeded", "parse_concurrency_limit"]


def too_many_pages(pages: int, limits: Doc2XSettings) -> bool:
    """Whether a PDF is over the page limit, which it always will be."""
    return pages > limits.max_pages


def wait_for(
    *, pages: int, live_tasks: int, live_pages: int, limits: Doc2XSettings
) -> Throttle | None:
    """Which limit a file has to wait for; None if it may start.

    Args:
        pages: Of the file.
        live_tasks: Tasks of its key that wait or are in process.
        live_pages: Their pages together.
        limits: The limits.
    """
    if live_tasks >= limits.tasks_per_key:
        return "parse_task_limit_exceeded"
    if live_pages and live_pages + pages > limits.pages_per_key:
        return "parse_concurrency_limit"
    return None
