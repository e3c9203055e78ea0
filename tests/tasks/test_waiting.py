from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from support.scripted_provider import ScriptedProvider
from support.virtual_time import VirtualTime
from zhiyipdf.errors import (
    AuthenticationError,
    ConversionTimeout,
    RateLimited,
    ResultExpired,
    ServiceUnavailable,
    TaskFailed,
    ZhiyiPDFError,
)
from zhiyipdf.models import Secret, TaskRef, TaskStatus
from zhiyipdf.policy import Polling
from zhiyipdf.tasks.poller import Poller
from zhiyipdf.tasks.waiting import wait_for_task

KEY = Secret("sk-one")
TASK = TaskRef(provider="scripted", id="t1", key_fingerprint=KEY.fingerprint)
WAITING = TaskStatus(state="waiting", ahead=3)
PROCESSING = TaskStatus(state="processing")
DOWN = ServiceUnavailable("down")


class Wait:
    """One wait for one task, and what it reported."""

    def __init__(self, polling: Polling | None = None) -> None:
        self.time = VirtualTime()
        self.provider = ScriptedProvider(self.time)
        self.polling = polling or Polling()
        self.steps: list[tuple[object, ...]] = []
        self.ends: list[ZhiyiPDFError] = []
        self.parses: list[float] = []

    async def _on_end(self, error: ZhiyiPDFError) -> None:
        self.ends.append(error)

    async def result(self) -> TaskStatus:
        clock = self.time.clock()
        waiting = asyncio.ensure_future(
            wait_for_task(
                self.provider,
                TASK,
                Poller(self.provider, KEY, polling=self.polling, clock=clock),
                pages=10,
                polling=self.polling,
                clock=clock,
                tell=lambda *step: self.steps.append(step[:3]),
                on_end=self._on_end,
                on_parsed=self.parses.append,
            )
        )
        await self.time.run(waiting.done)
        return waiting.result()


@pytest.fixture
def wait() -> Wait:
    wait = Wait()
    wait.provider.accept("t1", KEY, seconds=0.0)
    return wait


async def test_steps_are_told_and_the_time_in_process_is_measured(wait: Wait) -> None:
    wait.provider.answers = [WAITING, WAITING, PROCESSING, PROCESSING]
    assert (await wait.result()).state == "completed"
    assert [step[0] for step in wait.steps] == ["wait", "wait", "convert", "convert"]
    (seconds,) = wait.parses
    assert 2.7 < seconds < 3.3


async def test_an_outage_of_half_a_minute_does_not_end_the_wait(wait: Wait) -> None:
    wait.provider.answers = [DOWN] * 25
    assert (await wait.result()).state == "completed"
    assert wait.time.seconds > 20


@pytest.mark.parametrize(
    ("answer", "least_s"),
    [
        (lambda: ServiceUnavailable("down"), 120.0),
        (lambda: RateLimited("slow"), 60.0),
        (lambda: RateLimited("slow", retry_after_s=50.0), 100.0),
        (lambda: RateLimited("slow", retry_after_s=3600.0), 0.0),
        (lambda: ServiceUnavailable("certificate", retryable=False), 0.0),
        (lambda: AuthenticationError("refused"), 0.0),
    ],
    ids=["503", "429", "429 with a wait", "429 for an hour", "certificate", "401"],
)
async def test_in_the_end_the_error_says_that_the_task_is_paid(
    wait: Wait, answer: Callable[[], ZhiyiPDFError], least_s: float
) -> None:
    wait.provider.answers = [answer() for _ in range(500)]
    with pytest.raises(ZhiyiPDFError) as caught:
        await wait.result()
    assert (caught.value.task_id, caught.value.points_charged) == ("t1", True)
    assert least_s <= wait.time.seconds <= 120.0 + 90.0  # a last rest may have begun before
    assert wait.ends == []  # the task goes on


async def test_only_silence_in_a_row_counts(wait: Wait) -> None:
    wait.provider.answers = ([DOWN] * 25 + [PROCESSING]) * 6
    assert (await wait.result()).state == "completed"
    assert wait.time.seconds > 150


async def test_waiting_and_processing_have_deadlines_of_their_own() -> None:
    polling = Polling(waiting_s=100.0, processing_s=50.0, processing_s_per_page=1.0)
    wait = Wait(polling)
    wait.provider.answers = [WAITING] * 500
    with pytest.raises(ConversionTimeout, match="queue"):
        await wait.result()
    assert 100.0 < wait.time.seconds < 105.0
    wait = Wait(polling)
    wait.provider.answers = [*[WAITING] * 30, *[PROCESSING] * 500]
    with pytest.raises(ConversionTimeout, match="processed after 6") as caught:
        await wait.result()
    assert caught.value.task_id == "t1"


async def test_what_ends_a_task_is_told_before_it_is_raised(wait: Wait) -> None:
    wait.provider.answers = [TaskStatus(state="failed", code="parse_error")]
    with pytest.raises(TaskFailed) as caught:
        await wait.result()
    assert wait.ends == [caught.value]


async def test_a_task_that_is_unknown_for_half_a_minute_has_expired() -> None:
    wait = Wait()
    with pytest.raises(ResultExpired) as caught:
        await wait.result()
    assert wait.ends == [caught.value]
    assert 30.0 <= wait.time.seconds < 33.0
