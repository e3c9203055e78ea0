"""Wakes whoever waits for something to change, without losing a change."""

from __future__ import annotations

import asyncio

__all__ = ["Pulse"]


class Pulse:
    """A beat for any number of waiters, on one event loop.

    Take :meth:`next` first, look at the state second, and wait third: what changes in between has
    set the event already.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def next(self) -> asyncio.Event:
        """The event that the next beat sets."""
        return self._event

    def beat(self) -> None:
        """Something changed."""
        event, self._event = self._event, asyncio.Event()
        event.set()
