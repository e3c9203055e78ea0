"""Runs tasks: as many at a time as there are workers, first come, first served within a key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from zhiyipdf.server.conversion import Progress, TaskFailure, failure_of
from zhiyipdf.server.pulse import Pulse
from zhiyipdf.server.task_table import TaskTable
from zhiyipdf.server.tasks import Task

__all__ = ["CarryOut", "TaskQueue"]

logger = logging.getLogger(__name__)

CarryOut = Callable[[Task, Callable[[Progress], None]], Awaitable[None]]


class TaskQueue:
    """Starts what is due whenever a task arrives or ends.

    All state that matters is in the task table; the queue itself only knows what is running now and
    how far it is, so nothing is lost with it.

    Args:
        tasks: The durable record.
        carry_out: Converts one task, or raises :class:`TaskFailure`.
        slots: Tasks running at the same time.

    Attributes:
        ends: Beats when a task has ended.
    """

    def __init__(self, tasks: TaskTable, carry_out: CarryOut, *, slots: int) -> None:
        self._tasks = tasks
        self._carry_out = carry_out
        self._slots = slots
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._served: dict[int, int] = {}
        self._turn = 0
        self._wake = asyncio.Event()
        self.ends = Pulse()
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._loop_task = asyncio.create_task(self._run(), name="zhiyipdf-queue")
        self.wake()

    def wake(self) -> None:
        """A task has arrived."""
        self._wake.set()

    def progress(self, task_id: str) -> Progress:
        """How far a task in process is; nothing done if it waits for a worker."""
        return self._progress.get(task_id, Progress())

    async def stop(self) -> None:
        """End without ending the tasks: they go on when a server starts again."""
        pending = [*self._running.values()]
        if self._loop_task is not None:
            pending.append(self._loop_task)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        self._running.clear()
        self._loop_task = None

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while len(self._running) < self._slots and await self._start_one():
                    pass
            except Exception:
                # The database may be locked or full for a while; the queue must outlive that.
                logger.exception("no task could be started")
                await asyncio.sleep(1)
                continue
            await self._wake.wait()

    async def _start_one(self) -> bool:
        task = await asyncio.to_thread(
            self._tasks.next_for_worker, tuple(self._running), dict(self._served)
        )
        if task is None:
            return False
        self._turn += 1
        self._served[task.account_id] = self._turn
        self._running[task.id] = asyncio.create_task(self._see_through(task))
        return True

    async def _see_through(self, task: Task) -> None:
        def report(progress: Progress) -> None:
            self._progress[task.id] = progress

        try:
            failure = await self._attempt(task, report)
            await self._record(lambda: self._end(task, failure))
        finally:
            self._running.pop(task.id, None)
            self._progress.pop(task.id, None)
            self._wake.set()
            self.ends.beat()

    async def _attempt(self, task: Task, report: Callable[[Progress], None]) -> TaskFailure | None:
        try:
            await self._carry_out(task, report)
        except TaskFailure as failure:
            return failure
        except Exception as error:
            logger.exception("task %s failed", task.id)
            return failure_of(error)
        return None

    def _end(self, task: Task, failure: TaskFailure | None) -> None:
        if failure is None:
            self._tasks.complete(task.id)
        else:
            self._tasks.fail(task.id, code=failure.code, message=failure.message)

    async def _record(self, write: Callable[[], None]) -> None:
        # Until this is written the task counts as running, so it is tried until it works.
        while True:
            try:
                await asyncio.to_thread(write)
            except Exception:
                logger.exception("the end of a task could not be recorded")
                await asyncio.sleep(1)
            else:
                return
