"""Ask for many tasks of a key without hurry: one queue of polls, and a rate for all together."""

from __future__ import annotations

import asyncio
import bisect

from zhiyipdf.clock import Clock
from zhiyipdf.errors import RateLimited
from zhiyipdf.models import Secret, TaskStatus
from zhiyipdf.policy import Polling
from zhiyipdf.providers import Provider
from zhiyipdf.tasks.pacing import pause_after_429_s, turns

__all__ = ["Poller", "Pollers"]


class Poller:
    """The polls of one key; it belongs to one event loop.

    It has no task of its own: everybody who waits sleeps until its own turn in the common queue and
    then asks. So nothing is left behind when they are gone, and who is cancelled leaves the queue.

    Args:
        provider: The service.
        key: The key.
        polling: Rate and pauses.
        clock: Time and chance.
    """

    def __init__(self, provider: Provider, key: Secret, *, polling: Polling, clock: Clock) -> None:
        self._provider = provider
        self._key = key
        self._polling = polling
        self._clock = clock
        self._apart_s = 1 / polling.requests_per_s
        # When each wants to ask, in order; the numbers keep equal moments in the order they came.
        self._queue: list[tuple[float, int]] = []
        self._numbers = 0
        self._not_before = 0.0
        self._unanswered = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._slowed_down = 0

    @property
    def waiting(self) -> int:
        """Polls that wait for their turn."""
        return len(self._queue)

    async def status(self, task_id: str, *, pause_s: float) -> TaskStatus:
        """Ask for a task, once.

        Args:
            task_id: Which.
            pause_s: Not before so many seconds from now; later if the key is busy or paused.

        Raises:
            RateLimited: The service asks to slow down; all polls of the key rest.
            ZhiyiPDFError: What the provider raises.
        """
        await self._turn(self._clock.monotonic() + pause_s)
        try:
            status = await self._provider.poll(task_id, key=self._key)
        except RateLimited as error:
            self._rest(error.retry_after_s)
            raise
        finally:
            self._count(-1)
        self._slowed_down = 0
        return status

    async def _turn(self, moment: float) -> None:
        """Wait in the queue; on return the turn is taken."""
        self._numbers += 1
        mine = (moment, self._numbers)
        bisect.insort(self._queue, mine)
        try:
            while True:
                place = bisect.bisect_left(self._queue, mine)
                due = (wanted for wanted, _ in self._queue[: place + 1])
                turn = turns(due, not_before=self._not_before, apart_s=self._apart_s)[-1]
                now = self._clock.monotonic()
                if turn > now:
                    await self._clock.sleep(turn - now)
                elif self._unanswered >= self._polling.at_once:
                    await self._has_room.wait()
                else:
                    self._not_before = now + self._apart_s
                    self._count(1)
                    return
        finally:
            self._queue.remove(mine)

    def _count(self, change: int) -> None:
        self._unanswered += change
        if self._unanswered < self._polling.at_once:
            self._has_room.set()
        else:
            self._has_room.clear()

    def _rest(self, asked_s: float | None) -> None:
        now = self._clock.monotonic()
        # The answer to a poll that was sent before the rest began does not make it longer.
        if self._slowed_down == 0 or now >= self._not_before - self._apart_s:
            self._slowed_down += 1
        pause = pause_after_429_s(
            self._polling,
            in_a_row=self._slowed_down,
            asked_s=asked_s,
            chance=self._clock.random(),
        )
        self._not_before = max(self._not_before, now + pause)


class Pollers:
    """A poller for each key.

    Args:
        provider: The service.
        polling: As for :class:`Poller`.
        clock: As for :class:`Poller`.
    """

    def __init__(self, provider: Provider, *, polling: Polling, clock: Clock) -> None:
        self._provider = provider
        self._polling = polling
        self._clock = clock
        self._by_key: dict[Secret, Poller] = {}

    def of(self, key: Secret) -> Poller:
        """The one poller of ``key``."""
        poller = self._by_key.get(key)
        if poller is None:
            poller = self._by_key[key] = Poller(
                self._provider, key, polling=self._polling, clock=self._clock
            )
        return poller
