from __future__ import annotations

import asyncio

import pytest

from support.virtual_time import VirtualTime
from zhiyipdf.clock import Clock
from zhiyipdf.errors import AuthenticationError, InsufficientPoints
from zhiyipdf.models import Secret
from zhiyipdf.policy import Limits
from zhiyipdf.tasks.lanes import PATIENCE, KeyLanes

ONE, TWO = Secret("sk-one"), Secret("sk-two")


def lanes_of(*keys: Secret, slots: int, clock: Clock | None = None) -> KeyLanes:
    limits = Limits(in_flight_per_key=slots, max_in_flight_per_key=slots)
    return KeyLanes(keys, limits, clock or Clock())


async def hold(lanes: KeyLanes, holding: list[Secret], release: asyncio.Event) -> None:
    async with lanes.slot() as key:
        holding.append(key)
        await release.wait()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_tasks_are_in_flight_than_slots() -> None:
    lanes, holding, release = lanes_of(ONE, slots=5), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(12)]
    await settled()
    assert len(holding) == 5
    release.set()
    await asyncio.gather(*tasks)
    assert len(holding) == 12


async def test_keys_are_used_side_by_side() -> None:
    lanes, holding, release = lanes_of(ONE, TWO, slots=3), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(4)]
    await settled()
    assert (holding.count(ONE), holding.count(TWO)) == (2, 2)
    release.set()
    await asyncio.gather(*tasks)


async def test_a_retired_key_gets_no_more_work_and_waiters_move_to_the_others() -> None:
    lanes, holding, release = lanes_of(ONE, TWO, slots=1), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(4)]
    await settled()
    assert await lanes.retire(ONE, InsufficientPoints("empty"))
    release.set()
    await asyncio.gather(*tasks)
    assert holding[2:] == [TWO, TWO]


async def test_when_every_key_is_retired_waiters_learn_why() -> None:
    lanes, release = lanes_of(ONE, slots=1), asyncio.Event()
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
    lanes = lanes_of(ONE, slots=1)
    await lanes.retire(ONE, InsufficientPoints("empty"))
    caught = []
    for name in ("a.pdf", "b.pdf"):
        with pytest.raises(InsufficientPoints) as error:
            async with lanes.slot():
                pass
        caught.append(error.value.about(source=name).source)
    assert caught == ["a.pdf", "b.pdf"]


async def test_a_task_is_asked_for_with_the_key_that_paid_retired_or_not() -> None:
    lanes = lanes_of(ONE, TWO, slots=1)
    await lanes.retire(ONE, InsufficientPoints("empty"))
    async with lanes.slot(ONE) as key:
        assert key == ONE
    assert lanes.key(TWO.fingerprint) == TWO
    assert lanes.key("00000000") is None


async def test_a_cancelled_waiter_takes_no_slot_with_it() -> None:
    lanes, holding, release = lanes_of(ONE, slots=1), [], asyncio.Event()
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


async def begin(lanes: KeyLanes, order: list[int], pages: int) -> None:
    async with lanes.slot(priority=pages):
        order.append(pages)
        await asyncio.sleep(0)


async def test_among_those_who_wait_the_longest_starts_first() -> None:
    lanes, order, release = lanes_of(ONE, slots=1), [], asyncio.Event()
    first = asyncio.create_task(hold(lanes, [], release))
    await settled()
    tasks = [asyncio.create_task(begin(lanes, order, pages)) for pages in (3, 800, 1, 40, 40)]
    await settled()
    release.set()
    await asyncio.gather(first, *tasks)
    assert order == [800, 40, 40, 3, 1]


async def test_a_task_that_is_paid_already_goes_before_new_work() -> None:
    lanes, order, release = lanes_of(ONE, slots=1), [], asyncio.Event()
    first = asyncio.create_task(hold(lanes, [], release))
    await settled()
    tasks = [asyncio.create_task(begin(lanes, order, 800))]
    await settled()

    async def resume() -> None:
        async with lanes.slot(ONE):
            order.append(0)

    tasks.append(asyncio.create_task(resume()))
    await settled()
    release.set()
    await asyncio.gather(first, *tasks)
    assert order == [0, 800]


async def test_one_page_beside_an_endless_supply_of_books_has_its_turn() -> None:
    lanes, order = lanes_of(ONE, slots=1), []
    books: set[asyncio.Task[None]] = set()
    async with lanes.slot():
        short = asyncio.create_task(begin(lanes, order, 1))
        await settled()
        books |= {asyncio.create_task(begin(lanes, order, 500)) for _ in range(2 * PATIENCE)}
        await settled()
    await short
    assert order.index(1) == PATIENCE
    await asyncio.gather(*books)


async def test_every_slot_of_a_cancelled_crowd_comes_back() -> None:
    lanes = lanes_of(ONE, TWO, slots=2)
    release = asyncio.Event()
    for _ in range(5):
        crowd = [asyncio.create_task(hold(lanes, [], release)) for _ in range(9)]
        await asyncio.sleep(0)
        for task in crowd[::2]:
            task.cancel()
        await asyncio.sleep(0)
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
    release.set()
    holding: list[Secret] = []
    await asyncio.gather(*(hold(lanes, holding, release) for _ in range(4)))
    assert len(holding) == 4
    assert [lane.in_flight for lane in lanes._lanes] == [0, 0]


