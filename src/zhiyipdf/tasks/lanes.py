"""Slots of API keys: how many tasks each has in flight, and which may take the next."""

from __future__ import annotations

import asyncio
import copy
import math
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from zhiyipdf.clock import Clock
from zhiyipdf.errors import AuthenticationError, InsufficientPoints, ZhiyiPDFError
from zhiyipdf.models import Secret
from zhiyipdf.policy import Limits
from zhiyipdf.tasks.pacing import RunningTimes, in_flight_per_key, uploads_per_key

__all__ = ["KeyLanes"]

# So often for each key a short PDF lets longer ones pass that came after it; then it is next.
# Without a bound one page would wait for ever beside an endless supply of books.
PATIENCE = 100

# An account that was too poor is tried again after so many seconds.
DRY_S = 60.0


@dataclass(slots=True)
class _Lane:
    """One key.

    Attributes:
        key: The key.
        in_flight: Slots that are taken.
        retired: Why it gets no new work.
        dry: Why it gets no work that costs ``dry_from`` points or more.
        dry_from: What is known to be too much for its account.
        dry_until: When that is asked for anew: the account may be topped up.
        uploading: Uploads that run.
        uploads: Those that wait to run, first come first served.
        refused: Those the service asked to wait (429) until one of our tasks ends.
    """

    key: Secret
    in_flight: int = 0
    retired: ZhiyiPDFError | None = None
    dry: InsufficientPoints | None = None
    dry_from: float = math.inf
    dry_until: float = 0.0
    uploading: int = 0
    uploads: deque[asyncio.Future[None]] = field(default_factory=deque)
    refused: deque[asyncio.Future[None]] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class _Waiter:
    """Somebody who wants a slot.

    Attributes:
        key: Of this key only; None if any will do.
        priority: More is sooner.
        cost: Points that an upload takes.
        number: Order of arrival.
        lane: Set when the slot is given.
        patience: Slots that may be given meanwhile to others who came later.
    """

    key: Secret | None
    priority: int
    cost: int
    number: int
    lane: asyncio.Future[_Lane]
    patience: int

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """Least first: what is paid already, then who lost patience, then the longest."""
        return (self.key is None, self.patience > 0, -self.priority, self.number)


