"""Slots of API keys: how many tasks each has in flight, and which may take the next."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from zhiyipdf.errors import AuthenticationError, ZhiyiPDFError
from zhiyipdf.models import Secret

__all__ = ["KeyLanes"]


@dataclass(slots=True)
class _Lane:
    key: Secret
    in_flight: int = 0
    retired: ZhiyiPDFError | None = None


class KeyLanes:
    """Hands out slots of several keys, the least busy first; waiters are served in order.

    It belongs to one event loop.

    Args:
        keys: At least one.
        slots_per_key: Tasks in flight of each.
    """

    def __init__(self, keys: Sequence[Secret], slots_per_key: int) -> None:
        self._lanes = [_Lane(key) for key in keys]
        self._slots = slots_per_key
        self._freed = asyncio.Condition()

    @property
    def width(self) -> int:
        """Tasks of all keys that may be in flight together."""
        return len(self._lanes) * self._slots

    def key(self, fingerprint: str) -> Secret | None:
        """The key with this fingerprint, if it is one of ours."""
        return next((la.key for la in self._lanes if la.key.fingerprint == fingerprint), None)

    async def retire(self, key: Secret, error: ZhiyiPDFError) -> bool:
        """Give no more slots of a key that the service refuses.

        Returns:
            Whether another key can take over.
        """
        async with self._freed:
            for lane in self._lanes:
                if lane.key == key:
                    lane.retired = error
            self._freed.notify_all()
        return any(lane.retired is None for lane in self._lanes)

    @asynccontextmanager
    async def slot(self, key: Secret | None = None) -> AsyncIterator[Secret]:
        """Wait for a slot and hold it.

        Args:
            key: Only of this key, retired or not: a task is asked for with the key that paid.

        Raises:
            ZhiyiPDFError: Every key is retired; the last reason.
        """
        async with self._freed:
            lane = self._next(key)
            while lane is None:
                await self._freed.wait()
                lane = self._next(key)
            lane.in_flight += 1
        try:
            yield lane.key
        finally:
            lane.in_flight -= 1
            async with self._freed:
                self._freed.notify_all()

    def _next(self, key: Secret | None) -> _Lane | None:
        if key is not None:
            lanes = [lane for lane in self._lanes if lane.key == key]
        else:
            lanes = [lane for lane in self._lanes if lane.retired is None]
            if not lanes:
                raise self._reason()
        free = [lane for lane in lanes if lane.in_flight < self._slots]
        return min(free, key=lambda lane: lane.in_flight, default=None)

    def _reason(self) -> ZhiyiPDFError:
        reasons = [lane.retired for lane in self._lanes if lane.retired is not None]
        if not reasons:
            return AuthenticationError("there is no API key")
        reason = copy.copy(reasons[-1])  # each source gets an error of its own
        reason.source = None
        return reason
