"""Blocking work beside the event loop, in daemon threads that never keep a program from ending."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_daemon_thread"]

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T], *, name: str) -> T:
    """Run blocking work in a thread of its own.

    ``asyncio.to_thread`` is for short work: its pool is bounded, and the interpreter waits for it
    at exit. Cancelling only stops the waiting; whoever cancels must also end the work.

    Args:
        work: What to do.
        name: The thread's name.

    Returns:
        What it returned.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        if not future.done():
            act()

    def post(act: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, act)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            failure = error
            post(lambda: future.set_exception(failure))
        else:
            post(lambda: future.set_result(result))

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