class KeyLanes:
    """Hands out slots of several keys: the least busy key first, the longest PDF first.

    How many slots a key has, and how many uploads run at the same moment, follows the times that
    this session's uploads and tasks took. It belongs to one event loop.

    Args:
        keys: At least one.
        limits: Bounds of both numbers.
        clock: Time.
    """

    def __init__(self, keys: Sequence[Secret], limits: Limits, clock: Clock) -> None:
        self._lanes = [_Lane(key) for key in keys]
        self._limits = limits
        self._clock = clock
        self._times = RunningTimes()
        self._waiters: list[_Waiter] = []
        self._arrived = 0

    @property
    def slots_per_key(self) -> int:
        """Tasks of a key that may be in flight together, as of now."""
        return in_flight_per_key(self._limits, self._times.uploads_per_parse)

    @property
    def uploads_per_key(self) -> int:
        """Uploads of a key that may run together, as of now."""
        return uploads_per_key(self._limits, self._times.uploads_per_parse)

    @property
    def width(self) -> int:
        """Tasks of all keys that may be in flight together, as of now."""
        return len(self._lanes) * self.slots_per_key

    def key(self, fingerprint: str) -> Secret | None:
        """The key with this fingerprint, if it is one of ours."""
        return next((la.key for la in self._lanes if la.key.fingerprint == fingerprint), None)

    async def retire(self, key: Secret, error: ZhiyiPDFError) -> bool:
        """Give no more slots of a key that the service refuses; those who wait move to the others.

        Returns:
            Whether another key can take over.
        """
        self._lane(key).retired = error
        self._hand_out()
        return any(lane.retired is None for lane in self._lanes)

    async def run_dry(self, key: Secret, error: InsufficientPoints, *, cost: int) -> bool:
        """Give a key no more work that its account cannot pay; cheaper work may still fit.

        Args:
            key: Which.
            error: What the service said; its ``available`` counts where it is known.
            cost: Points of the work that was refused.

        Returns:
            Whether another key can take over.
        """
        lane = self._lane(key)
        too_much = cost if error.available is None else min(cost, error.available + 1)
        stale = self._clock.monotonic() > lane.dry_until
        lane.dry, lane.dry_from = error, too_much if stale else min(lane.dry_from, too_much)
        lane.dry_until = self._clock.monotonic() + DRY_S
        self._hand_out()
        return any(self._can_pay(lane, cost) for lane in self._lanes)

    def note_parse(self, seconds: float) -> None:
        """Tell how long the service worked on a task of ours."""
        self._times.parses.append(seconds)
        self._hand_out()

    # -- slots -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def slot(
        self, key: Secret | None = None, *, priority: int = 0, cost: int = 0
    ) -> AsyncIterator[Secret]:
        """Wait for a slot and hold it.

        Args:
            key: Only of this key, retired or not: a task is asked for with the key that paid.
            priority: Pages: among those who wait, the longest starts first, which ends all of them
                sooner (transport study, section 3: 30 PDFs in 3.1 % instead of 9.6 % above the
                bound).
            cost: Points that the upload takes.

        Raises:
            ZhiyiPDFError: No key can take it; the last reason.
        """
        self._arrived += 1
        given: asyncio.Future[_Lane] = asyncio.get_running_loop().create_future()
        patience = PATIENCE * len(self._lanes)
        waiter = _Waiter(key, priority, cost, self._arrived, given, patience)
        self._waiters.append(waiter)
        self._hand_out()
        try:
            lane = await given
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif _has_result(given):
                self._release(given.result())  # given in the very moment of the cancellation
            raise
        try:
            yield lane.key
        finally:
            self._release(lane)

    def _release(self, lane: _Lane) -> None:
        lane.in_flight -= 1
        _wake_one(lane.refused)
        self._hand_out()

    def _hand_out(self) -> None:
        """Give free slots to those who wait, until one of both runs out."""
        found = True
        while found:
            found = False
            for waiter in sorted(self._waiters, key=lambda waiter: waiter.rank):
                found = self._serve(waiter)
                if found:
                    break

    def _serve(self, waiter: _Waiter) -> bool:
        """Give a waiter a slot, or the reason why there will be none; False if it waits on."""
        if waiter.lane.done():  # cancelled, and not yet awake to leave by itself
            self._waiters.remove(waiter)
            return True
        if waiter.key is None and not any(self._can_pay(lane, waiter.cost) for lane in self._lanes):
            self._waiters.remove(waiter)
            waiter.lane.set_exception(self._reason(waiter.cost))
            return True
        lane = self._free(waiter.key, waiter.cost)
        if lane is None:
            return False
        self._waiters.remove(waiter)
        lane.in_flight += 1
        waiter.lane.set_result(lane)
        for other in self._waiters:
            if other.number < waiter.number:
                other.patience -= 1
        return True

    def _free(self, key: Secret | None, cost: int) -> _Lane | None:
        lanes = [lane for lane in self._lanes if lane.in_flight < self.slots_per_key]
        if key is not None:
            return next((lane for lane in lanes if lane.key == key), None)
        # Where the service has just refused an upload, another would fare no better.
        fit = [lane for lane in lanes if self._can_pay(lane, cost) and not lane.refused]
        return min(fit, key=lambda lane: lane.in_flight, default=None)

    async def freed(self, key: Secret, timeout_s: float) -> bool:
        """Wait until one of our tasks of a key ends, after the service refused one more (429).

        Meanwhile no other new work gets a slot of the key; the caller keeps its own.

        Args:
            key: Which.
            timeout_s: Longest wait, in seconds of the clock.

        Returns:
            Whether a task ended; False if the time passed.
        """
        lane = self._lane(key)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.refused.append(ended)
        timer = asyncio.ensure_future(self._clock.sleep(timeout_s))
        try:
            await asyncio.wait({ended, timer}, return_when=asyncio.FIRST_COMPLETED)
            return ended.done()
        except asyncio.CancelledError:
            if ended.done():
                _wake_one(lane.refused)  # let it be somebody else's luck
            raise
        finally:
            timer.cancel()
            if ended in lane.refused:
                lane.refused.remove(ended)
            self._hand_out()
            await asyncio.wait({timer})

    # -- uploads -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def uploading(self, key: Secret) -> AsyncIterator[None]:
        """Wait until another upload of a key may run, and time it."""
        lane = self._lane(key)
        if lane.uploads or lane.uploading >= self.uploads_per_key:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            lane.uploads.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in lane.uploads:
                    lane.uploads.remove(turn)
                if _has_result(turn):
                    self._upload_ended(lane)
                raise
        else:
            lane.uploading += 1
        try:
            start = self._clock.monotonic()
            yield
            # Not for those that failed: a refusal comes quickly.
            self._times.uploads.append(self._clock.monotonic() - start)
        finally:
            self._upload_ended(lane)

    def _upload_ended(self, lane: _Lane) -> None:
        lane.uploading -= 1
        while lane.uploading < self.uploads_per_key and _wake_one(lane.uploads):
            lane.uploading += 1  # the turn is taken over before its owner wakes

    # -- small pieces ------------------------------------------------------------------------------

    def _lane(self, key: Secret) -> _Lane:
        return next(lane for lane in self._lanes if lane.key == key)

    def _can_pay(self, lane: _Lane, cost: int) -> bool:
        if lane.retired is not None:
            return False
        return cost < lane.dry_from or self._clock.monotonic() > lane.dry_until

    def _reason(self, cost: int) -> ZhiyiPDFError:
        """Why no key takes work of this cost; every source gets an error of its own."""
        reasons = [reason for lane in self._lanes if (reason := lane.retired or lane.dry)]
        if not reasons:
            return AuthenticationError("there is no API key")
        reason = copy.copy(reasons[-1])
        reason.source = None
        if isinstance(reason, InsufficientPoints):
            reason.required = cost
        return reason


def _has_result(future: asyncio.Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _wake_one(waiting: deque[asyncio.Future[None]]) -> bool:
    """Wake the first that still waits; False if there is none."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return True
    return False
