"""The retry loop as a table: outcomes go in, pauses, tokens and the end come out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx
import pytest

from support.virtual_time import VirtualTime
from zhiyipdf.errors import AuthenticationError, RateLimited, ServiceUnavailable
from zhiyipdf.models import Secret
from zhiyipdf.policy import Retry, RetryBudget
from zhiyipdf.transport import Refusals, Reply
from zhiyipdf.transport.repeating import Call, RetryLoop

KEY, OTHER = Secret("sk-one"), Secret("sk-two")
Outcome = int | Exception | Reply
RESET = httpx.ReadError("reset")


def asks(seconds: float, status: int = 503) -> Reply:
    return Reply(status=status, headers={"retry-after": str(seconds)})


class Script:
    """Attempts that come out as a test says; it notes when each was made."""

    def __init__(self, time: VirtualTime, outcomes: Sequence[Outcome], seconds: float = 0.0):
        self.time = time
        self.outcomes = list(outcomes)
        self.seconds = seconds
        self.moments: list[float] = []

    async def __call__(self) -> Reply:
        self.moments.append(self.time.seconds)
        if self.seconds:
            await self.time.sleep(self.seconds)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Reply) else Reply(status=outcome)


@pytest.fixture
def time() -> VirtualTime:
    time = VirtualTime()
    time.random.random = lambda: 1.0  # type: ignore[method-assign]  # the longest pauses
    return time


@pytest.fixture
def loop(time: VirtualTime) -> RetryLoop:
    return RetryLoop(Retry(), clock=time.clock(), host="h", refusals=Refusals())


def call(key: Secret = KEY, *, total_s: float = 180.0, is_control: bool = True) -> Call:
    return Call(
        key=key,
        what="status",
        is_final=lambda reply: reply.body == b"final",
        total_s=total_s,
        is_control=is_control,
    )


async def outcome(
    time: VirtualTime, loop: RetryLoop, script: Callable[[], object], which: Call
) -> object:
    running = asyncio.ensure_future(loop.run(script, which))  # type: ignore[arg-type]  # a Script
    await time.run(running.done)
    return running.exception() or running.result().status


@pytest.mark.parametrize(
    ("outcomes", "moments", "tokens", "end"),
    [
        ([200], [0.0], 50, 200),
        ([404], [0.0], 50, 404),
        ([503, 200], [0.0, 0.5], 46, 200),
        ([RESET, 502, 200], [0.0, 0.5, 1.5], 41, 200),
        ([503], [0.0, 0.5, 1.5, 3.5, 7.5], 30, ServiceUnavailable),
        ([429], [0.0, 0.5, 1.5, 3.5, 7.5], 30, RateLimited),
        ([asks(2), 200], [0.0, 2.0], 46, 200),
        ([asks(30, 429), asks(1), 200], [0.0, 30.0, 31.0], 41, 200),
        ([asks(121)], [0.0], 50, ServiceUnavailable),
        ([asks(100), asks(100), 200], [0.0, 100.0], 45, ServiceUnavailable),
        ([Reply(status=500, body=b"final")], [0.0], 50, 500),
        ([httpx.ProxyError("407 needed")], [0.0], 50, ServiceUnavailable),
    ],
    ids=str,
)
async def test_the_table_of_outcomes(
    time: VirtualTime,
    loop: RetryLoop,
    outcomes: list[Outcome],
    moments: list[float],
    tokens: int,
    end: object,
) -> None:
    script = Script(time, outcomes)
    result = await outcome(time, loop, script, call())
    assert script.moments == moments
    assert loop._state(KEY).bucket.tokens == tokens
    assert type(result) is end if isinstance(end, type) else result == end


async def test_when_the_keys_budget_is_spent_the_failure_is_raised_at_once(
    time: VirtualTime,
) -> None:
    retry = Retry(budget=RetryBudget(tokens=12))
    loop = RetryLoop(retry, clock=time.clock(), host="h", refusals=Refusals())
    first = Script(time, [httpx.ReadError("the original one")])
    error = await outcome(time, loop, first, call(is_control=False))
    assert len(first.moments) == 3
    assert isinstance(error, ServiceUnavailable)
    assert str(error.__cause__) == "the original one"
    second = Script(time, [503])
    await outcome(time, loop, second, call(is_control=False))
    assert len(second.moments) == 1
    other = Script(time, [503, 200])
    assert await outcome(time, loop, other, call(OTHER)) == 200


async def test_the_deadline_counts_all_attempts_and_is_not_slept_past(
    time: VirtualTime, loop: RetryLoop
) -> None:
    script = Script(time, [503], seconds=2.0)
    error = await outcome(time, loop, script, call(total_s=6.0))
    assert isinstance(error, ServiceUnavailable)
    # The third attempt ends at 7.5 by itself; a fourth would begin after the deadline.
    assert script.moments == [0.0, 2.5, 5.5]
    assert time.seconds <= 7.5


async def test_while_the_circuit_is_open_calls_wait_and_one_of_them_probes(
    time: VirtualTime, loop: RetryLoop
) -> None:
    await outcome(time, loop, Script(time, [503]), call())
    start = time.seconds
    script = Script(time, [200], seconds=3.0)
    calls = [asyncio.ensure_future(loop.run(script, call())) for _ in range(6)]
    await time.run(lambda: all(done.done() for done in calls))
    assert script.moments == [start + 10.0] + [start + 13.0] * 5


async def test_a_probe_that_fails_opens_the_circuit_again(
    time: VirtualTime, loop: RetryLoop
) -> None:
    await outcome(time, loop, Script(time, [503]), call())
    start = time.seconds
    script = Script(time, [RESET, RESET, 200])
    calls = [asyncio.ensure_future(loop.run(script, call())) for _ in range(3)]
    await time.run(lambda: all(done.done() for done in calls))
    probes = [moment - start for moment in script.moments]
    assert probes[:3] == [10.0, 20.0, 30.0]
    assert len(probes) == 5


async def test_a_cancelled_probe_does_not_leave_the_others_waiting(
    time: VirtualTime, loop: RetryLoop
) -> None:
    await outcome(time, loop, Script(time, [503]), call())
    stuck = Script(time, [200], seconds=1000.0)
    probe = asyncio.ensure_future(loop.run(stuck, call()))
    await time.pass_by(10.5)
    assert len(stuck.moments) == 1
    other = asyncio.ensure_future(loop.run(Script(time, [200]), call()))
    await time.settle()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    await time.settle()
    assert (await other).status == 200


async def test_a_call_does_not_wait_for_the_circuit_past_its_deadline(
    time: VirtualTime, loop: RetryLoop
) -> None:
    await outcome(time, loop, Script(time, [503]), call())
    before = time.seconds
    script = Script(time, [200])
    error = await outcome(time, loop, script, call(total_s=9.0))
    assert isinstance(error, ServiceUnavailable)
    assert (script.moments, time.seconds) == ([], before)


async def test_downloads_neither_open_the_circuit_nor_wait_for_it(
    time: VirtualTime, loop: RetryLoop
) -> None:
    for _ in range(2):
        await outcome(time, loop, Script(time, [RESET]), call(is_control=False))
    script = Script(time, [200])
    before = time.seconds
    await outcome(time, loop, script, call())
    assert script.moments == [before]
    await outcome(time, loop, Script(time, [503]), call(OTHER))
    before = time.seconds
    script = Script(time, [200])
    await outcome(time, loop, script, call(OTHER, is_control=False))
    assert script.moments == [before]


async def test_other_keys_are_not_held_up(time: VirtualTime, loop: RetryLoop) -> None:
    await outcome(time, loop, Script(time, [503]), call())
    before, script = time.seconds, Script(time, [200])
    await outcome(time, loop, script, call(OTHER))
    assert script.moments == [before]


async def test_a_key_that_was_refused_is_not_sent_again(time: VirtualTime, loop: RetryLoop) -> None:
    script = Script(time, [401])
    assert await outcome(time, loop, script, call()) == 401
    for is_control in (True, False):
        error = await outcome(time, loop, script, call(is_control=is_control))
        assert isinstance(error, AuthenticationError)
    assert len(script.moments) == 1
    assert await outcome(time, loop, Script(time, [200]), call(OTHER)) == 200
