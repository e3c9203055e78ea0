"""When to ask, how long to wait, how much at once: decided from times, without doing it."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from zhiyipdf.models import TaskStatus
from zhiyipdf.policy import Limits, Polling

__all__ = [
    "RunningTimes",
    "in_flight_per_key",
    "pause_after_429_s",
    "pause_before_poll_s",
    "processing_deadline_s",
    "turns",
    "uploads_per_key",
]

# Medians are taken over so many of the latest times, and trusted from so many on.
WINDOW = 31
ENOUGH = 3


@dataclass(slots=True)
class RunningTimes:
    """Running medians of how long this session's uploads and tasks take.

    Medians, because one PDF of 800 pages among 50 letters must not change how letters are sent.

    Attributes:
        uploads: The latest uploads, in seconds.
        parses: The latest tasks' times in process, in seconds.
    """

    uploads: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    parses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    @property
    def uploads_per_parse(self) -> float | None:
        """Median upload over median parse; None until both are known."""
        if min(len(self.uploads), len(self.parses)) < ENOUGH:
            return None
        return statistics.median(self.uploads) / max(statistics.median(self.parses), 1e-3)


def in_flight_per_key(limits: Limits, uploads_per_parse: float | None) -> int:
    """How many tasks of a key should be uploaded and not yet finished.

    The service works on three at a time. While they are parsed, three uploads must end, so that
    none of its places stands empty; one more covers the delay of finding out (transport study,
    section 3: ``clamp(3 + ceil(3 * t_upload / t_parse) + 1, 5, 12)``).

    Args:
        limits: The bounds.
        uploads_per_parse: Median upload over median parse; None if not known yet.
    """
    least = limits.in_flight_per_key
    if uploads_per_parse is None:
        return least
    most = max(least, limits.max_in_flight_per_key)
    return max(least, min(most, 3 + _ceil(3 * uploads_per_parse) + 1))


def uploads_per_key(limits: Limits, uploads_per_parse: float | None) -> int:
    """How many uploads of a key should run at the same moment.

    As many as keep three places busy, and one more: ``clamp(ceil(3 * t_upload / t_parse) + 1,
    2, 4)`` with the bounds of the transport study, section 3.

    Args:
        limits: The bounds.
        uploads_per_parse: As for :func:`in_flight_per_key`.
    """
    if uploads_per_parse is None:
        return limits.uploads_per_key
    # Who sets the middle number alone, to one for instance, means it as a bound.
    least = min(limits.min_uploads_per_key, limits.uploads_per_key)
    most = max(limits.max_uploads_per_key, limits.uploads_per_key)
    return max(least, min(most, _ceil(3 * uploads_per_parse) + 1))


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


def pause_after_429_s(
    polling: Polling, *, in_a_row: int, asked_s: float | None, chance: float
) -> float:
    """How long a key's polls rest after the service asked to slow down.

    Args:
        polling: The policy.
        in_a_row: 429 answers without another in between, from 1.
        asked_s: The service's own wish, if it had one.
        chance: A number in [0, 1); up to half as much is added.

    Returns:
        Seconds; never less than the service asked for, up to ``unreachable_s``.
    """
    most = polling.unreachable_s / 2
    pause = min(most, polling.slow_down_s * 2.0 ** min(in_a_row - 1, 30)) * (1 + chance / 2)
    return min(polling.unreachable_s, max(pause, asked_s or 0.0))


def processing_deadline_s(polling: Polling, pages: int) -> float:
    """How long a task of so many pages may be processed before the wait is given up."""
    return polling.processing_s + polling.processing_s_per_page * pages


def turns(due: Iterable[float], *, not_before: float, apart_s: float) -> list[float]:
    """When each of a key's polls may go out.

    Args:
        due: When each wants to, in ascending order.
        not_before: Earliest moment for the first.
        apart_s: Least time between two.

    Returns:
        A moment for each, in the same order.
    """
    moments = []
    for wanted in due:
        moment = max(wanted, not_before)
        moments.append(moment)
        not_before = moment + apart_s
    return moments


def _ceil(number: float) -> int:
    # Bounded first: an upload that took for ever must not become infinity.
    return math.ceil(min(number, 1e6))
