"""The fault table of the transport study (8.2): each row with its outcome, sync and async.

The ledger is the judge: no PDF is charged for twice in any case, and whatever was charged for is a
result, a record that resumes, or an error that says so. Row 18 has its full sweep in
test_sigkill.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
import itertools
import os
import re
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from support.archives import HOSTILE, PNG, Hostile, Member, write_zip
from support.fake_time import FakeTime
from support.fault_case import COST, KEY, LARGE, FaultCase, watch_logs
from support.fault_service import (
    API,
    Fault,
    FaultService,
    Framing,
    after_body,
    at_byte,
    completed,
    cut_download,
    cut_json,
    dripping,
    endless,
    fin,
    gzip_bomb,
    held,
    honestly,
    html,
    lingering,
    reading_slowly,
    rst,
    says,
    silence,
    staying_open,
)
from support.http import HttpRoot
from support.pdfs import write_pdf
from support.s3 import S3
from support.scripted_server import ScriptedServer, Wire
from zhiyipdf import blocking
from zhiyipdf.errors import (
    AuthenticationError,
    ConversionTimeout,
    FileTooLarge,
    InsufficientPoints,
    ProtocolError,
    ResultExpired,
    ServiceError,
    ServiceUnavailable,
    TaskFailed,
    UnsafeArchive,
    UploadOutcomeUnknown,
    ZhiyiPDFError,
)
from zhiyipdf.policy import Limits, Polling, Retry, Timeouts

NO_TASK = {"success": True, "message": "ok"}


@pytest.fixture(params=["sync", "async"])
def case(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[FaultCase]:
    """A case; row 36 is looked after for every other row when it ends."""
    watch_logs(caplog)
    service = FaultService()
    case = FaultCase(service, tmp_path, synchronous=request.param == "sync")
    yield case
    service.close()
    assert case.search(caplog) == []


def row(number: int, words: str, *values: object) -> Any:
    return pytest.param(*values, id=f"{number:02} {words}")


def pauses(case: FaultCase) -> float:
    return sum(case.time.naps)


# -- 1 to 3: before a connection stands --------------------------------------------------------


def refused(case: FaultCase, _monkeypatch: pytest.MonkeyPatch) -> str:
    case.service.close()
    return case.service.url


def unknown_host(_case: FaultCase, monkeypatch: pytest.MonkeyPatch) -> str:
    resolve = socket.getaddrinfo

    def fail(host: Any, *rest: Any, **options: Any) -> Any:
        if host == "service.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    return "https://service.invalid"


@pytest.mark.parametrize(
    ("where", "host"),
    [
        row(1, "refused on upload", refused, "127.0.0.1"),
        row(1, "DNS failure on upload", unknown_host, "service.invalid"),
    ],
)
def test_no_connection_is_tried_three_times_and_names_the_host(
    case: FaultCase,
    monkeypatch: pytest.MonkeyPatch,
    where: Callable[[FaultCase, pytest.MonkeyPatch], str],
    host: str,
) -> None:
    error = case.fails(ServiceUnavailable, base_url=where(case, monkeypatch))
    assert host in error.message
    assert error.points_charged is False
    assert len(case.time.naps) == 2  # between three attempts
    assert case.record()["state"] == "failed"


@pytest.mark.parametrize("row", [row(1, "connect timeout on upload", None)])
def test_a_connection_that_is_never_accepted_times_out(case: FaultCase, row: None) -> None:
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the queue is full: further SYNs are dropped
            knock = stack.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(door.getsockname())
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        error = case.fails(ServiceUnavailable, base_url=url, timeouts=Timeouts(connect_s=0.2))
    assert "127.0.0.1" in error.message
    assert error.points_charged is False
    assert len(case.time.naps) == 2


@pytest.mark.parametrize("row", [row(2, "TLS certificate invalid", None)])
def test_a_wrong_certificate_ends_it_before_a_byte_is_sent(
    case: FaultCase, self_signed: ssl.SSLContext, row: None
) -> None:
    service = FaultService(tls=self_signed)
    error = case.fails(ServiceUnavailable, base_url=service.url)
    service.close()
    assert "certificate" in error.message
    assert (error.retryable, error.points_charged) == (False, False)
    assert (service.handshakes, service.seen, case.time.naps) == (1, [], [])


def hang(wire: Wire) -> None:
    threading.Event().wait(5)


@pytest.mark.parametrize(
    ("move", "attempts"),
    [
        row(3, "proxy 407", lambda wire: wire.send(407, b"", {"content-length": "0"}), 1),
        row(3, "proxy 502", lambda wire: wire.send(502, b"", {"content-length": "0"}), 3),
        row(3, "proxy drops CONNECT", lambda wire: wire.reset(), 3),
        row(3, "proxy hangs on CONNECT", hang, 3),
    ],
)
def test_a_proxy_that_does_not_connect_is_never_ambiguous(
    case: FaultCase, move: Callable[[Wire], None], attempts: int
) -> None:
    proxy = ScriptedServer()
    proxy.on("service.invalid:443", move)
    error = case.fails(
        ServiceUnavailable,
        base_url="https://service.invalid",
        proxy=proxy.url,
        timeouts=Timeouts(connect_s=0.3, upload_read_s=0.3),
    )
    proxy.close()
    assert error.points_charged is False
    assert [seen.method for seen in proxy.seen] == ["CONNECT"] * attempts


# -- 4 to 8: around the gate -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("byte", "before_the_gate"),
    [
        row(4, "RST at byte 0", 0, True),
        row(4, "RST at 1 MB", 1_000_000, True),
        row(4, "RST at the last chunk - 1", -40, False),  # the client's kernel has sent the rest
    ],
)
def test_a_reset_before_the_end_is_tried_again_and_charged_once(
    case: FaultCase, byte: int, before_the_gate: bool
) -> None:
    pdf = case.pdf(large=True)
    case.service.queue("upload", at_byte(byte, rst))
    assert case.convert(pdf).points == COST
    assert (case.charges, case.service.uploads) == (1, 2)
    if before_the_gate:
        # Nothing is ambiguous: the balance is read by the gate of the second attempt only.
        assert len(case.service.of("balance")) == 1


UNPROCESSED = [
    row(5, "RST after the body, not processed", after_body(rst, processed=False)),
    row(5, "FIN after the body, not processed", after_body(fin, processed=False)),
    row(11, "502 HTML, not processed", after_body(html(502), processed=False)),
    row(11, "504 HTML, not processed", after_body(html(504), processed=False)),
    row(15, "200 HTML, not processed", after_body(html(200), processed=False)),
    row(15, "200 truncated JSON, not processed", after_body(cut_json, processed=False)),
    row(15, "200 without task_id, not processed", after_body(says(200, NO_TASK), processed=False)),
]


@pytest.mark.parametrize("fault", UNPROCESSED)
def test_an_unchanged_balance_proves_that_it_can_be_sent_again(
    case: FaultCase, fault: Fault
) -> None:
    case.service.queue("upload", fault)
    assert case.convert().points == COST
    assert (case.charges, case.service.uploads) == (1, 2)
    # Read by both gates, and three times in between.
    assert len(case.service.of("balance")) == 5


@pytest.mark.parametrize("row", [row(11, "504: the balance is watched for 180 s", None)])
def test_after_a_gateway_timeout_the_balance_is_watched_longer(case: FaultCase, row: None) -> None:
    case.service.queue("upload", after_body(html(504), processed=False))
    case.convert()
    assert pauses(case) >= 180


PROCESSED = [
    row(6, "RST after the body, processed", after_body(rst, processed=True)),
    row(6, "FIN after the body, processed", after_body(fin, processed=True)),
    row(11, "502 HTML, processed", after_body(html(502), processed=True)),
    row(11, "504 HTML, processed", after_body(html(504), processed=True)),
    row(15, "200 HTML, processed", after_body(html(200), processed=True)),
    row(15, "200 truncated JSON, processed", after_body(cut_json, processed=True)),
    row(15, "200 without task_id, processed", after_body(says(200, NO_TASK), processed=True)),
]


@pytest.mark.parametrize("fault", PROCESSED)
def test_a_balance_that_fell_by_the_cost_is_reported_and_nothing_sent_again(
    case: FaultCase, fault: Fault
) -> None:
    case.service.queue("upload", fault)
    error = case.fails(UploadOutcomeUnknown)
    start = case.service.start
    assert (error.points_charged, error.cost) == (True, COST)
    assert (error.balance_before, error.balance_after) == (start, start - COST)
    assert error.record == case.record()["key"]
    assert error.source == str(case.pdf())
    case.fails(UploadOutcomeUnknown)  # and not by the next run either
    assert (case.charges, case.service.uploads) == (1, 1)


def meanwhile(points: int, end: Fault) -> Fault:
    def fault(service: FaultService, wire: Wire) -> None:
        service.charge_as_another_client(points)
        end(service, wire)

    return fault


@pytest.mark.parametrize(
    "fault",
    [
        row(7, "another client, processed", after_body(meanwhile(10, rst), processed=True)),
        row(7, "another client, not processed", after_body(meanwhile(10, rst), processed=False)),
        row(7, "another client spends less", after_body(meanwhile(2, fin), processed=False)),
        row(7, "another client is refunded", after_body(meanwhile(-6, fin), processed=False)),
    ],
)
def test_a_balance_that_others_moved_proves_nothing(case: FaultCase, fault: Fault) -> None:
    case.service.queue("upload", fault)
    error = case.fails(UploadOutcomeUnknown)
    assert error.points_charged is None
    assert case.record()["state"] == "unknown"
    assert case.service.uploads == 1
    assert case.charges <= 1


@pytest.mark.parametrize("processed", [True, False], ids=["processed", "not processed"])
@pytest.mark.parametrize(
    "faults",
    [
        row(8, "balance answers 500 after", [honestly, says(500, b"oops")]),
        row(8, "balance resets after", [honestly, rst]),
        row(8, "balance is no number after", [honestly, says(200, {"points": "many"})]),
        row(8, "balance is truncated after", [honestly, says(200, b'{"success": true, "poi')]),
        row(8, "balance answers 500 before", [says(500, b"oops")]),
    ],
)
def test_a_balance_that_fails_proves_nothing(
    case: FaultCase, faults: list[Fault], processed: bool
) -> None:
    case.service.queue("upload", after_body(rst, processed=processed))
    case.service.queue("balance", *faults[:-1])
    if len(faults) == 1:
        case.service.queue("balance", *faults)
    else:
        case.service.always("balance", faults[-1])
    error = case.fails(UploadOutcomeUnknown)
    assert error.points_charged is None
    assert case.record()["state"] == "unknown"
    assert (case.service.uploads, case.charges) == (1, int(processed))


# -- 9, 10: early answers ----------------------------------------------------------------------

NO_POINTS = {
    "success": False,
    "error_code": "insufficient_points",
    "points_required": COST,
    "current_points": 1,
}


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize(
    "fault",
    [
        row(9, "402 before the body, close", at_byte(0, says(402, NO_POINTS))),
        row(9, "402 before the body, lingering", at_byte(0, lingering(says(402, NO_POINTS)))),
    ],
)
def test_an_early_402_is_always_read(case: FaultCase, fault: Fault, large: bool) -> None:
    case.service.queue("upload", fault)
    error = case.fails(InsufficientPoints, case.pdf(large=large))
    assert (error.required, error.available, error.points_charged) == (COST, 1, False)
    assert (case.charges, case.service.uploads) == (0, 1)


@pytest.mark.parametrize("row", [row(9, "402 before the body, stays open", None)])
def test_an_early_402_that_is_never_followed_by_reading_ends_safely(
    case: FaultCase, row: None
) -> None:
    case.service.always("upload", at_byte(0, staying_open(says(402, NO_POINTS))))
    error = case.fails(
        ZhiyiPDFError, case.pdf(large=True), timeouts=Timeouts(write_s=0.3, upload_read_s=0.3)
    )
    assert isinstance(error, InsufficientPoints | ServiceUnavailable)
    assert error.points_charged is False
    assert case.charges == 0


@pytest.mark.parametrize("row", [row(10, "413 after 1 MB", None)])
def test_a_413_in_the_middle_of_the_body_is_read(case: FaultCase, row: None) -> None:
    too_large = {
        "success": False,
        "error_code": "parse_file_too_large",
        "file_size": 9,
        "max_size": 8,
    }
    case.service.queue("upload", at_byte(1_000_000, says(413, too_large)))
    # One page: two would be split and sent as two PDFs.
    page = write_pdf(case.folder / "page.pdf", pages=1, padding=LARGE)
    error = case.fails(FileTooLarge, page)
    assert (error.limit_bytes, error.points_charged, case.service.uploads) == (8, False, 1)


# -- 12 to 14: asked to wait -------------------------------------------------------------------


def in_three_seconds() -> dict[str, str]:
    now = datetime.datetime.now(datetime.UTC)
    later = now + datetime.timedelta(seconds=3)
    return {"date": format_datetime(now, usegmt=True), "retry_after": format_datetime(later, True)}


PAST = {"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}


@pytest.mark.parametrize("kind", ["upload", "status"])
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        row(12, "503, Retry-After 2", lambda: {"retry_after": "2"}, 2, 10),
        row(12, "503, Retry-After as a date", in_three_seconds, 3, 10),
        row(12, "503, Retry-After -1", lambda: {"retry_after": "-1"}, 0.01, 1),
        row(12, "503, Retry-After in the past", lambda: PAST, 0.01, 1),
        row(12, "503, Retry-After is nonsense", lambda: {"retry_after": "soon"}, 0.01, 1),
    ],
)
def test_a_503_is_waited_for_as_long_as_it_asks(
    case: FaultCase,
    kind: Any,
    headers: Callable[[], dict[str, str]],
    least: float,
    most: float,
) -> None:
    # Before the body: after it a 503 would be ambiguous.
    case.service.queue(kind, at_byte(0, html(503, **headers())))
    before_polls = 0.0 if kind == "status" else 1.0
    assert case.convert(case.pdf(large=True)).points == COST
    assert (case.charges, case.service.uploads) == (1, 2 if kind == "upload" else 1)
    # Beside the pause there are those before polls, of 0.95 s each.
    polls = 0.95 * (len(case.service.of("status")) - int(kind == "status"))
    assert least <= pauses(case) - polls <= most + before_polls


@pytest.mark.parametrize("kind", ["upload", "status"])
@pytest.mark.parametrize("row", [row(12, "503, Retry-After 10^400", None)])
def test_a_wait_beyond_the_cap_is_raised(case: FaultCase, kind: Any, row: None) -> None:
    case.service.always(kind, at_byte(0, html(503, retry_after="1" + "0" * 400)))
    error = case.fails(ServiceUnavailable, case.pdf(large=True))
    assert error.retryable
    assert (case.service.uploads, len(case.service.of(kind))) == (1, 1)
    case.service.always(kind, None)
    case.convert(case.pdf(large=True))
    assert case.charges == 1


@pytest.mark.parametrize(
    ("code", "uploads"),
    [
        row(13, "500 file_upload_failed", "file_upload_failed", 2),
        row(13, "500 points_deduction_failed", "points_deduction_failed", 1),
    ],
)
def test_a_coded_500_is_tried_again_only_where_that_can_help(
    case: FaultCase, code: str, uploads: int
) -> None:
    fault = after_body(says(500, {"success": False, "error_code": code}), processed=False)
    case.service.queue("upload", fault)
    if uploads == 2:
        assert case.convert().points == COST
    else:
        assert case.fails(TaskFailed).code == code
    assert (case.service.uploads, case.charges) == (uploads, uploads - 1)


@pytest.mark.parametrize("row", [row(14, "429 on upload", None)])
def test_a_full_service_gets_every_upload_once_when_a_slot_is_free(
    case: FaultCase, row: None
) -> None:
    case.service.most_tasks = 2
    case.service.polls = 3
    outcomes = case.convert_many([case.pdf(f"number {n}") for n in range(6)])
    assert [o.error for o in outcomes.values() if o.error is not None] == []
    assert case.charges == 6


# -- 15, 16: strange answers -------------------------------------------------------------------


@pytest.mark.parametrize("row", [row(15, "task_id is an integer", None)])
def test_a_task_id_that_is_a_number_is_taken_as_text(case: FaultCase, row: None) -> None:
    def numbered(service: FaultService, wire: Wire) -> None:
        status, payload = service.process(wire)
        task = service.tasks.pop(payload["task_id"])
        task.id = "4711"
        service.tasks[task.id] = task
        service.reply(wire, status, {**payload, "task_id": 4711})

    case.service.queue("upload", numbered)
    assert [task.id for task in case.convert().tasks] == ["4711"]


@pytest.mark.parametrize("after", [False, True], ids=["before the body", "after the body"])
@pytest.mark.parametrize(
    ("status", "elsewhere"),
    [
        row(16, "307 to the same origin", 307, False),
        row(16, "307 to another origin", 307, True),
        row(16, "302 to another origin", 302, True),
    ],
)
def test_a_redirect_is_never_followed(
    case: FaultCase, status: int, elsewhere: bool, after: bool
) -> None:
    other = ScriptedServer()
    target = f"{other.url if elsewhere else case.service.url}/elsewhere"
    redirect = says(status, b"", location=target)
    fault = after_body(redirect, processed=False) if after else at_byte(0, lingering(redirect))
    case.service.always("upload", fault)
    case.fails(ZhiyiPDFError)
    other.close()
    assert other.seen == []
    assert case.service.requests("/elsewhere") == []
    assert case.charges == 0


# -- 17: idle connections ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        row(17, "idle connections close under us, 24 uploads", 24),
        pytest.param(1000, marks=pytest.mark.slow, id="17 idle connections, 1000 uploads"),
    ],
)
def test_every_upload_has_a_fresh_connection_and_none_is_ambiguous(
    case: FaultCase, number: int
) -> None:
    service = FaultService(keep_alive=True, idle_s=0.002)
    case.service.close()
    case.service = service
    service.start = number * COST
    outcomes = case.convert_many([case.pdf(f"number {n}") for n in range(number)])
    errors = [str(o.error) for o in outcomes.values() if o.error is not None]
    assert [e for e in errors if "paid" in e] == []
    assert (case.charges, service.uploads) == (number, number)
    uploads = [seen.connection for seen in service.of("upload")]
    others = [seen.connection for seen in service.seen if seen.method == "GET"]
    assert not set(uploads) & set(others)
    assert len(set(uploads)) == number


# -- 19 to 21: the caller and the source -------------------------------------------------------


def interrupted(case: FaultCase, pdf: Path, reached: threading.Event, then: object = None) -> None:
    """Convert until the service says so, then cancel the call as its caller would."""
    if case.synchronous:

        def press_ctrl_c() -> None:
            reached.wait(30)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press_ctrl_c, daemon=True).start()
        case.fails(KeyboardInterrupt, pdf)
        return

    async def cancelled() -> None:
        call = asyncio.create_task(case.converter().aconvert(pdf))
        while not reached.is_set():  # noqa: ASYNC110 - it is set by a thread
            await asyncio.sleep(0.005)
        call.cancel()
        await call

    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(cancelled())
    case.collect_error(caught.value)


@pytest.mark.parametrize("row", [row(19, "cancelled in the middle of the body", None)])
def test_a_call_cancelled_in_the_body_pays_nothing(case: FaultCase, row: None) -> None:
    pdf, reached = case.pdf(large=True), threading.Event()
    case.service.queue("upload", reading_slowly(honestly, reached=reached))
    interrupted(case, pdf, reached)
    assert case.charges == 0
    assert not case.service.of("upload")[0].complete
    assert case.record(pdf)["state"] in ("sending", "failed")
    assert case.convert(pdf).points == COST
    assert case.charges == 1


@pytest.mark.parametrize("row", [row(19, "cancelled after the gate", None)])
def test_a_call_cancelled_after_the_gate_has_its_task_written_down(
    case: FaultCase, row: None
) -> None:
    reached = threading.Event()

    def answered_late(service: FaultService, wire: Wire) -> None:
        status, payload = service.process(wire)
        reached.set()
        service.stopped.wait(0.3)  # the cancellation is under way
        service.reply(wire, status, payload)

    case.service.queue("upload", answered_late)
    interrupted(case, case.pdf(), reached)
    assert case.record()["state"] == "accepted"
    assert case.convert().points == 0
    assert (case.charges, case.service.uploads) == (1, 1)


def shrink(path: Path) -> None:
    os.truncate(path, 2_000_000)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def change(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-9, os.SEEK_END)
        file.write(b"%")


@pytest.mark.parametrize(
    "harm",
    [
        row(20, "source truncated during the upload", shrink),
        row(20, "source grows during the upload", grow),
        row(20, "source changes during the upload", change),
    ],
)
def test_a_source_that_changes_under_us_is_never_paid_for(
    case: FaultCase, harm: Callable[[Path], None]
) -> None:
    pdf, reached = case.pdf(large=True), threading.Event()

    def harmful(service: FaultService, wire: Wire) -> None:
        wire.read_body(1_000_000)
        harm(pdf)
        honestly(service, wire)

    case.service.always("upload", harmful)
    error = case.fails(ZhiyiPDFError, pdf)
    assert re.search("shrank|grew|changed", error.message)
    assert error.points_charged is False
    assert (case.charges, case.service.uploads) == (0, 1)
    assert not reached.is_set()


@pytest.mark.parametrize("row", [row(21, "remote source fails at 50 %", None)])
def test_a_remote_source_that_breaks_off_is_never_uploaded(
    case: FaultCase, http_root: HttpRoot, row: None
) -> None:
    (http_root.folder / "cut").mkdir(exist_ok=True)
    (http_root.folder / "cut" / "paper.pdf").write_bytes(case.pdf().read_bytes())
    case.fails(OSError, http_root.url("cut/paper.pdf"))
    assert case.service.seen == []


# -- 22 to 25: polls ---------------------------------------------------------------------------


@pytest.mark.parametrize("row", [row(22, "polls: one in ten fails", None)])
def test_a_task_survives_polls_that_fail_now_and_then(case: FaultCase, row: None) -> None:
    case.service.polls = 60
    faults = [honestly] * 9
    for fault in (says(500, b"x"), rst, fin, html(502), html(503)):
        case.service.queue("status", *faults, fault)
    assert case.convert().points == COST
    assert (case.charges, len(case.service.of("status"))) == (1, 65)


@pytest.mark.parametrize(
    "fault",
    [row(22, "a poll is cut", cut_json), row(22, "a poll is a gateway's page", html(200))],
)
def test_a_poll_that_cannot_be_read_loses_nothing(case: FaultCase, fault: Fault) -> None:
    case.service.queue("status", fault)
    with contextlib.suppress(ServiceError):
        case.convert()
    case.convert()
    assert (case.charges, case.service.uploads) == (1, 1)


@pytest.mark.parametrize("row", [row(22, "polls: no answer for 30 s", None)])
def test_a_task_survives_an_outage(case: FaultCase, row: None) -> None:
    case.service.polls = 5
    begun: list[float] = []

    def outage(service: FaultService, wire: Wire) -> None:
        begun.append(case.time.seconds)
        if case.time.seconds - begun[0] < 30:
            wire.reset()
        else:
            honestly(service, wire)

    case.service.always("status", outage)
    with contextlib.suppress(ServiceUnavailable):  # allowed, as long as nothing is lost by it
        case.convert()
    assert case.record()["state"] in ("accepted", "unpacked")
    case.time.advance(30)
    assert case.convert().points == 0
    assert (case.charges, case.service.uploads) == (1, 1)
    gaps = [b - a for a, b in itertools.pairwise(begun)]
    assert max(gaps) > min(gaps) > 0  # it backs off
    assert len([moment for moment in begun if moment - begun[0] < 30]) <= 12


@pytest.mark.parametrize(
    "answers",
    [
        row(23, "status unknown", [{"status": "dreaming"}, {"status": "on its way"}]),
        row(
            23,
            "progress falls",
            [{"status": "processing", "progress": p} for p in (80, 20, -5, 500, "half", None)],
        ),
    ],
)
def test_a_strange_status_is_waited_out(case: FaultCase, answers: list[dict[str, object]]) -> None:
    case.service.queue("status", *(says(200, {"success": True, **a}) for a in answers))
    assert case.convert().points == COST


@pytest.mark.parametrize("row", [row(23, "success false and failed", None)])
def test_a_failed_task_is_reported_with_its_code_and_its_refund(case: FaultCase, row: None) -> None:
    case.service.code = "parse_error"
    error = case.fails(TaskFailed)
    assert (error.code, error.points_charged) == ("parse_error", False)
    assert case.service.points() == case.service.start
    assert case.record()["state"] == "failed"
    case.service.code = None
    assert case.convert().points == COST  # the points came back, so it may be paid again
    assert case.charges == 1


@pytest.mark.parametrize(
    "status",
    [
        row(23, "waiting for ever", "waiting"),
        row(23, "processing for ever", "processing"),
    ],
)
def test_a_task_that_never_ends_meets_the_deadline_and_stays_on_record(
    case: FaultCase, status: str
) -> None:
    case.service.always("status", says(200, {"success": True, "status": status}))
    # Six hours in the queue would be 7,200 polls.
    error = case.fails(ConversionTimeout, polling=Polling(waiting_s=120, processing_s=100))
    assert error.task_id == "task-1"
    case.service.always("status", None)
    assert case.convert().points == 0
    assert (case.charges, case.service.uploads) == (1, 1)


@pytest.mark.parametrize("row", [row(24, "401 in the middle of a run", None)])
def test_a_key_refused_in_the_middle_loses_nothing(case: FaultCase, row: None) -> None:
    pdfs = [case.pdf(f"number {n}") for n in range(8)]

    def third_time(service: FaultService, wire: Wire) -> None:
        service.refused_keys.add(KEY)
        honestly(service, wire)

    case.service.polls = 2
    case.service.queue("upload", honestly, honestly, honestly, third_time)
    first = case.convert_many(pdfs)
    errors = [outcome.error for outcome in first.values() if outcome.error is not None]
    assert errors
    assert {type(error) for error in errors} == {AuthenticationError}
    paid = case.charges
    case.service.refused_keys.clear()
    second = case.convert_many(pdfs)
    assert [outcome.error for outcome in second.values() if outcome.error is not None] == []
    assert (paid <= 3, case.charges) == (True, 8)


@pytest.mark.parametrize("row", [row(25, "500 cancelled calls, then a poll", None)])
def test_cancelled_calls_leave_the_connections_usable(case: FaultCase, row: None) -> None:
    release = threading.Event()
    converter = case.converter(clock=None)

    async def storm() -> None:
        case.service.always("balance", held(honestly, reached=threading.Event(), release=release))
        async with converter:
            for _ in range(10):
                calls = [asyncio.create_task(converter.abalance()) for _ in range(50)]
                seen = len(case.service.of("balance"))
                while len(case.service.of("balance")) == seen:  # noqa: ASYNC110 - a thread's doing
                    await asyncio.sleep(0)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            release.set()
            case.service.always("balance", None)
            assert (await converter.abalance()).points == case.service.start
            assert (await converter.aconvert(case.pdf())).points == COST

    if case.synchronous:
        with converter:
            blocking.run(storm())
            assert converter.convert(case.pdf()).from_store
    else:
        asyncio.run(storm())
    assert case.charges == 1


# -- 26 to 29: downloads -----------------------------------------------------------------------


@pytest.mark.parametrize("percent", [0, 50, 99])
@pytest.mark.parametrize(
    "framing",
    [
        row(26, "download cut three times, Content-Length", "length"),
        row(26, "download cut three times, chunked", "chunked"),
        row(26, "download cut three times, close-delimited", "close"),
    ],
)
def test_a_download_that_is_cut_is_fetched_again(
    case: FaultCase, framing: Framing, percent: int
) -> None:
    case.service.queue("download", *[cut_download(percent, framing)] * 3)
    conversion = case.convert()
    (sha256,) = case.service.charges_by_pdf()
    assert sha256 in conversion.markdown["original"]
    assert (case.charges, len(case.service.of("download"))) == (1, 4)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("row", [row(26, "download always cut", None)])
def test_a_result_that_is_always_cut_is_never_published_and_stays_resumable(
    case: FaultCase, framing: Framing, row: None
) -> None:
    case.service.always("download", cut_download(60, framing))
    error = case.fails(ZhiyiPDFError)
    assert (error.points_charged, error.task_id) == (True, "task-1")
    assert not list(case.store.rglob("manifest.json"))
    case.service.always("download", None)
    assert case.convert().points == 0
    assert (case.charges, case.service.uploads) == (1, 1)


@pytest.mark.parametrize("row", [row(27, "download is a JSON error with 200", None)])
def test_an_error_that_looks_like_a_download_is_read(case: FaultCase, row: None) -> None:
    wrong = {"success": False, "error_code": "parse_error", "message": "x"}
    case.service.queue("download", says(200, wrong, content_type="application/zip"))
    assert case.fails(TaskFailed).code == "parse_error"
    assert not list((case.store / "results").rglob("*.zip"))
    assert case.charges == 1


@pytest.mark.parametrize("kind", ["status", "download"])
@pytest.mark.parametrize("row", [row(27, "404 after 7 days", None)])
def test_a_result_that_is_gone_has_expired(case: FaultCase, kind: Any, row: None) -> None:
    case.service.always("status", says(200, {"success": True, "status": "processing"}))
    case.fails(ConversionTimeout)
    case.service.always("status", None)
    case.time.advance(6.9 * 86_400)
    case.service.always(kind, says(404, {"success": False, "message": "任务不存在"}))
    assert case.fails(ResultExpired).task_id == "task-1"
    assert (case.charges, case.service.uploads) == (1, 1)


@pytest.mark.parametrize(
    "fault",
    [
        row(28, "download drips", dripping(0.01)),
        row(28, "download never starts", silence),
    ],
)
def test_a_download_that_creeps_is_given_up_and_begun_again(case: FaultCase, fault: Fault) -> None:
    case.time = FakeTime(rate=1.0)
    case.service.queue("download", fault, fault)
    timeouts = Timeouts(read_s=0.3, download_window_s=0.3)
    assert case.convert(timeouts=timeouts).points == COST
    assert (case.charges, len(case.service.of("download"))) == (1, 3)


@pytest.mark.parametrize("row", [row(28, "every download drips", None)])
def test_a_download_that_always_creeps_stays_resumable(case: FaultCase, row: None) -> None:
    case.time = FakeTime(rate=1.0)
    case.service.always("download", dripping(0.01))
    timeouts = Timeouts(read_s=0.3, download_window_s=0.1)
    case.fails(ServiceUnavailable, timeouts=timeouts, retry=Retry(attempts=2))
    case.service.always("download", None)
    assert case.convert().points == 0
    assert (case.charges, case.service.uploads) == (1, 1)


MIB = 1 << 20


def resident() -> int:
    """Bytes of this process in memory now (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from proc(5)")
@pytest.mark.parametrize("kind", ["upload", "status", "balance", "download"])
@pytest.mark.parametrize(
    "compressed",
    [
        row(29, "gzip bomb", True),
        row(29, "endless body", False),
    ],
)
def test_an_answer_without_measure_takes_no_memory(
    case: FaultCase, kind: Any, compressed: bool
) -> None:
    peak, sent = [resident()], [0]

    def look(so_far: int) -> None:
        peak.append(resident())
        sent[0] = so_far

    case.service.always(kind, gzip_bomb(200 * MIB) if compressed else endless(look))
    case.collecting = False
    before, watching = resident(), threading.Event()

    def watch() -> None:
        while not watching.wait(0.002):
            peak.append(resident())

    threading.Thread(target=watch, daemon=True).start()
    try:
        limits = Limits(max_download_bytes=128 * MIB)
        if kind == "balance":
            case.service.queue("upload", after_body(rst, processed=False))
        with contextlib.suppress(ZhiyiPDFError):
            case.convert(limits=limits, retry=Retry(attempts=2, upload_attempts=1))
    finally:
        watching.set()
    assert max(peak) - before < 64 * MIB
    assert sent[0] <= 200 * MIB
    assert case.charges <= 1
    assert not list(case.store.rglob("manifest.json")) or kind == "balance"


# -- 30, 31: archives --------------------------------------------------------------------------

_BUILT: dict[str, bytes] = {}


def built(hostile: Hostile) -> bytes:
    if hostile.label not in _BUILT:
        _BUILT[hostile.label] = hostile.build()
    return _BUILT[hostile.label]


REFUSED = [h for h in HOSTILE if h.reason is not None]
CONTAINED = [h for h in HOSTILE if h.reason is None]


@pytest.mark.parametrize("hostile", [row(30, f"ZIP: {h.label}", h) for h in REFUSED])
def test_a_hostile_archive_is_refused_kept_and_not_paid_again(
    case: FaultCase, hostile: Hostile
) -> None:
    case.service.archive = built(hostile)
    error = case.fails(ZhiyiPDFError)
    if isinstance(error, UnsafeArchive):
        assert hostile.reason is not None
        assert re.search(hostile.reason, error.reason, re.DOTALL)
    else:  # no archive at all: an answer in its place
        assert hostile.label in {"JSON error", "HTML page", "empty answer", "cut off at two thirds"}
    assert not [p for p in case.folder.rglob("*") if "evil" in p.name]
    assert not list(case.store.rglob("manifest.json"))
    if isinstance(error, UnsafeArchive) and error.archive is not None:
        (kept,) = (case.store / "results").rglob("*.zip")
        assert kept.read_bytes() == case.service.archive
    case.fails(type(error))
    assert (case.charges, case.service.uploads) == (1, 1)


@pytest.mark.parametrize("hostile", [row(30, f"ZIP: {h.label}", h) for h in CONTAINED])
def test_a_strange_archive_that_does_no_harm_is_unpacked(case: FaultCase, hostile: Hostile) -> None:
    case.service.archive = built(hostile)
    conversion = case.convert()
    assert conversion.missing == ()
    assert not [p for p in case.folder.rglob("*") if "evil" in p.name]
    assert case.charges == 1


@pytest.mark.parametrize(
    "encoding",
    [
        row(31, "GBK names", "gbk"),
        row(31, "UTF-8 names without the flag", "utf-8"),
    ],
)
def test_chinese_names_are_right_and_links_lead_to_their_pictures(
    case: FaultCase, encoding: str
) -> None:
    text = "# 论文\n\n![图](图片/一.png)\n".encode()
    case.service.archive = write_zip(
        [
            Member(name="论文.md".encode(encoding), content=text),
            Member(name="图片/一.png".encode(encoding), content=PNG),
        ]
    )
    conversion = case.convert()
    (asset,) = conversion.assets
    assert (asset.name, asset.referenced, conversion.missing) == ("图片/一.png", True, ())
    assert case.converter().read_asset(asset) == PNG


# -- 32: the store -----------------------------------------------------------------------------


def failing_writes(monkeypatch: pytest.MonkeyPatch, number: int, code: int) -> list[str]:
    """Let the n-th file that is published on the local disk fail halfway."""
    published: list[str] = []
    fsync = os.fsync

    def fail(descriptor: int) -> None:
        published.append(str(descriptor))
        if len(published) == number:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    return published


@pytest.mark.parametrize(
    "code", [row(32, "ENOSPC in the store", errno.ENOSPC), row(32, "EACCES", errno.EACCES)]
)
def test_a_store_that_cannot_be_written_shows_nothing_half_and_pays_nothing_twice(
    case: FaultCase, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    number, reached_the_end = 0, False
    while not reached_the_end and number < 40:
        number += 1
        pdf = case.pdf(f"write {number}")
        with monkeypatch.context() as patch:
            published = failing_writes(patch, number, code)
            with contextlib.suppress(OSError, UploadOutcomeUnknown):
                case.convert(pdf)
            reached_the_end = len(published) < number
        uploads = case.service.uploads
        record = case.record(pdf) if len(case.records()) >= number else None
        assert case.charges in (number, number - 1)
        paid = case.charges == number
        try:
            conversion = case.convert(pdf)
        except UploadOutcomeUnknown:
            # The one write whose loss cannot be mended: the task's name, just paid for.
            assert record is not None
            assert record["state"] == "committing"
            continue
        assert f"# {conversion.source.sha256}" in conversion.markdown["original"]
        assert case.service.uploads - uploads == (0 if paid else 1)
        assert case.charges == number
    assert reached_the_end
    assert number > 6  # planned, sending, committing, accepted, completed, archive, bundle …


@pytest.mark.parametrize("row", [row(32, "S3 answers 500 to a PUT", None)])
def test_an_s3_store_that_fails_shows_nothing_half_and_pays_nothing_twice(
    case: FaultCase, s3: S3, monkeypatch: pytest.MonkeyPatch, row: None
) -> None:
    import s3fs

    call = s3fs.S3FileSystem._call_s3
    options = {"store": s3.url(s3.folder()), "storage_options": s3.storage_options}
    for number in range(1, 30):
        pdf, puts = case.pdf(f"put {number}"), [0]

        async def failing(
            fs: Any,
            method: str,
            *args: Any,
            puts: list[int] = puts,
            number: int = number,
            **kw: Any,
        ) -> Any:
            if method in ("put_object", "upload_part", "copy_object"):
                puts[0] += 1
                if puts[0] == number:
                    raise OSError(errno.EIO, "InternalError: 500")
            return await call(fs, method, *args, **kw)

        with monkeypatch.context() as patch:
            patch.setattr(s3fs.S3FileSystem, "_call_s3", failing)
            with contextlib.suppress(OSError, ZhiyiPDFError):
                case.convert(pdf, **options)
        uploads, paid = case.service.uploads, case.charges == number
        try:
            conversion = case.convert(pdf, **options)
        except UploadOutcomeUnknown:
            assert paid
            continue
        assert f"# {conversion.source.sha256}" in conversion.markdown["original"]
        assert case.service.uploads - uploads == (0 if paid else 1)
        assert case.charges == number
        if puts[0] < number:
            assert number > 6
            return
    raise AssertionError("no conversion came to its end")


# -- 33 to 35: processes and addresses ---------------------------------------------------------


@pytest.mark.parametrize("row", [row(33, "two processes, same PDF, same store", None)])
def test_two_processes_upload_one_pdf_once(case: FaultCase, row: None) -> None:
    import subprocess
    import sys

    case.service.polls = 3
    case.service.queue(
        "upload", held(honestly, reached=threading.Event(), release=(go := threading.Event()))
    )
    threading.Timer(1.0, go.set).start()  # the second process meets the first one's upload
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", str(CONVERT_ONCE), *arguments(case), "all"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=60) for process in processes]
    case.collect(*(text for end in ends for text in end))
    assert [process.returncode for process in processes] == [0, 0], ends
    assert (case.charges, case.service.uploads) == (1, 1)
    (sha256,) = case.service.charges_by_pdf()
    assert all(f"result # {sha256}" in out for out, _ in ends)
    assert case.convert().from_store


CONVERT_ONCE = Path(__file__).parent.parent / "support" / "convert_once.py"


def arguments(case: FaultCase) -> list[str]:
    api = "sync" if case.synchronous else "async"
    return [case.service.url, str(case.pdf()), str(case.store), "{}", api]


@pytest.mark.parametrize(
    ("mark", "uploads"),
    [
        row(18, "SIGKILL while sending", "sending", 1),
        row(18, "SIGKILL while committing", "committing", 1),
        row(18, "SIGKILL when accepted", "accepted", 1),
        row(18, "SIGKILL when completed", "completed", 1),
        row(18, "SIGKILL when fetched", "fetched", 1),
    ],
)
def test_a_killed_run_is_taken_up_where_the_record_stands(
    case: FaultCase, mark: str, uploads: int
) -> None:
    from support.killing import kill_after

    kill_after(f"state={mark}", arguments(case))
    assert case.record()["state"] == mark
    paid_before = case.charges
    if mark == "committing":
        assert case.fails(UploadOutcomeUnknown).record == case.record()["key"]
    else:
        assert case.convert().points == (COST if mark == "sending" else 0)
        assert case.charges == 1
    # "sending" is written before a connection is made.
    assert case.service.uploads == uploads
    assert paid_before == (0 if mark in ("sending", "committing") else 1)


@pytest.mark.parametrize(
    "address",
    [
        row(34, "download_url elsewhere", "http://{other}{path}"),
        row(34, "download_url without a scheme", "//{other}{path}"),
        row(34, "download_url with user info", "http://{own}@{other}{path}"),
        row(34, "download_url with credentials for us", "http://user:word@{own}{path}"),
        row(34, "download_url to another path", "/elsewhere/task-1"),
        row(34, "download_url that climbs", f"{API}/download/../../elsewhere"),
        row(34, "download_url with backslashes", "\\\\{other}{path}"),
        row(34, "download_url of another scheme", "ftp://{own}{path}"),
    ],
)
def test_a_download_address_elsewhere_gets_neither_request_nor_key(
    case: FaultCase, address: str
) -> None:
    other = ScriptedServer()
    path = f"{API}/download/task-1"
    url = address.format(
        other=other.url.removeprefix("http://"),
        own=case.service.url.removeprefix("http://"),
        path=path,
    )
    case.service.always("status", says(200, completed("task-1", download_url=url)))
    error = case.fails(ProtocolError)
    other.close()
    assert error.points_charged is True
    assert other.seen == []
    assert case.service.of("download") == []
    assert case.service.requests("/elsewhere") == []
    case.service.always("status", None)
    assert case.convert().points == 0  # refused, not lost


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing to fork with")
@pytest.mark.parametrize("row", [row(35, "fork after first use", None)])
def test_a_forked_child_converts_and_answers_are_never_crossed(case: FaultCase, row: None) -> None:
    import subprocess
    import sys

    case.service.keep_alive = True
    pdfs = [case.pdf(f"number {n}") for n in range(9)]
    program = CONVERT_ONCE.with_name("fork_and_convert.py")
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            str(program),
            case.service.url,
            str(case.store),
            "sync" if case.synchronous else "async",
            *map(str, pdfs),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    case.collect(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert case.charges == 9


# -- 36: the key -------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [row(36, "the key is nowhere", None)])
def test_the_key_is_in_no_log_error_repr_record_or_pickle(
    case: FaultCase, caplog: pytest.LogCaptureFixture, row: None
) -> None:
    many: list[Fault] = [
        at_byte(0, rst),
        at_byte(0, says(402, NO_POINTS)),
        after_body(rst, processed=True),
        after_body(html(504), processed=False),
        after_body(cut_json, processed=True),
        at_byte(0, says(307, b"", location="http://127.0.0.1:9/")),
        says(401, {"success": False, "error_code": "invalid_api_key"}),
        says(500, {"success": False, "error_code": "points_deduction_failed"}),
    ]
    for number, fault in enumerate(many):
        case.service.queue("upload", fault)
        with contextlib.suppress(ZhiyiPDFError):
            case.convert(case.pdf(f"upload {number}"))
    for number, kind in enumerate(("status", "download", "balance")):
        for end in (rst, html(502), gzip_bomb(MIB), says(401, {"success": False})):
            case.service.always(kind, end)  # type: ignore[arg-type]  # they are kinds
            case.service.queue("upload", *[after_body(rst, processed=False)][: number // 2])
            with contextlib.suppress(ZhiyiPDFError):
                case.convert(case.pdf(f"{kind} {end.__name__} {number}"))
            case.service.always(kind, None)  # type: ignore[arg-type]  # the same
    assert len(case.trail) > 60
    assert any("Traceback" in thing.decode("utf-8", "replace") for thing in case.trail)
    assert any(record.levelname == "DEBUG" for record in caplog.records)
    # The control: it was sent, in the one place where it belongs.
    seen = case.service.seen
    assert {s.headers["authorization"] for s in seen} == {f"Bearer {KEY}"}
    assert not [s for s in seen if KEY in s.target or KEY.encode() in s.body]
    assert case.search(caplog) == []


# -- TLS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's context with a certificate that nobody vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
