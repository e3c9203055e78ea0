"""Time that jumps over every pause, for tasks and for threads."""

from __future__ import annotations

import asyncio
import threading
import time

from zhiyipdf.clock import Clock


class FakeTime:
    """A clock of its own.

    Args:
        rate: Seconds of this clock that pass in a real second beside the jumps; 0 to stand still
            between them.

    Attributes:
        naps: Every pause so far, in seconds and in order.
    """

    def __init__(self, rate: float = 0.0) -> None:
        self.naps: list[float] = []
        self.rate = rate
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._seconds = time.time()

    @property
    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        return self._seconds + (time.monotonic() - self._start) * self.rate

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._seconds += seconds

    def _nap(self, seconds: float) -> None:
        with self._lock:
            self.naps.append(seconds)
            self._seconds += max(0.0, seconds)

    async def sleep(self, seconds: float) -> None:
        self._nap(seconds)
        await asyncio.sleep(0)

    def pause(self, seconds: float) -> None:
        self._nap(seconds)
        time.sleep(0)

    def clock(self, *, chance: float = 0.5) -> Clock:
        """What a converter takes; ``chance`` is every random number."""

        def now() -> float:
            return self.seconds

        return Clock(
            now=now, monotonic=now, sleep=self.sleep, pause=self.pause, random=lambda: chance
        )
