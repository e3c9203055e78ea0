"""Worker threads that nobody waits for when the process ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

__all__ = ["DaemonThreads"]

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS = 32
"""The standard library's upper bound. Its own choice, CPUs + 4, is meant for computing; ours wait
for disks and networks."""


class DaemonThreads(ThreadPoolExecutor):
    """An event loop's executor on daemon threads: ``asyncio.to_thread``, and every DNS look-up.

    The standard one joins its threads at interpreter exit, and one name server that does not
    answer would keep the process from ending. It is a subclass only because event loops take
    nothing else; the pool itself is not used.

    Args:
        name: Prefix of the threads' names.
        limit: Most threads at once; they start when needed and stay.
    """

    def __init__(self, name: str, *, limit: int = MAX_THREADS) -> None:
        super().__init__(max_workers=limit, thread_name_prefix=name)
        self._name = name
        self._limit = limit
        self._guard = threading.Lock()
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], None]] | None] = SimpleQueue()
        self._spare = threading.Semaphore(0)
        self._crew: list[threading.Thread] = []
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call.

        Raises:
            RuntimeError: After :meth:`shutdown`.
        """
        future: Future[T] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    result = fn(*args, **kwargs)
                except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
                    future.set_exception(error)
                else:
                    future.set_result(result)

        with self._guard:
            if self._over:
                raise RuntimeError("these threads have been told to end")
            self._jobs.put((future, job))
            if not self._spare.acquire(blocking=False) and len(self._crew) < self._limit:
                thread = threading.Thread(
                    target=self._work, name=f"{self._name}-{len(self._crew)}", daemon=True
                )
                self._crew.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's own signature
        """Take no more calls; the threads end after those queued, or at once with none of them."""
        with self._guard:
            self._over = True
            while cancel_futures and not self._jobs.empty():
                if (queued := self._jobs.get()) is not None:
                    queued[0].cancel()
            for _ in self._crew:
                self._jobs.put(None)
        if wait:
            for thread in self._crew:
                thread.join()

    def _work(self) -> None:
        while (queued := self._jobs.get()) is not None:
            queued[1]()
            del queued  # do not keep the last call's arguments while waiting for the next
            self._spare.release()
