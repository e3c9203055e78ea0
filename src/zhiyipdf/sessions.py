"""What is open on each event loop, shared by all calls that run there."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Sessions"]

T = TypeVar("T")


@dataclass(slots=True, weakref_slot=True)
class _Live(Generic[T]):
    users: int = 0
    opened: T | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions(Generic[T]):
    """Opens something once for each event loop and closes it when nobody uses it there any more.

    An HTTP client belongs to the loop that opened it, and to the process: after a fork parent and
    child would read each other's answers (transport study, section 6).

    Args:
        opening: Opens it, and leaves in the exit stack what closes it.
    """

    def __init__(self, opening: Callable[[AsyncExitStack], Awaitable[T]]) -> None:
        self._opening = opening
        self._start_afresh()

    def _start_afresh(self) -> None:
        """Drop what belongs to another process without closing it: sockets are shared there."""
        self._owner = os.getpid()
        self._guard = threading.Lock()
        self._live: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Live[T]] = (
            weakref.WeakKeyDictionary()
        )

    async def enter(self) -> T:
        """Use what is open on the running loop, opening it first if need be."""
        loop = asyncio.get_running_loop()
        if self._owner != os.getpid():
            self._start_afresh()
        with self._guard:
            live = self._live.get(loop)
            if live is None:
                live = self._live[loop] = _Live()
        async with live.lock:
            if live.opened is None:
                live.opened = await self._opening(live.stack)
            live.users += 1
            return live.opened

    async def leave(self) -> None:
        """Use it no more; the last one closes it."""
        with self._guard:
            live = self._live.get(asyncio.get_running_loop())
        if live is None:
            return  # a forked child leaves what its parent entered
        async with live.lock:
            live.users -= 1
            if live.users == 0:
                live.opened = None
                stack, live.stack = live.stack, AsyncExitStack()
                await stack.aclose()
