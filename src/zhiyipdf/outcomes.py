"""Many conversions at once: a bounded window of tasks, handed out as they finish or in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self

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
        self._convert: Callable[[SourceRef], Awaitable[Outcome]]
        self._window: Callable[[], int]
        self._feeder: asyncio.Task[None] | None = None
        self._tasks: deque[asyncio.Future[Outcome]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
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
            if self._feeder is None:
                self._convert, self._window = await self._opening(self._stack)
                self._feeder = asyncio.create_task(self._feed())
            while (finished := self._finished()) is None:
                if not self._tasks and self._feeder.done():
                    self._feeder.result()  # what stopped it, if it did not come to the end
                    break
                await self._wait(self._feeder)
        except BaseException:
            await self.aclose()
            raise
        if finished is None:
            await self.aclose()
            return None
        self._tasks.remove(finished)
        self._room.set()
        return finished.result()

    async def aclose(self) -> None:
        """Cancel what still runs, wait for its clean-up, and let go of everything."""
        if self._closed:
            return
        self._closed = True
        running: list[asyncio.Future[Any]] = list(self._tasks)
        if self._feeder is not None:
            running.append(self._feeder)
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
        self._tasks.clear()
        await self._stack.aclose()

    async def _feed(self) -> None:
        """Start conversions as sources are found, while there is room in the window."""
        try:
            while (ref := await in_thread(partial(next, self._refs, None))) is not None:
                self._tasks.append(self._started(ref))
                self._news.set()
                while len(self._tasks) >= self._window():
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._news.set()

    def _started(self, ref: SourceRef | Outcome) -> asyncio.Future[Outcome]:
        if isinstance(ref, Outcome):
            done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            done.set_result(ref)
            return done
        return asyncio.ensure_future(self._convert(ref))

    def _finished(self) -> asyncio.Future[Outcome] | None:
        """The one to hand out next, if it is done."""
        return next((task for task in self._candidates() if task.done()), None)

    def _candidates(self) -> list[asyncio.Future[Outcome]]:
        return list(self._tasks)[:1] if self._ordered else list(self._tasks)

    async def _wait(self, feeder: asyncio.Task[None]) -> None:
        """Sleep until a conversion ends or another one begins."""
        self._news.clear()
        if feeder.done() and not self._tasks:
            return
        news = asyncio.ensure_future(self._news.wait())
        awaited: list[asyncio.Future[Any]] = [news, *self._candidates()]
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
