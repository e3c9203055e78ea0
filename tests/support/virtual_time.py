"""A clock for simulations: hours pass in moments, and everybody wakes in the right order."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from random import Random

from zhiyipdf.clock import Clock

# Steps of the event loop in which everything that can go on without time has gone on.
SETTLING_STEPS = 25


class VirtualTime:
    """Time that stands still while anybody works, and jumps to the next who wakes."""

    def __init__(self, seed: int = 0) -> None:
        self.seconds = 0.0
        self.random = Random(seed)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = 0

    async def sleep(self, seconds: float) -> None:
        self._numbers += 1
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.seconds + max(seconds, 0.0), self._numbers, wake))
        await wake

    @property
    def sleepers(self) -> int:
        return sum(not wake.done() for _, _, wake in self._sleepers)

    async def settle(self) -> None:
        for _ in range(SETTLING_STEPS):
            await asyncio.sleep(0)

    async def run(self, until: Callable[[], object]) -> None:
        """Let time pass until ``until`` holds."""
        await self.settle()
        while not until():
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            assert self._sleepers, "everybody waits for somebody else"
            self.seconds, _, wake = heapq.heappop(self._sleepers)
            wake.set_result(None)
            await self.settle()

    async def pass_by(self, seconds: float) -> None:
        """Let so many seconds pass."""
        bell = asyncio.ensure_future(self.sleep(seconds))
        await self.run(bell.done)

    def clock(self) -> Clock:
        def now() -> float:
            return self.seconds

        return Clock(now=now, monotonic=now, sleep=self.sleep, random=self.random.random)
