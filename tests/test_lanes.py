from __future__ import annotations

import asyncio

import pytest

from zhiyipdf.budget import Budget
from zhiyipdf.errors import AuthenticationError, BudgetExceeded, InsufficientPoints
from zhiyipdf.lanes import KeyLanes
from zhiyipdf.models import Secret

ONE, TWO = Secret("sk-one"), Secret("sk-two")


async def hold(lanes: KeyLanes, holding: list[Secret], release: asyncio.Event) -> None:
    async with lanes.slot() as key:
        holding.append(key)
        await release.wait()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_tasks_are_in_flight_than_slots() -> None:
    lanes, holding, release = KeyLanes([ONE], 5), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(12)]
    await settled()
    assert len(holding) == 5
    release.set()
    await asyncio.gather(*tasks)
    assert len(holding) == 12


async def test_keys_are_used_side_by_side() -> None:
    lanes, holding, release = KeyLanes([ONE, TWO], 3), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(4)]
    await settled()
    assert (holding.count(ONE), holding.count(TWO)) == (2, 2)
    release.set()
    await asyncio.gather(*tasks)


async def test_a_retired_key_gets_no_more_work_and_waiters_move_to_the_others() -> None:
    lanes, holding, release = KeyLanes([ONE, TWO], 1), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(4)]
    await settled()
    assert await lanes.retire(ONE, InsufficientPoints("empty"))
    release.set()
    await asyncio.gather(*tasks)
    assert holding[2:] == [TWO, TWO]


async def test_when_every_key_is_retired_waiters_learn_why() -> None:
    lanes, release = KeyLanes([ONE], 1), asyncio.Event()
    first = asyncio.create_task(hold(lanes, [], release))
    await settled()
    waiter = asyncio.create_task(hold(lanes, [], release))
    await settled()
    assert not await lanes.retire(ONE, AuthenticationError("revoked"))
    with pytest.raises(AuthenticationError, match="revoked"):
        await waiter
    release.set()
    await first


async def test_each_source_gets_an_error_of_its_own() -> None:
    lanes = KeyLanes([ONE], 1)
    await lanes.retire(ONE, InsufficientPoints("empty"))
    caught = []
    for name in ("a.pdf", "b.pdf"):
        with pytest.raises(InsufficientPoints) as error:
            async with lanes.slot():
                pass
        caught.append(error.value.about(source=name).source)
    assert caught == ["a.pdf", "b.pdf"]


async def test_a_task_is_asked_for_with_the_key_that_paid_retired_or_not() -> None:
    lanes = KeyLanes([ONE, TWO], 1)
    await lanes.retire(ONE, InsufficientPoints("empty"))
    async with lanes.slot(ONE) as key:
        assert key == ONE
    assert lanes.key(TWO.fingerprint) == TWO
    assert lanes.key("00000000") is None


async def test_a_cancelled_waiter_takes_no_slot_with_it() -> None:
    lanes, holding, release = KeyLanes([ONE], 1), [], asyncio.Event()
    first = asyncio.create_task(hold(lanes, holding, release))
    await settled()
    waiter = asyncio.create_task(hold(lanes, holding, release))
    await settled()
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    release.set()
    await first
    async with asyncio.timeout(5), lanes.slot() as key:
        assert key == ONE


def test_a_budget_stops_before_it_is_passed() -> None:
    budget = Budget(10)
    budget.take(6)
    with pytest.raises(BudgetExceeded) as caught:
        budget.take(6)
    assert (caught.value.required, caught.value.spent, caught.value.max_points) == (6, 6, 10)
    budget.give_back(6)
    budget.take(10)


def test_without_a_budget_points_are_only_counted() -> None:
    budget = Budget(None)
    budget.take(10**9)
    assert budget.spent == 10**9
