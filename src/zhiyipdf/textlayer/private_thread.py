"""Run calls one after another on a private thread: for C libraries that are not thread-safe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["PrivateThread"]

T = TypeVar("T")


class PrivateThread:
    """Runs calls one after another on a thread of its own; meant to live as long as the process.

    A fork waits for the running call, so that the child never inherits a library in the middle of
    a change, and gives the child a new thread: the old one does not exist there. At exit the
    interpreter joins the thread before it runs any exit hook, so no call meets a library that has
    been taken down.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._busy = threading.Lock()
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._busy.acquire,
                after_in_parent=self._busy.release,
                after_in_child=self._after_fork,
            )

    def run(self, call: Callable[[], T]) -> T:
        """Wait for the thread's turn and return what ``call`` returns, or raise what it raises.

        A caller that is interrupted leaves: a call that waits is then dropped, one that runs goes
        on to its end. ``call`` must not call ``run`` itself.
        """
        if self._pid != os.getpid():  # forked from C, where no hook runs
            self._renew()
        future = self._executor.submit(self._alone, call)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)

    def _after_fork(self) -> None:
        self._busy.release()
        self._renew()

    def _alone(self, call: Callable[[], T]) -> T:
        with self._busy:
            return call()
