"""Four ways to upload 400 PDFs to a paid service that fails now and then: who pays what.

The mix is that of the transport study, section 2.2, in exactly these shares of every 100 uploads:
reset before or in the body 8 + 3 (the study's dead port is one of these here: one server cannot
refuse a single connection), dropped unprocessed 2, dropped processed 3, 502 unprocessed 2 and
processed 2, 503 4, a coded 500 2, an answer cut after the charge 2. The bodies have 200 kB instead
of 2.9 MB, so that resets are noticed only after the whole body is on its way: the gate alone calls
more uploads ambiguous than in the study. Each of the first three policies is a small loop over
httpx, 5 uploads at a time and 4 attempts at most; ours is the Converter itself, its pauses made 200
times shorter.

    python benchmarks/faults.py [SEED]

It fails unless ours pays nothing twice and at least 90 % are done.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx

from support.fault_service import (
    API,
    Fault,
    FaultService,
    Wire,
    after_body,
    at_byte,
    cut_json,
    fin,
    honestly,
    html,
    rst,
    says,
)
from support.pdfs import write_pdf
from zhiyipdf import Converter
from zhiyipdf.clock import Clock
from zhiyipdf.errors import UploadOutcomeUnknown
from zhiyipdf.policy import Polling, Retry, Timeouts

DOCUMENTS = 400
BODY_BYTES = 200_000
PAGES = 2
ATTEMPTS = 4
AT_ONCE = 5
FASTER = 200.0
LEAST_DONE = 0.9
KEY = "sk-benchmark"

CODED = {"success": False, "error_code": "file_upload_failed"}
SHARES: tuple[tuple[int, Fault], ...] = (
    (7, at_byte(0, rst)),
    (4, at_byte(BODY_BYTES // 2, rst)),
    (2, after_body(fin, processed=False)),
    (3, after_body(fin, processed=True)),
    (2, after_body(html(502), processed=False)),
    (2, after_body(html(502), processed=True)),
    (4, after_body(html(503), processed=False)),
    (2, after_body(says(500, CODED), processed=False)),
    (2, after_body(cut_json, processed=True)),
)


def faults(seed: int) -> Iterator[Fault]:
    """What becomes of each upload, without end."""
    deck = [fault for share, fault in SHARES for _ in range(share)]
    deck += [honestly] * (100 - len(deck))
    chance = random.Random(seed)
    while True:
        chance.shuffle(deck)
        yield from deck


@dataclass(frozen=True, slots=True)
class Tally:
    """What a policy says it did: PDFs with a task or a result, and PDFs reported as unclear."""

    done: int
    reported: int


# -- the three loops ---------------------------------------------------------------------------


class Gated:
    """A body that knows whether its end was let go."""

    def __init__(self, pdf: Path) -> None:
        self.committed = False
        self.boundary = "0123456789abcdef"
        self.head = (
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{pdf.name}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode()
        self.content = pdf.read_bytes()
        self.tail = f"\r\n--{self.boundary}--\r\n".encode()

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        for start in range(0, len(self.content), 65536):
            yield self.content[start : start + 65536]
        self.committed = True
        yield self.tail

    @property
    def headers(self) -> dict[str, str]:
        size = len(self.head) + len(self.content) + len(self.tail)
        return {
            "Authorization": f"Bearer {KEY}",
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(size),
        }


def named_a_task(response: httpx.Response) -> bool:
    try:
        return response.status_code == 200 and bool(response.json().get("task_id"))
    except ValueError:
        return False


def attempt(client: httpx.Client, url: str, body: Gated) -> httpx.Response | None:
    """One upload; None if the connection broke."""
    try:
        return client.post(f"{url}{API}/parse", content=iter(body), headers=body.headers)
    except httpx.TransportError:
        return None


def no_retry(client: httpx.Client, url: str, pdf: Path) -> str:
    response = attempt(client, url, Gated(pdf))
    return "done" if response is not None and named_a_task(response) else "failed"


def retry_everything(client: httpx.Client, url: str, pdf: Path) -> str:
    for _ in range(ATTEMPTS):
        if no_retry(client, url, pdf) == "done":
            return "done"
    return "failed"


def gate_without_balance(client: httpx.Client, url: str, pdf: Path) -> str:
    for _ in range(ATTEMPTS):
        body = Gated(pdf)
        response = attempt(client, url, body)
        if response is not None and named_a_task(response):
            return "done"
        if body.committed and not (response is not None and b"error_code" in response.content):
            return "reported"
    return "failed"


def in_a_loop(
    upload: Callable[[httpx.Client, str, Path], str],
) -> Callable[[str, list[Path], Path], Tally]:
    def policy(url: str, pdfs: list[Path], _folder: Path) -> Tally:
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(limits=limits) as client, ThreadPoolExecutor(AT_ONCE) as pool:
            ends = list(pool.map(lambda pdf: upload(client, url, pdf), pdfs))
        return Tally(ends.count("done"), ends.count("reported"))

    return policy


# -- ours --------------------------------------------------------------------------------------


def fast_clock() -> Clock:
    """Time that runs ``FASTER`` times."""
    start = time.time()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)

    return Clock(
        now=lambda: start + (time.time() - start) * FASTER,
        monotonic=lambda: time.monotonic() * FASTER,
        sleep=sleep,
        pause=lambda seconds: time.sleep(seconds / FASTER),
    )


def ours(url: str, pdfs: list[Path], folder: Path) -> Tally:
    converter = Converter(
        api_key=KEY,
        base_url=url,
        store=folder / "store",
        clock=fast_clock(),
        retry=Retry(upload_attempts=ATTEMPTS),  # as many as the others
        # A busy machine is not a slow service, though time runs fast here.
        polling=Polling(processing_s=1e6),
        timeouts=Timeouts(download_window_s=1e6),
    )
    outcomes = list(converter.convert_many(pdfs))
    unclear = [o for o in outcomes if isinstance(o.error, UploadOutcomeUnknown)]
    return Tally(sum(o.error is None for o in outcomes), len(unclear))


POLICIES: dict[str, Callable[[str, list[Path], Path], Tally]] = {
    "no retry": in_a_loop(no_retry),
    "retry everything": in_a_loop(retry_everything),
    "gate, no balance": in_a_loop(gate_without_balance),
    "gate + balance (ours)": ours,
}


def serve(seed: int) -> FaultService:
    """A service with enough points for every double charge."""
    service = FaultService(start=100_000)
    drawn, lock = faults(seed), threading.Lock()

    def next_fault(service: FaultService, wire: Wire) -> None:
        with lock:
            fault = next(drawn)
        fault(service, wire)

    service.always("upload", next_fault)
    return service


def main(seed: int = 1) -> int:
    print(f"{DOCUMENTS} PDFs, bodies of {BODY_BYTES // 1000} kB, seed {seed}\n")
    print("| policy | ok | double charges | charged without result | reported | attempts | s |")
    print("|---|---|---|---|---|---|---|")
    double = done = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pdfs = [
            write_pdf(folder / f"{n:03}.pdf", PAGES, text=f"number {n}", padding=BODY_BYTES)
            for n in range(DOCUMENTS)
        ]
        for policy, run in POLICIES.items():
            service, start = serve(seed), time.perf_counter()
            tally = run(service.url, pdfs, folder)
            service.close()
            charges = service.charges_by_pdf()
            double = sum(count - 1 for count in charges.values() if count > 1)
            done, lost = tally.done, len(charges) - tally.done
            print(
                f"| {policy} | {done} | {double} | {lost} | {tally.reported} "
                f"| {service.uploads} | {time.perf_counter() - start:.0f} |"
            )
    return 0 if double == 0 and done >= LEAST_DONE * DOCUMENTS else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
