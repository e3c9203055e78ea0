"""Rates: how many images a key may send, and throttles handed out for rehearsal."""

from __future__ import annotations

import random
from collections import deque

__all__ = ["Rehearsal", "Window"]


class Window:
    """Lets each account through so many times in any stretch of time.

    Args:
        limit: Times.
        seconds: Length of the stretch.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._times: dict[int, deque[float]] = {}

    def lets(self, account_id: int, now: float) -> bool:
        """Whether it may go through now; if so, this time counts.

        Args:
            account_id: Who asks.
            now: Seconds since 1970.
        """
        times = self._times.setdefault(account_id, deque())
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._limit:
            return False
        times.append(now)
        return True


class Rehearsal:
    """Strikes a share of calls, the same ones for the same seed and order of calls.

    Args:
        share: 0 to 1.
        seed: Of the generator.
    """

    def __init__(self, share: float, seed: int) -> None:
        self._share = share
        self._random = random.Random(seed)  # noqa: S311 - it chooses faults, not secrets

    def strikes(self) -> bool:
        """Whether this call is to be answered with a throttle."""
        return self._share > 0 and self._random.random() < self._share
