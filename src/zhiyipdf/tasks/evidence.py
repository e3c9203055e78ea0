"""Was an upload paid for? What the balance proves, and how long it is asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from zhiyipdf.models import Secret

__all__ = ["CommitLocks", "Evidence", "Verdict", "gather_evidence", "gather_receipt", "judge"]

Verdict = Literal["paid", "unpaid", "unknown"]

RE_READS_S = (3.0, 7.0, 20.0)
"""Pauses before the balance is read again: at 3, 10 and 30 s after the failure, since the service
may still be counting pages (transport study 2.3)."""

LATE_RE_READS_S = (3.0, 27.0, 150.0)
"""The same where the service took the body and stayed silent: at 3, 30 and 180 s."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the balance said about one upload.

    Attributes:
        verdict: What it proves.
        balance_before: Points right before the end of the body was let go.
        balance_after: The last points read; None if they could not be read.
    """

    verdict: Verdict
    balance_before: int | None
    balance_after: int | None


def judge(before: int, after: int, cost: int) -> Verdict | None:
    """What one reading proves; None if it proves nothing yet.

    Only an exact match counts. "The balance went down" would take somebody else's upload for ours:
    30 % false verdicts in a simulation with one other upload per window (transport study 2.3).

    Args:
        before: Points before.
        after: Points after.
        cost: What the upload costs; above 0.
    """
    if before - after == cost:
        return "paid"
    return None if after == before else "unknown"


def gather_evidence(
    *,
    before: int | None,
    cost: int,
    read: Callable[[], int | None],
    pause: Callable[[float], None],
    late: bool,
    undisturbed: Callable[[], bool] = lambda: True,
) -> Evidence:
    """Read the balance until it proves something; blocking.

    Args:
        before: Points right before the end of the body was let go; None if they were not read.
        cost: What the upload costs.
        read: Asks for the balance; None if there is no clear answer.
        pause: Waits some seconds.
        late: Whether the service took the body and stayed silent.
        undisturbed: Whether no points of ours were returned meanwhile: a refund as large as the
            cost would hide a charge. Asked once polls had time to tell of it.

    Returns:
        ``unpaid`` only if every reading is what it was before.
    """
    if before is None or cost <= 0:
        return Evidence("unknown", before, None)
    after: int | None = None
    for seconds in LATE_RE_READS_S if late else RE_READS_S:
        pause(seconds)
        after = read()
        if after is None:
            return Evidence("unknown", before, None)
        verdict = judge(before, after, cost)
        if verdict is not None:
            return Evidence(verdict, before, after)
    pause(REFUND_NEWS_S)
    return Evidence("unpaid" if undisturbed() else "unknown", before, after)


def gather_receipt(*, read: Callable[[], bool | None], pause: Callable[[float], None]) -> Verdict:
    """Ask for a task that had its name before the upload, until that proves something; blocking.

    Args:
        read: Whether the service has the upload; None if there is no clear answer.
        pause: Waits some seconds.

    Returns:
        ``paid`` once the service has it. ``unpaid`` if it says that it has not, 30 s after: it
        takes up to 20 s to notice an upload (wire notes 2.2), and calls a task it does not know
        by then unknown for good (2.5).
    """
    received: bool | None = None
    for seconds in RE_READS_S:
        pause(seconds)
        received = read()
        if received:
            return "paid"
    return "unpaid" if received is False else "unknown"


REFUND_NEWS_S = 5.0
"""A failed task of ours is heard of by its next poll, 3 s later at most."""


class CommitLocks:
    """One lock for each key: the balance is evidence only while nobody else spends from it.

    It is held from the reading before the end of a body until its answer is understood. Bodies
    are uploaded side by side; only their last bytes wait for one another.
    """

    def __init__(self) -> None:
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._owner = os.getpid()
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._refunds: dict[str, int] = {}

    def note_refund(self, fingerprint: str) -> None:
        """A task of this key failed, and its points came back."""
        with self._guard:
            self._refunds[fingerprint] = self._refunds.get(fingerprint, 0) + 1

    def refunds(self, key: Secret) -> int:
        """How many tasks of a key have failed so far."""
        return self._refunds.get(key.fingerprint, 0)

    @contextmanager
    def section(self, key: Secret) -> Iterator[Callable[[float], bool]]:
        """Give a function that takes the key's lock, waiting so many seconds at most.

        It says whether it got the lock, which is given back at the end of the section.
        """
        if self._owner != os.getpid():  # after a fork a lock may be held by nobody
            self._start_afresh()
        with self._guard:
            lock = self._locks.setdefault(key.fingerprint, threading.Lock())
        taken = False

        def take(timeout_s: float) -> bool:
            nonlocal taken
            taken = lock.acquire(timeout=timeout_s)
            return taken

        try:
            yield take
        finally:
            if taken:
                lock.release()
