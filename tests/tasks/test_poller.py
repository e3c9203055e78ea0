from __future__ import annotations

import asyncio
import math
from itertools import pairwise

import pytest

from support.scripted_provider import ScriptedProvider
from support.virtual_time import VirtualTime
from zhiyipdf.errors import RateLimited, ResultExpired
from zhiyipdf.models import Secret
from zhiyipdf.policy import Polling
from zhiyipdf.tasks.poller import Poller, Pollers

KEY, OTHER = Secret("sk-one"), Secret("sk-two")


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def provider(time: VirtualTime) -> ScriptedProvider:
    return ScriptedProvider(time)


@pytest.fixture
def poller(time: VirtualTime, provider: ScriptedProvider) -> Poller:
    return Poller(provider, KEY, polling=Polling(), clock=time.clock())


def ask(poller: Poller, task_id: str, pause_s: float) -> asyncio.Future[object]:
    return asyncio.ensure_future(poller.status(task_id, pause_s=pause_s))


async def all_done(time: VirtualTime, *asking: asyncio.Future[object]) -> None:
    await time.run(lambda: all(one.done() for one in asking))


async def test_a_poll_waits_for_its_pause_and_no_longer(
    time: VirtualTime, provider: ScriptedProvider, poller: Poller
) -> None:
    provider.accept("a", KEY, seconds=0.0)
    asking = ask(poller, "a", 2.0)
    await all_done(time, asking)
    assert provider.polls == [(2.0, "a", KEY.fingerprint)]
    assert (poller.waiting, time.sleepers) == (0, 0)


async def test_polls_go_out_in_the_order_they_are_due_and_a_third_of_a_second_apart(
    time: VirtualTime, provider: ScriptedProvider, poller: Poller
) -> None:
    for name in "abcdefgh":
        provider.accept(name, KEY, seconds=0.0)
    asking = [ask(poller, name, 1.0 + 0.01 * n) for n, name in enumerate("hgfedcba")]
    await all_done(time, *asking)
    assert "".join(name for _, name, _ in provider.polls) == "hgfedcba"
    moments = [moment for moment, _, _ in provider.polls]
    assert all(b - a == pytest.approx(1 / 3) for a, b in pairwise(moments))


async def test_keys_do_not_wait_for_each_other(
    time: VirtualTime, provider: ScriptedProvider
) -> None:
    pollers = Pollers(provider, polling=Polling(), clock=time.clock())
    assert pollers.of(KEY) is pollers.of(KEY)
    for name, key in (("a", KEY), ("b", OTHER)):
        provider.accept(name, key, seconds=0.0)
    await all_done(time, ask(pollers.of(KEY), "a", 1.0), ask(pollers.of(OTHER), "b", 1.0))
    assert [moment for moment, _, _ in provider.polls] == [1.0, 1.0]


async def test_in_this_process_polls_need_no_distance(
    time: VirtualTime, provider: ScriptedProvider
) -> None:
    polling = Polling(requests_per_s=math.inf, at_once=99)
    poller = Poller(provider, KEY, polling=polling, clock=time.clock())
    provider.accept("a", KEY, seconds=0.0)
    await all_done(time, *(ask(poller, "a", 0.05) for _ in range(20)))
    assert {moment for moment, _, _ in provider.polls} == {0.05}


async def test_a_waiter_that_is_cancelled_leaves_the_queue_to_the_others(
    time: VirtualTime, provider: ScriptedProvider, poller: Poller
) -> None:
    before = asyncio.all_tasks()
    provider.accept("a", KEY, seconds=0.0)
    asking = [ask(poller, "a", 1.0) for _ in range(5)]
    await time.settle()
    for one in asking[:4]:
        one.cancel()
    await asyncio.gather(*asking[:4], return_exceptions=True)
    assert poller.waiting == 1
    await all_done(time, asking[4])
    assert len(provider.polls) == 1
    assert asyncio.all_tasks() == before


async def test_no_more_than_three_polls_are_unanswered(
    time: VirtualTime, provider: ScriptedProvider, poller: Poller
) -> None:
    provider.accept("a", KEY, seconds=0.0)
    stuck: list[float] = []

    async def hang(task_id: str, *, key: Secret) -> object:
        stuck.append(time.seconds)
        await time.sleep(100.0)
        return await ScriptedProvider.poll(provider, task_id, key=key)

    provider.poll = hang  # type: ignore[method-assign,assignment]  # a service that hangs
    asking = [ask(poller, "a", 0.0) for _ in range(6)]
    await time.pass_by(50.0)
    assert len(stuck) == 3
    asking[0].cancel()
    await time.pass_by(1.0)
    assert len(stuck) == 4
    await all_done(time, *asking)
    assert len(stuck) == 6


async def test_429_makes_all_polls_of_the_key_rest(
    time: VirtualTime, provider: ScriptedProvider, poller: Poller
) -> None:
    for name in "abc":
        provider.accept(name, KEY, seconds=0.0)
    provider.answers = [RateLimited("slow down", retry_after_s=20.0)]
    asking = [ask(poller, name, pause) for name, pause in (("a", 0.0), ("b", 1.0), ("c", 1.0))]
    await all_done(time, *asking)
    assert isinstance(asking[0].exception(), RateLimited)
    assert [moment for moment, _, _ in provider.polls] == pytest.approx([0.0, 20.05, 20.05 + 1 / 3])


async def test_rests_grow_until_the_service_answers(
    time: VirtualTime, provider: ScriptedProvider
) -> None:
    time.random.random = lambda: 0.0  # type: ignore[method-assign]  # the shortest pauses
    poller = Poller(provider, KEY, polling=Polling(), clock=time.clock())
    provider.accept("a", KEY, seconds=0.0)
    slow = RateLimited("slow down")
    provider.answers = [slow, slow, slow]
    for _ in range(5):
        asking = ask(poller, "a", 0.0)
        await all_done(time, asking)
        asking.exception()
    moments = [moment for moment, _, _ in provider.polls]
    assert [b - a for a, b in pairwise(moments)] == pytest.approx([3.05, 6.05, 12.05, 1 / 3])


async def test_errors_reach_whoever_asked_and_harm_nobody_else(
    time: VirtualTime, provider: ScriptedProvider, poller: Poller
) -> None:
    provider.accept("a", KEY, seconds=0.0)
    asking = [ask(poller, name, 0.0) for name in ("gone", "a")]
    await all_done(time, *asking)
    assert isinstance(asking[0].exception(), ResultExpired)
    assert asking[1].exception() is None
