"""What to do next, decided without doing it: parts, pauses, deadlines."""

from __future__ import annotations

from zhiyipdf.models import Part, Source, TaskStatus
from zhiyipdf.policy import Polling

__all__ = ["pause_before_poll_s", "plan_parts", "processing_deadline_s"]


def plan_parts(source: Source) -> tuple[Part, ...]:
    """Cut a source into what is uploaded as one task each; today always one.

    Args:
        source: Within the service's limits: the preflight has refused all others.
    """
    return (Part(first_page=1, last_page=len(source.pages), whole=True),)


def pause_before_poll_s(
    polling: Polling, *, since_upload_s: float, status: TaskStatus | None, chance: float
) -> float:
    """How long to wait before the next poll.

    Short while the task is young, so that small files come back at once; then growing by 8 % of
    the task's age up to the longest pause. A task that waits in the service's queue is asked for at
    the longest pause times its place (transport study, section 3).

    Args:
        polling: The policy.
        since_upload_s: Age of the task.
        status: What the last poll said; None before the first.
        chance: A number in [0, 1).

    Returns:
        Seconds; never below ``interval_min_s * jitter``.
    """
    if since_upload_s <= polling.eager_s:
        pause = polling.interval_min_s
    else:
        pause = min(polling.interval_max_s, max(polling.interval_min_s, 0.08 * since_upload_s))
    if status is not None and status.state == "waiting" and status.ahead is not None:
        # Three of the tasks ahead are being worked on; a place in the line costs a while.
        in_line = max(0, status.ahead - 3)
        pause = min(10 * polling.interval_max_s, max(pause, polling.interval_max_s * in_line))
    return pause * (polling.jitter + (1 - polling.jitter) * chance)


def processing_deadline_s(polling: Polling, pages: int) -> float:
    """How long a task of so many pages may be processed before the wait is given up."""
    return polling.processing_s + polling.processing_s_per_page * pages
