"""A loop on a thread, the work on it, and the caller who waits: the parts of ``blocking``."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

__all__ = ["CLEAN_UP_S", "Caller", "Live", "Work", "await_end", "cancel_others", "see_off"]

T = TypeVar("T")

CLEAN_UP_S = 10.0
"""Seconds that cancelled work is given to flush its records before it is left to itself."""

STEP_S = 0.1
"""Seconds between two looks around where a wait cannot be interrupted (Windows, a running loop)."""

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Live:
    """A loop, the thread it runs on, and the work it has not finished.

    Attributes:
        loop: The loop.
        thread: The thread that runs :meth:`serve`.
        works: What was posted and is not done.
        lock: Held while something is posted, and while the loop ends.
        ended: Whether the loop takes nothing any more.
    """

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread = field(default_factory=threading.current_thread)
    works: set[Work[Any]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: bool = False

    def is_current(self) -> bool:
        """Whether the caller is on the loop's thread."""
        return not self.ended and self.thread.ident == threading.get_ident()

    def start(self, work: Work[Any]) -> None:
        """Post a piece of work.

        Raises:
            RuntimeError: The loop has ended.
        """
        with self.lock:
            if self.ended:
                raise RuntimeError("the event loop has been stopped")
            work.live = self
            self.works.add(work)
            self.loop.call_soon_threadsafe(work.begin)
        work.add_done_callback(self.works.discard)

    def serve(self) -> None:
        """Run the loop until it is stopped; then end whatever it has not finished."""
        try:
            while True:
                try:
                    self.loop.run_forever()
                except (KeyboardInterrupt, SystemExit):
                    # asyncio hands these two to their task and lets them fly on; others run here.
                    continue
                break
        finally:
            with self.lock:
                self.ended = True
            for work in self.works.copy():
                work.lose()
            self.loop.close()


class Work(Future[T]):
    """A coroutine on its way: done only when it has cleaned up, even if it was cancelled."""

    def __init__(self, coro: Coroutine[Any, Any, T]) -> None:
        if not asyncio.iscoroutine(coro):
            raise TypeError(f"a coroutine is needed, not {type(coro).__name__}")
        super().__init__()
        self.pid = os.getpid()
        self.live: Live | None = None
        self._coro = coro
        self._task: asyncio.Task[T] | None = None
        self._asked = False

    def __repr__(self) -> str:
        return f"<work {getattr(self._coro, '__qualname__', self._coro)}>"

    def call(self, action: Callable[[], object]) -> None:
        """Do something on the loop, after everything asked for before; nothing if it is gone."""
        if self.live is not None and not self.live.ended:
            try:
                self.live.loop.call_soon_threadsafe(action)
            except RuntimeError:  # closed since we looked
                return

    def begin(self) -> None:
        """Become a task of the running loop."""
        # call_soon_threadsafe brought the caller's context variables; the task gets a copy.
        self._task = asyncio.get_running_loop().create_task(self._coro)
        self._task.add_done_callback(self._end)

    def cancel(self) -> bool:
        """Ask the work to stop, once: asking again would cut its clean-up short.

        Returns:
            False if it has ended already.
        """
        if self.done():
            return False
        if self.live is None:
            self._drop()
        else:
            # Behind `begin` in the loop's queue, so it finds the task, unless none was posted.
            self.call(self._cancel_task)
        return True

    def lose(self) -> None:
        """End as failed: the loop is gone."""
        if not self.done():
            self.set_exception(RuntimeError(f"the event loop ended before {self!r} did"))

    def _cancel_task(self) -> None:
        if self._task is None:
            self._drop()
        elif not self._asked:
            self._task.cancel()
        self._asked = True

    def _drop(self) -> None:
        if self.done():
            return
        self._coro.close()
        super().cancel()
        self.set_running_or_notify_cancel()

    def _end(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())


class Caller:
    """Who waits, and how a Ctrl-C reaches them."""

    def __init__(self) -> None:
        try:
            self._task = asyncio.current_task()
        except RuntimeError:
            self._task = None
        self._before = self._task.cancelling() if self._task is not None else 0

    def attend(self, ready: SimpleQueue[T]) -> T:
        """Wait for the next item.

        Raises:
            asyncio.CancelledError: The caller's own task was cancelled meanwhile. Under
                ``asyncio.run`` that is how the first Ctrl-C shows (it cancels the main task and
                raises nothing), and the task cannot notice as long as we block its loop.
        """
        # Lock waits cannot be interrupted on Windows.
        step = STEP_S if self._task is not None or os.name == "nt" else None
        while True:
            if self._task is not None and self._task.cancelling() > self._before:
                raise asyncio.CancelledError
            try:
                return ready.get(timeout=step)
            except Empty:
                continue


def see_off(work: Work[Any]) -> None:
    """Cancel work that nobody waits for any more, and let it clean up."""
    if work.pid != os.getpid() or not work.cancel():
        # In a forked child the work, and whoever holds its locks, stayed with the parent.
        return
    if (work.live is not None and work.live.is_current()) or sys.is_finalizing():
        return  # a forgotten iterator, collected where or when waiting would never end
    if not await_end(work):
        logger.warning("%r still cleans up after %g s; left alone", work, CLEAN_UP_S)
    elif not work.cancelled() and (error := work.exception()) is not None:
        logger.warning("%r failed while it was cancelled", work, exc_info=error)


def await_end(work: Future[Any]) -> bool:
    """Wait for the end of cancelled work, in steps that let a second Ctrl-C in everywhere."""
    deadline = time.monotonic() + CLEAN_UP_S
    while not work.done() and time.monotonic() < deadline:
        wait([work], timeout=STEP_S)
    return work.done()


async def cancel_others() -> None:
    """Cancel every other task of this loop and wait for them, then for unfinished generators."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            if not task.cancelling():
                task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
