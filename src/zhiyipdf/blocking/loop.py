"""One event loop on one daemon thread per process, for callers who cannot ``await``.

The asynchronous methods of this package run on the caller's own loop and never come here. Their
synchronous twins come here, from a script, a notebook, a web handler or a worker thread alike:

- a call works inside a running loop, which stands still meanwhile, and is refused on the loop
  thread itself, where it would wait for itself;
- whatever ends the waiting early (Ctrl-C, ``sys.exit`` in a signal handler) cancels the work,
  waits for its clean-up, at most :data:`CLEAN_UP_S`, and only then goes on its way;
- after ``fork`` the child begins with a fresh loop, thread and lock;
- the process ends when it wants to: nothing here is waited for at exit.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Self, TypeVar
from weakref import ref

from zhiyipdf.blocking.daemon_threads import DaemonThreads
from zhiyipdf.blocking.work import CLEAN_UP_S, Caller, Live, Work, await_end, cancel_others, see_off

__all__ = ["CLEAN_UP_S", "LoopThread", "in_loop_thread", "iterate", "run"]

T = TypeVar("T")
Stream = Callable[[], AsyncIterator[T]] | AsyncIterator[T]

BUFFER = 4
"""Items that :func:`iterate` makes ahead of its consumer."""

logger = logging.getLogger(__name__)


class LoopThread:
    """An event loop on a daemon thread of its own, started by the first call.

    Most code wants the process-wide one behind :func:`run` and :func:`iterate`.

    Args:
        name: The thread's name, for debuggers.
    """

    def __init__(self, name: str = "zhiyipdf-loop") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._closed = False
        self._forked: list[Live] = []
        # Hooks cannot be taken back, hence the weak reference: it alone outlives this object.
        weak = ref(self)
        if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
            os.register_at_fork(after_in_child=lambda: _start_afresh(weak()))

    def __enter__(self) -> Self:
        """Do nothing yet; the thread starts with the first call."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close."""
        self.close()

    def in_loop_thread(self) -> bool:
        """Whether the caller is on this loop's thread, where waiting for it would never end."""
        live = self._live
        return live is not None and live.is_current()

    def submit(self, coro: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine and return at once; works on the loop thread too.

        Returns:
            A future whose ``cancel()`` asks the work to stop. It is done when the work has cleaned
            up after itself, not before. Context variables are the caller's, as of now.

        Raises:
            RuntimeError: This loop thread is closed, or the interpreter is shutting down.
        """
        work = Work(coro)
        try:
            self._post(work)
        except BaseException:
            work.cancel()
            raise
        return work

    def run(self, coro: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result.

        Raises:
            RuntimeError: Called on the loop thread, after :meth:`close`, or while the interpreter
                shuts down. The coroutine is closed unrun.
            concurrent.futures.CancelledError: The work was cancelled, not by this caller.
            Exception: Whatever the work raises.
        """
        work = Work(coro)
        done: SimpleQueue[object] = SimpleQueue()
        work.add_done_callback(done.put)
        try:
            self._refuse_here(coro)
            self._post(work)
            Caller().attend(done)
        except BaseException:
            see_off(work)
            raise
        # Only now may the work's own error out: a TimeoutError of the work is not one of the wait.
        try:
            return work.result()
        finally:
            del work  # its error's traceback holds this frame: together they would be a cycle

    def iterate(self, stream: Stream[T], *, buffer: int = BUFFER) -> Generator[T, None, None]:
        """Iterate over an asynchronous stream, driven by one task from first item to last.

        Nothing starts before the first ``next``. Leaving early (``break``, ``close()``, an
        exception) cancels the rest and waits for its clean-up.

        Args:
            stream: An asynchronous iterator, or what makes one on the loop.
            buffer: Items made ahead of the consumer, at least 1.

        Raises:
            ValueError: ``buffer`` is below 1.
            RuntimeError: As for :meth:`run`, at the first ``next``; or the iteration was carried
                over a fork.
        """
        if buffer < 1:
            raise ValueError(f"buffer must be at least 1, not {buffer}")
        return self._drain(stream, buffer)

    def close(self) -> None:
        """Cancel what runs, wait for its clean-up, stop the thread; a second call does nothing.

        Raises:
            RuntimeError: Called on the loop thread.
        """
        if self.in_loop_thread():
            raise RuntimeError(f"{self._name} cannot close itself")
        with self._lock:
            self._closed = True
            live, self._live = self._live, None
            if live is None or live.ended:
                return
            farewell = Work(cancel_others())
            live.start(farewell)
        if not await_end(farewell):
            logger.warning("%s: work ignores its cancellation; left alone", self._name)
        live.loop.call_soon_threadsafe(live.loop.stop)
        live.thread.join(CLEAN_UP_S)

    def _drain(self, stream: Stream[T], buffer: int) -> Generator[T, None, None]:
        ready: SimpleQueue[tuple[T] | None] = SimpleQueue()
        slots = asyncio.Semaphore(buffer)
        work = Work(_pump(stream, slots, lambda item: ready.put((item,))))
        work.add_done_callback(lambda _: ready.put(None))
        caller = Caller()
        try:
            self._refuse_here(stream)
            self._post(work)
            while (item := caller.attend(ready)) is not None:
                work.call(slots.release)
                yield item[0]
                self._refuse_here(stream)
                if work.pid != os.getpid():
                    raise RuntimeError("an iteration does not survive a fork; start it again here")
            work.result()
        finally:
            see_off(work)

    def _refuse_here(self, twin: object) -> None:
        if self.in_loop_thread():
            name = getattr(twin, "__qualname__", None) or type(twin).__qualname__
            raise RuntimeError(
                "a blocking call on the event loop that has to do its work would never end; "
                f"use the asynchronous {name} here (await it, or async for)"
            )

    def _post(self, work: Work[Any]) -> None:
        if sys.is_finalizing():
            # Daemon threads no longer run: waiting for one would hang the exit.
            raise RuntimeError("the interpreter is shutting down")
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self._name} is closed")
            if self._live is None or self._live.ended:
                self._live = self._launch()
            self._live.start(work)

    def _launch(self) -> Live:
        loop = asyncio.new_event_loop()
        loop.set_default_executor(DaemonThreads(f"{self._name}-worker"))
        live = Live(loop)
        live.thread = threading.Thread(target=live.serve, name=self._name, daemon=True)
        live.thread.start()
        return live


