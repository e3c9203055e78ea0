"""Slots, polls and waits together, in simulated time (transport study, section 3)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest

from support.scripted_provider import PLACES, ScriptedProvider
from support.virtual_time import VirtualTime
from zhiyipdf.errors import InsufficientPoints, ZhiyiPDFError
from zhiyipdf.models import Secret, TaskRef
from zhiyipdf.policy import Limits, Polling
from zhiyipdf.tasks.lanes import KeyLanes
from zhiyipdf.tasks.poller import Pollers
from zhiyipdf.tasks.waiting import wait_for_task

KEYS = [Secret(f"sk-{n}") for n in range(4)]


@dataclass
class Paper:
    name: str
    seconds: float
    upload_s: float

    @property
    def pages(self) -> int:
        return round(self.seconds * 3)


def papers(count: int, seed: int) -> list[Paper]:
    """Parse times are lognormal with a mean of about 30 s, from 2 to 120 s."""
    random = Random(seed)
    return [
        Paper(
            f"t{n}",
            min(120.0, max(2.0, random.lognormvariate(3.1, 0.8))),
            random.uniform(0.5, 6.0),
        )
        for n in range(count)
    ]


class Simulation:
    """The client's own scheduling against a service in memory."""

    def __init__(self, keys: int, seed: int) -> None:
        self.time = VirtualTime(seed)
        self.provider = ScriptedProvider(self.time)
        self.keys = KEYS[:keys]
        clock = self.time.clock()
        self.lanes = KeyLanes(self.keys, Limits(), clock)
        self.polling = Polling()
        self.pollers = Pollers(self.provider, polling=self.polling, clock=clock)
        self.most_in_flight: Counter[Secret] = Counter()
        self.in_flight: Counter[Secret] = Counter()
        self.paid_by: dict[str, Secret] = {}
        self.empty: set[Secret] = set()

    async def convert(self, paper: Paper) -> None:
        while True:
            async with self.lanes.slot(priority=paper.pages) as key:
                if key in self.empty:
                    await self.time.sleep(0.1)
                    error = InsufficientPoints("empty")
                    if await self.lanes.retire(key, error):
                        continue
                    raise error
                self.in_flight[key] += 1
                assert self.in_flight[key] <= self.lanes.slots_per_key
                self.most_in_flight[key] = max(self.most_in_flight[key], self.in_flight[key])
                try:
                    await self.see_through(paper, key)
                finally:
                    self.in_flight[key] -= 1
                return

    async def see_through(self, paper: Paper, key: Secret) -> None:
        async with self.lanes.uploading(key):
            await self.time.sleep(paper.upload_s)
        self.provider.accept(paper.name, key, seconds=paper.seconds)
        self.paid_by[paper.name] = key
        await wait_for_task(
            self.provider,
            TaskRef(provider="scripted", id=paper.name, key_fingerprint=key.fingerprint),
            self.pollers.of(key),
            pages=paper.pages,
            polling=self.polling,
            clock=self.time.clock(),
            tell=lambda *_: None,
            on_end=self._never,
            on_parsed=self.lanes.note_parse,
        )

    async def _never(self, error: ZhiyiPDFError) -> None:
        raise error

    async def run(self, work: list[Paper]) -> float:
        """Convert it all; returns the seconds it took."""
        feeding = asyncio.ensure_future(self._feed(work))
        await self.time.run(feeding.done)
        await feeding
        return self.time.seconds

    async def _feed(self, work: list[Paper]) -> None:
        """Look ahead as far as ``convert_many`` does."""
        waiting, running = list(work), set[asyncio.Future[None]]()
        more = 3 + Limits().look_ahead_per_key * len(self.keys)
        while waiting or running:
            while waiting and len(running) < self.lanes.width + more:
                running.add(asyncio.ensure_future(self.convert(waiting.pop(0))))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*done)

    def bound(self, work: list[Paper]) -> float:
        seconds = [paper.seconds for paper in work]
        return max(sum(seconds) / PLACES / len(self.keys), *seconds)


def busiest(moments: list[float], window_s: float) -> int:
    """Most polls in any stretch of so many seconds."""
    return max(sum(start <= moment < start + window_s for moment in moments) for start in moments)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("keys", [1, 2])
async def test_sixty_papers_take_hardly_longer_than_they_must(keys: int, seed: int) -> None:
    work = papers(60 * keys, seed)
    simulation = Simulation(keys, seed)
    assert await simulation.run(work) <= 1.10 * simulation.bound(work)
    assert max(simulation.most_in_flight.values()) <= Limits().max_in_flight_per_key
    polls = Counter(name for _, name, _ in simulation.provider.polls)
    assert len(polls) == len(work)
    assert sum(polls.values()) / len(work) <= 30
    assert max(polls.values()) <= 140
    for key in simulation.keys:
        moments = [at for at, _, print_ in simulation.provider.polls if print_ == key.fingerprint]
        assert busiest(moments, 10.0) <= 33
        assert busiest(moments, 1.0) <= 4
    assert simulation.time.sleepers == 0


async def test_slow_uploads_get_more_room() -> None:
    work = papers(60, 1)
    for paper in work:
        paper.upload_s = 25.0
    simulation = Simulation(1, 1)
    seconds = await simulation.run(work)
    assert 5 < max(simulation.most_in_flight.values()) <= Limits().max_in_flight_per_key
    # Three lanes at 25 s each take 500 s for 60 uploads: they must not run one after another.
    assert seconds <= 1.2 * max(simulation.bound(work), 60 * 25.0 / 4)


async def test_on_a_key_without_points_running_tasks_finish_and_the_rest_moves() -> None:
    work = papers(40, 2)
    simulation = Simulation(2, 2)
    tasks = [asyncio.ensure_future(simulation.convert(paper)) for paper in work]
    await simulation.time.run(lambda: len(simulation.paid_by) >= 12)
    empty, full = simulation.keys
    simulation.empty.add(empty)
    running = {name for name, key in simulation.paid_by.items() if key == empty}
    await simulation.time.run(lambda: all(task.done() for task in tasks))
    await asyncio.gather(*tasks)
    late = {name for name, key in simulation.paid_by.items() if key == empty} - running
    # What was past the check when the points ran out is being uploaded.
    assert len(late) <= Limits().in_flight_per_key
    assert Counter(simulation.paid_by.values())[full] == len(work) - len(running | late)
    assert running
