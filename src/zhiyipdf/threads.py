"""Run blocking calls beside the event loop, on threads that never hold up a process's end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(work: Callable[[], T], *, name: str = "zhiyipdf-io") -> T:
    """Run ``work`` on a daemon thread of its own and wait for it.

    ``asyncio.to_thread`` is not used: its pool has ``min(32, cpus + 4)`` threads for everybody in
    the process, and the interpreter joins them at exit, so a stuck network would hang it.

    If the caller is cancelled the thread runs on to its end and its outcome is dropped; what must
    not be dropped is recorded by ``work`` itself.

    Args:
        work: Takes no arguments; sees the caller's context variables.
        name: Name of the thread, for debuggers.

    Returns:
        What ``work`` returns.

    Raises:
        BaseException: What ``work`` raises.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only where T allows it

    def body() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = context.run(work)
        except StopIteration as error:
            # A Future refuses to carry StopIteration.
            failure = RuntimeError("StopIteration left a worker thread")
            failure.__cause__ = error
        except BaseException as error:  # noqa: BLE001 - carried over to the caller
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # the loop was closed meanwhile: nobody waits any more

    threading.Thread(target=body, name=name, daemon=True).start()
    return await future