async def test_several_who_wait_for_a_key_that_is_retired_move_to_the_others() -> None:
    lanes, holding, release = lanes_of(ONE, TWO, slots=2), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(10)]
    await settled()
    await lanes.retire(ONE, InsufficientPoints("empty"))
    assert lanes.key(ONE.fingerprint) == ONE
    release.set()
    await asyncio.gather(*tasks)
    assert holding[4:] == [TWO] * 6


# -- as many as the times ask for --------------------------------------------------------------


async def upload(lanes: KeyLanes, time: VirtualTime, seconds: float) -> None:
    async with lanes.uploading(ONE):
        await time.sleep(seconds)


async def test_slots_and_lanes_follow_what_this_session_has_seen() -> None:
    time = VirtualTime()
    lanes = KeyLanes([ONE], Limits(), time.clock())
    assert (lanes.slots_per_key, lanes.uploads_per_key, lanes.width) == (5, 3, 5)
    holding, release = [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(20)]
    uploads = [asyncio.create_task(upload(lanes, time, 30.0)) for _ in range(3)]
    await time.run(lambda: all(task.done() for task in uploads))
    assert len(holding) == 5
    for _ in range(3):
        lanes.note_parse(30.0)
    await settled()
    assert (lanes.slots_per_key, lanes.uploads_per_key, len(holding)) == (7, 4, 7)
    release.set()
    await asyncio.gather(*tasks)


async def test_no_more_uploads_run_at_once_than_lanes() -> None:
    time = VirtualTime()
    lanes = KeyLanes([ONE], Limits(), time.clock())
    tasks = [asyncio.create_task(upload(lanes, time, 10.0)) for _ in range(7)]
    await time.settle()
    assert time.sleepers == 3
    tasks[0].cancel()
    tasks[4].cancel()
    await time.settle()
    assert time.sleepers == 3
    await time.run(lambda: all(task.done() for task in tasks))
    assert time.seconds == 20.0
    assert lanes._lanes[0].uploading == 0


async def test_uploads_that_failed_are_not_timed() -> None:
    lanes = KeyLanes([ONE], Limits(), Clock())
    for _ in range(5):
        lanes.note_parse(1.0)
        with pytest.raises(InsufficientPoints):
            async with lanes.uploading(ONE):
                raise InsufficientPoints("empty")
    assert lanes.slots_per_key == 5


# -- after 429 ---------------------------------------------------------------------------------


async def test_a_refused_upload_waits_until_a_task_of_its_key_ends() -> None:
    time = VirtualTime()
    lanes, release = lanes_of(ONE, TWO, slots=2, clock=time.clock()), asyncio.Event()
    elsewhere = asyncio.create_task(hold(lanes, [], release))
    other = asyncio.Event()

    async def task_of(key: Secret) -> None:
        async with lanes.slot(key):
            await other.wait()

    running = asyncio.create_task(task_of(ONE))
    waits = [asyncio.create_task(lanes.freed(ONE, 60.0)) for _ in range(2)]
    await time.settle()
    other.set()
    await time.settle()
    assert [wait.done() for wait in waits] == [True, False]
    assert waits[0].result()
    await time.run(waits[1].done)
    assert (waits[1].result(), time.seconds) == (False, 60.0)
    assert time.sleepers == 0
    release.set()
    await asyncio.gather(running, elsewhere)


async def test_while_the_service_refuses_a_key_new_work_goes_to_the_others() -> None:
    time = VirtualTime()
    lanes = lanes_of(ONE, TWO, slots=3, clock=time.clock())
    wait = asyncio.create_task(lanes.freed(ONE, 60.0))
    await time.settle()
    holding, release = [], asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, holding, release)) for _ in range(6)]
    await time.settle()
    assert holding == [TWO] * 3
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)
    await time.settle()
    assert holding == [TWO] * 3 + [ONE] * 3
    release.set()
    await asyncio.gather(*tasks)


async def test_a_key_that_cannot_pay_for_a_book_still_pays_for_a_page() -> None:
    lanes = lanes_of(ONE, slots=2)
    broke = InsufficientPoints("empty", required=800, available=140)
    assert not await lanes.run_dry(ONE, broke, cost=800)
    async with lanes.slot(cost=140) as key:
        assert key == ONE
    with pytest.raises(InsufficientPoints) as caught:
        async with lanes.slot(cost=141):
            pass
    assert (caught.value.required, caught.value.available) == (141, 140)


async def test_what_one_key_cannot_pay_moves_to_another() -> None:
    lanes = lanes_of(ONE, TWO, slots=2)
    assert await lanes.run_dry(ONE, InsufficientPoints("empty"), cost=20)
    async with lanes.slot(cost=20) as key, lanes.slot(cost=20) as again:
        assert (key, again) == (TWO, TWO)
    async with lanes.slot(cost=20) as first, lanes.slot(cost=19) as second:
        assert (first, second) == (TWO, ONE)