def _start_afresh(owner: LoopThread | None) -> None:
    """Forget, in a forked child, what only the parent has: the thread, and who holds the lock."""
    if owner is None:
        return
    # ruff's SLF001 is about other people's attributes; this is the class's own other half.
    owner._lock = threading.Lock()  # noqa: SLF001
    if owner._live is not None:  # noqa: SLF001
        # Kept, not closed: closing would take the parent's sockets out of the epoll both share.
        owner._forked.append(owner._live)  # noqa: SLF001
        owner._live = None  # noqa: SLF001


async def _pump(stream: Stream[T], slots: asyncio.Semaphore, put: Callable[[T], None]) -> None:
    """Carry every item across, never more ahead than there are slots."""
    iterator = aiter(stream() if callable(stream) else stream)
    try:
        while True:
            try:
                await slots.acquire()
            except asyncio.CancelledError as cancelled:
                # The stream stands at its `yield`: that is where a cancellation belongs. A
                # TaskGroup held open there, cancelling us for a failed child, raises its group.
                if (throw := getattr(iterator, "athrow", None)) is not None:
                    await throw(cancelled)
                raise
            try:
                item = await anext(iterator)
            except StopAsyncIteration:
                return
            put(item)
    finally:
        if (close := getattr(iterator, "aclose", None)) is not None:
            await close()


# The package's one global. It belongs to the process as its threads do: clients and connections
# that live on this loop are shared by every synchronous call, and a second loop could not use them.
_process_loop = LoopThread()


def run(coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the process-wide loop; see :meth:`LoopThread.run`."""
    return _process_loop.run(coro)


def iterate(stream: Stream[T], *, buffer: int = BUFFER) -> Generator[T, None, None]:
    """Iterate over a stream on the process-wide loop; see :meth:`LoopThread.iterate`."""
    return _process_loop.iterate(stream, buffer=buffer)


def in_loop_thread() -> bool:
    """Whether the caller is on the process-wide loop's thread."""
    return _process_loop.in_loop_thread()
