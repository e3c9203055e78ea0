"""Ask for a task until it is done, failed, or too late."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from zhiyipdf.clock import Clock
from zhiyipdf.errors import (
    AuthenticationError,
    ConversionTimeout,
    ProtocolError,
    RateLimited,
    ResultExpired,
    ServiceUnavailable,
    ZhiyiPDFError,
)
from zhiyipdf.models import Stage, TaskRef, TaskStatus
from zhiyipdf.policy import Polling
from zhiyipdf.providers import Provider
from zhiyipdf.tasks.pacing import pause_before_poll_s, processing_deadline_s
from zhiyipdf.tasks.poller import Poller

__all__ = ["Tell", "wait_for_task"]

log = logging.getLogger(__name__)


class Tell(Protocol):
    """Reports a step of progress."""

    def __call__(
        self, stage: Stage, done: int = 0, total: int | None = None, message: str = ""
    ) -> None:
        """See :class:`~zhiyipdf.models.Progress`."""


@dataclass(slots=True)
class _Times:
    """Moments in the life of a task, as far as polls showed them.

    Attributes:
        start: The wait began.
        heard: The last answer that said something.
        waiting: The last answer that said it waits in the service's queue; ``start`` before that.
        processing: The first that said it is being processed.
        held_up: The first of the latest answers in a row that named a reason for not beginning.
    """

    start: float
    heard: float
    waiting: float
    processing: float | None = None
    held_up: float | None = None


async def wait_for_task(
    provider: Provider,
    task: TaskRef,
    poller: Poller,
    *,
    pages: int,
    polling: Polling,
    clock: Clock,
    tell: Tell,
    on_end: Callable[[ZhiyiPDFError], Awaitable[None]],
    on_parsed: Callable[[float], None] = lambda _seconds: None,
) -> TaskStatus:
    """Poll a task to its end.

    Waiting in the service's queue and being processed have deadlines of their own: the first
    depends on other people's tasks, the second on this PDF. A service that cannot be asked for a
    while is no reason to give up what is paid.

    Args:
        provider: The service.
        task: What to ask for.
        poller: That of the key that paid.
        pages: Of the PDF; they lengthen the deadline.
        polling: Intervals and deadlines.
        clock: Time and chance.
        tell: Told of every change.
        on_end: Awaited before an error is raised that ends the task for good.
        on_parsed: Told how many seconds the service worked on a completed task, as far as polls
            can tell.

    Returns:
        The status that says it is completed.

    Raises:
        TaskFailed: The service gave up; points are returned.
        ResultExpired: The service does not know the task.
        ConversionTimeout: A deadline passed; the task goes on.
        RateLimited: The service asked to slow down for too long; the task goes on.
        ServiceUnavailable: It could not be asked for too long; the task goes on.
        ProtocolError: It answered nonsense for too long; the task goes on.
        AuthenticationError: The key is refused; the task goes on.
    """
    now = clock.monotonic()
    times = _Times(start=now, heard=now, waiting=now)
    status: TaskStatus | None = None
    while True:
        age = clock.monotonic() - times.start
        pause_s = pause_before_poll_s(
            polling, since_upload_s=age, status=status, chance=clock.random()
        )
        try:
            status = await poller.status(task.id, pause_s=pause_s)
        except ResultExpired as error:
            if clock.monotonic() - times.start < polling.not_found_grace_s:
                continue  # the task is so new that not every server of theirs knows it
            await on_end(error)
            raise
        except (AuthenticationError, ProtocolError, RateLimited, ServiceUnavailable) as error:
            if _is_borne(error, polling, silent_s=clock.monotonic() - times.heard):
                log.info("task %s: %s; still waiting", task.id, error.message)
                continue
            error.points_charged = True
            error.about(task_id=task.id)
            raise
        now = times.heard = clock.monotonic()
        if status.state == "completed":
            on_parsed(now - times.waiting)
            return status
        if status.state == "failed" or _is_held_up_too_long(status, times, now, polling):
            failure = provider.failure(status, task.id)
            await on_end(failure)
            raise failure
        if status.state == "waiting":
            times.waiting = now
        elif times.processing is None:
            times.processing = now
        _report(tell, status)
        _check_deadlines(polling, task, pages, times, now)


def _is_borne(error: ZhiyiPDFError, polling: Polling, *, silent_s: float) -> bool:
    """Whether a poll that got no usable answer is simply repeated."""
    asked_s = error.retry_after_s if isinstance(error, RateLimited | ServiceUnavailable) else None
    # A page of HTML in place of an answer comes from a gateway, and passes.
    passing = error.retryable or isinstance(error, ProtocolError)
    return passing and silent_s + (asked_s or 0.0) <= polling.unreachable_s


def _is_held_up_too_long(status: TaskStatus, times: _Times, now: float, polling: Polling) -> bool:
    """Whether a task that the service refuses to begin is to be given up."""
    if not status.is_held_up:
        times.held_up = None
        return False
    if times.held_up is None:
        times.held_up = now
    return now - times.held_up > polling.held_up_s


def _report(tell: Tell, status: TaskStatus) -> None:
    if status.state == "waiting":
        tell("wait", status.ahead or 0, None, status.message)
    else:
        tell("convert", status.percent or 0, 100, status.message)


def _check_deadlines(
    polling: Polling, task: TaskRef, pages: int, times: _Times, now: float
) -> None:
    waited, since = now - times.start, times.processing
    if since is None and waited > polling.waiting_s:
        raise ConversionTimeout(
            f"still waiting in the service's queue after {waited:.0f} s", task_id=task.id
        )
    if since is not None and now - since > processing_deadline_s(polling, pages):
        raise ConversionTimeout(f"still being processed after {now - since:.0f} s", task_id=task.id)
