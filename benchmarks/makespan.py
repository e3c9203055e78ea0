"""How much longer 200 PDFs take than they must, through one key and through four.

The service is simulated with the times of the transport study, section 3: parsing takes 2 to 120 s
(lognormal, mean ~29.5 s), an upload 0.5 to 6 s, and the service works on three tasks of a key at a
time. Page counts foretell the times only roughly (sigma 0.4, the same section). What decides when
to upload and when to ask is the package's own: KeyLanes, Pollers and wait_for_task with their
default limits, in virtual time. Beside it, over the same PDFs, runs a peer: three tasks of a key
at once, in the order of the input, each asked for every 2 s.

No schedule can end before max(sum of times / places, longest time); "over" is measured from there
and has all uploads, detection delays and idle places in it.

    python benchmarks/makespan.py [SEEDS]

It fails unless ours stays within 5 % of the bound for every seed.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.scripted_provider import PLACES, ScriptedProvider
from support.virtual_time import VirtualTime
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import Secret, TaskRef
from zhiyipdf.policy import Limits, Polling
from zhiyipdf.tasks.lanes import KeyLanes
from zhiyipdf.tasks.poller import Pollers
from zhiyipdf.tasks.waiting import wait_for_task

DOCUMENTS = 200
SEEDS = 8
MOST_OVER = 1.05
MEDIAN_S, SIGMA = 22.0, 0.8
PAGES_PER_S, PAGES_SIGMA = 3.0, 0.4
PEER_INTERVAL_S = 2.0


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF and how long the service will need for it."""

    name: str
    pages: int
    seconds: float
    upload_s: float


def papers(seed: int) -> list[Paper]:
    chance = Random(seed)

    def paper(number: int) -> Paper:
        seconds = min(120.0, max(2.0, MEDIAN_S * chance.lognormvariate(0.0, SIGMA)))
        pages = round(seconds * PAGES_PER_S * chance.lognormvariate(0.0, PAGES_SIGMA))
        return Paper(f"t{number}", max(1, min(pages, 800)), seconds, chance.uniform(0.5, 6.0))

    return [paper(number) for number in range(DOCUMENTS)]


def bound(work: list[Paper], keys: int) -> float:
    """Seconds that no schedule can beat."""
    seconds = [paper.seconds for paper in work]
    return max(sum(seconds) / (PLACES * keys), *seconds)


class Run:
    """A service with some keys, and what a client did to it."""

    def __init__(self, keys: int, seed: int) -> None:
        self.keys = [Secret(f"sk-{number}") for number in range(keys)]
        self.time = VirtualTime(seed)
        self.provider = ScriptedProvider(self.time)
        self.in_flight: Counter[Secret] = Counter()
        self.most_in_flight = 0
        self.most_begun = 0

    def started(self, key: Secret) -> None:
        self.in_flight[key] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight[key])

    async def upload(self, paper: Paper, key: Secret) -> None:
        await self.time.sleep(paper.upload_s)
        self.provider.accept(paper.name, key, seconds=paper.seconds)

    def most_polls_in_a_second(self) -> int:
        most = 0
        for key in self.keys:
            moments = [at for at, _, asked in self.provider.polls if asked == key.fingerprint]
            first = 0
            for last, moment in enumerate(moments):
                # A hair less than a second: three polls 1/3 s apart are three, whatever the floats.
                while moment - moments[first] > 1.0 - 1e-6:
                    first += 1
                most = max(most, last - first + 1)
        return most


# -- ours --------------------------------------------------------------------------------------


async def ours(run: Run, work: list[Paper]) -> None:
    """Begin as many as ``Converter.convert_many`` does, and let the lanes choose among them."""
    limits, polling, clock = Limits(), Polling(), run.time.clock()
    lanes = KeyLanes(run.keys, limits, clock)
    pollers = Pollers(run.provider, polling=polling, clock=clock)

    async def never(error: ZhiyiPDFError) -> None:
        raise error

    async def convert(paper: Paper) -> None:
        async with lanes.slot(priority=paper.pages) as key:
            run.started(key)
            async with lanes.uploading(key):
                await run.upload(paper, key)
            await wait_for_task(
                run.provider,
                TaskRef(provider="scripted", id=paper.name, key_fingerprint=key.fingerprint),
                pollers.of(key),
                pages=paper.pages,
                polling=polling,
                clock=clock,
                tell=lambda *_: None,
                on_end=never,
                on_parsed=lanes.note_parse,
            )
            run.in_flight[key] -= 1

    waiting, begun = list(reversed(work)), set[asyncio.Future[None]]()
    while waiting or begun:
        window = lanes.width + 3 + limits.look_ahead_per_key * len(run.keys)
        while waiting and len(begun) < window:
            begun.add(asyncio.ensure_future(convert(waiting.pop())))
        run.most_begun = max(run.most_begun, len(begun))
        done, begun = await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*done)


# -- the peer ----------------------------------------------------------------------------------


async def peer(run: Run, work: list[Paper]) -> None:
    """Three workers for each key, each with one PDF at a time."""

    async def worker(key: Secret, queue: Iterator[Paper]) -> None:
        for paper in queue:
            run.started(key)
            await run.upload(paper, key)
            state = ""
            while state != "completed":
                await run.time.sleep(PEER_INTERVAL_S)
                state = (await run.provider.poll(paper.name, key=key)).state
            run.in_flight[key] -= 1

    queue, places = iter(work), [key for _ in range(PLACES) for key in run.keys]
    run.most_begun = len(places)
    await asyncio.gather(*(worker(key, queue) for key in places))


# -- the table ---------------------------------------------------------------------------------

CLIENTS: dict[str, Callable[[Run, list[Paper]], Awaitable[None]]] = {"ours": ours, "peer": peer}


async def measured(client: str, keys: int, seed: int) -> tuple[Run, float]:
    """A finished run, and its time over the bound."""
    run, work = Run(keys, seed), papers(seed)
    working = asyncio.ensure_future(CLIENTS[client](run, work))
    await run.time.run(working.done)
    await working
    polled = {name for _, name, _ in run.provider.polls}
    if polled != {paper.name for paper in work}:
        raise RuntimeError(f"{client}: {len(polled)} of {len(work)} PDFs were asked for")
    return run, run.time.seconds / bound(work, keys)


def main(seeds: int = SEEDS) -> int:
    start, worst = time.perf_counter(), 0.0
    mean_s = statistics.fmean(p.seconds for seed in range(seeds) for p in papers(seed))
    print(f"{DOCUMENTS} PDFs, mean parse time {mean_s:.1f} s, seeds 0 to {seeds - 1}\n")
    print(
        "| client | keys | over the bound: mean | worst | polls per task "
        "| most polls/s of a key | most in flight per key | most begun at once |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for keys in (1, 4):
        for client in CLIENTS:
            both = [asyncio.run(measured(client, keys, seed)) for seed in range(seeds)]
            runs, over = [run for run, _ in both], [ratio for _, ratio in both]
            polls = sum(len(run.provider.polls) for run in runs) / (DOCUMENTS * seeds)
            print(
                f"| {client} | {keys} | {statistics.fmean(over):.3f} | {max(over):.3f} "
                f"| {polls:.1f} | {max(run.most_polls_in_a_second() for run in runs)} "
                f"| {max(run.most_in_flight for run in runs)} "
                f"| {max(run.most_begun for run in runs)} |"
            )
            if client == "ours":
                worst = max(worst, *over)
    print(f"\n{time.perf_counter() - start:.0f} s of real time")
    return 0 if worst <= MOST_OVER else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
