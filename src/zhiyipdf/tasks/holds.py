"""The right to upload one piece of work, shared by a caller and the thread that uploads for it."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from zhiyipdf.store import Lease, Leases

__all__ = ["WorkHold"]


class WorkHold:
    """A lease that several keep: the one who uploads, and the thread that does it.

    A cancelled caller goes away while its thread still waits for the answer of a paid upload; the
    lease is given back by whoever ends last.
    """

    def __init__(self, leases: Leases, key: str) -> None:
        self._leases = leases
        self._key = key
        self._stack = ExitStack()
        self._lease: Lease | None = None
        self._users = 1
        self._guard = threading.Lock()
        self.given_up = threading.Event()

    def take(self) -> None:
        """Wait for the lease; blocking."""
        holding = self._leases.hold(self._key, given_up=self.given_up)
        self._lease = self._stack.enter_context(holding)
        if self.given_up.is_set():  # cancelled in the last moment: nobody else gives it back
            self._stack.close()

    def retain(self) -> None:
        """See :class:`~zhiyipdf.tasks.submission.Hold`."""
        with self._guard:
            self._users += 1

    def release(self) -> None:
        """See :class:`~zhiyipdf.tasks.submission.Hold`; blocking."""
        with self._guard:
            self._users -= 1
            last = self._users == 0
        if last:
            self._stack.close()

    def is_held(self) -> bool:
        """See :class:`~zhiyipdf.tasks.submission.Hold`; blocking."""
        return self._lease is not None and self._leases.is_held(self._lease)
