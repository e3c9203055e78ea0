"""Many conversions at once: a bounded window of tasks, handed out as they finish or in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

from zhiyipdf.models import Outcome
from zhiyipdf.sources import SourceRef
from zhiyipdf.threads import in_thread

__all__ = ["OutcomeStream"]

Opening = Callable[
    [AsyncExitStack],
    Awaitable[tuple[Callable[[SourceRef], Awaitable[Outcome]], Callable[[], int]]],
]


class OutcomeStream(AsyncIterator[Outcome]):
    """An asynchronous iterator that works ahead of its consumer, but only so far.

    It is an object and not a generator because it owns tasks: a generator that is left early is
    cleaned up whenever the garbage collector comes by (PEP 789). Use ``async with`` or
    ``contextlib.aclosing`` to leave early; reading it to its end closes it too.

    Args:
        refs: Sources, or errors that took their place; pulled in a worker thread, lazily.
        opening: Opens what conversions need into the exit stack it is given, and returns the
            function that converts one source and one that says how many may be begun and not
            yet handed out, as of now.
        ordered: Hand out in the order of ``refs`` instead of as they finish.
    """

    def __init__(
        self, refs: Iterator[SourceRef | Outcome], opening: Opening, *, ordered: bool
    ) -> None:
        self._refs = refs
        self._opening = opening
        self._ordered = ordered
        self._stack = AsyncExitStack()
        self._convert: Callable[[SourceRef], Awaitable[Outcome]] | None = None
        self._window: Callable[[], int] = lambda: 1
        self._tasks: deque[asyncio.Future[Outcome]] = deque()
        self._exhausted = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def __anext__(self) -> Outcome:
        outcome = None if self._closed else await self._next()
        if outcome is None:
            raise StopAsyncIteration
        return outcome

    async def _next(self) -> Outcome | None:
        try:
            await self._fill()
            if self._tasks:
                return await self._take()
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        return None

    async def aclose(self) -> None:
        """Cancel what still runs, wait for its clean-up, and let go of everything."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._stack.aclose()

    async def _fill(self) -> None:
        if self._convert is None:
            self._convert, self._window = await self._opening(self._stack)
        while not self._exhausted and len(self._tasks) < self._window():
            ref = await in_thread(partial(next, self._refs, None))
            if ref is None:
                self._exhausted = True
            elif isinstance(ref, Outcome):
                done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
                done.set_result(ref)
                self._tasks.append(done)
            else:
                self._tasks.append(asyncio.ensure_future(self._convert(ref)))

    async def _take(self) -> Outcome:
        if self._ordered:
            outcome = await asyncio.shield(self._tasks[0])
            self._tasks.popleft()
            return outcome
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(task for task in self._tasks if task in done)
        self._tasks.remove(first)
        return first.result()
