"""Ask for a task until it is done, failed, or too late."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from zhiyipdf.clock import Clock
from zhiyipdf.errors import ConversionTimeout, ResultExpired, ZhiyiPDFError
from zhiyipdf.models import Secret, Stage, TaskRef, TaskStatus
from zhiyipdf.planning import pause_before_poll_s, processing_deadline_s
from zhiyipdf.policy import Polling
from zhiyipdf.providers import Provider

__all__ = ["Tell", "wait_for_task"]

log = logging.getLogger(__name__)


class Tell(Protocol):
    """Reports a step of progress."""

    def __call__(
        self, stage: Stage, done: int = 0, total: int | None = None, message: str = ""
    ) -> None:
        """See :class:`~zhiyipdf.models.Progress`."""


async def wait_for_task(
    provider: Provider,
    task: TaskRef,
    key: Secret,
    *,
    pages: int,
    polling: Polling,
    clock: Clock,
    tell: Tell,
    on_end: Callable[[ZhiyiPDFError], Awaitable[None]],
) -> TaskStatus:
    """Poll a task to its end.

    Waiting in the service's queue and being processed have deadlines of their own: the first
    depends on other people's tasks, the second on this PDF.

    Args:
        provider: The service.
        task: What to ask for.
        key: The one that paid.
        pages: Of the PDF; they lengthen the deadline.
        polling: Intervals and deadlines.
        clock: Time and chance.
        tell: Told of every change.
        on_end: Awaited before an error is raised that ends the task for good.

    Returns:
        The status that says it is completed.

    Raises:
        TaskFailed: The service gave up; points are returned.
        ResultExpired: The service does not know the task.
        ConversionTimeout: A deadline passed; the task goes on.
    """
    start = clock.monotonic()
    processing_since: float | None = None
    status: TaskStatus | None = None
    while True:
        age = clock.monotonic() - start
        await clock.sleep(
            pause_before_poll_s(polling, since_upload_s=age, status=status, chance=clock.random())
        )
        try:
            status = await provider.poll(task.id, key=key)
        except ResultExpired as error:
            if clock.monotonic() - start < polling.not_found_grace_s:
                continue  # the task is so new that not every server of theirs knows it
            await on_end(error)
            raise
        if status.state == "completed":
            return status
        if status.state == "failed":
            failure = provider.failure(status, task.id)
            await on_end(failure)
            raise failure
        now = clock.monotonic()
        if status.state == "processing" and processing_since is None:
            processing_since = now
        _report(tell, status)
        _check_deadlines(polling, task, pages, waited=now - start, since=processing_since, now=now)


def _report(tell: Tell, status: TaskStatus) -> None:
    if status.state == "waiting":
        tell("wait", status.ahead or 0, None, status.message)
    else:
        tell("convert", status.percent or 0, 100, status.message)


def _check_deadlines(
    polling: Polling, task: TaskRef, pages: int, *, waited: float, since: float | None, now: float
) -> None:
    if since is None and waited > polling.waiting_s:
        raise ConversionTimeout(
            f"still waiting in the service's queue after {waited:.0f} s", task_id=task.id
        )
    if since is not None and now - since > processing_deadline_s(polling, pages):
        raise ConversionTimeout(f"still being processed after {now - since:.0f} s", task_id=task.id)
