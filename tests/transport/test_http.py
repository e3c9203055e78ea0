from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from support.fake_time import FakeTime
from support.scripted_server import (
    ScriptedServer,
    answer,
    answer_before_the_body,
    cut_answer,
    reset_after,
    reset_after_the_body,
)
from zhiyipdf.clock import Clock
from zhiyipdf.errors import ProtocolError, RateLimited, ServiceUnavailable
from zhiyipdf.models import Secret
from zhiyipdf.policy import Retry, Timeouts
from zhiyipdf.transport import GatedFile, HttpTransport, MultipartUpload, Origin, Reply
from zhiyipdf.transport.replies import translate

KEY = Secret("sk-very-secret-key")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def naps() -> list[float]:
    """Every pause the transport asked for; nobody really sleeps."""
    return []


@pytest.fixture
async def transport(server: ScriptedServer, naps: list[float]) -> AsyncIterator[HttpTransport]:
    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    async with HttpTransport(
        Origin.parse(server.url),
        retry=Retry(),
        timeouts=Timeouts(read_s=2.0, call_s=4.0, upload_read_s=2.0, write_s=2.0),
        clock=Clock(sleep=sleep, random=lambda: 0.5),
    ) as transport:
        yield transport


def never_final(_reply: Reply) -> bool:
    return False


async def get(transport: HttpTransport) -> Reply:
    return await transport.get("/a", key=KEY, is_final=never_final, what="status")


async def fetch(transport: HttpTransport, to: Path, *, max_bytes: int = 1 << 30) -> Reply:
    return await transport.download(
        transport.origin.url("/a"),
        key=KEY,
        to=to,
        is_final=never_final,
        max_bytes=max_bytes,
        on_bytes=lambda _done, _total: None,
        what="download",
    )


# -- calls that cost nothing -----------------------------------------------------------------


async def test_the_key_travels_in_the_authorization_header_only(
    server: ScriptedServer, transport: HttpTransport, caplog: pytest.LogCaptureFixture
) -> None:
    server.on("/a", answer(200, {"ok": 1}))
    with caplog.at_level(logging.DEBUG):
        await get(transport)
    (seen,) = server.seen
    assert seen.headers.pop("authorization") == f"Bearer {KEY.value}"
    assert KEY.value not in seen.target + str(seen.headers)
    assert KEY.value not in caplog.text


async def test_a_passing_failure_is_tried_again(
    server: ScriptedServer, transport: HttpTransport, naps: list[float]
) -> None:
    server.on("/a", answer(503, {}), reset_after_the_body(), answer(200, {"ok": 1}))
    assert (await get(transport)).payload == {"ok": 1}
    assert naps == [0.25, 0.5]


async def test_a_failure_the_service_explained_is_not_tried_again(
    server: ScriptedServer, transport: HttpTransport
) -> None:
    server.on("/a", answer(500, {"status": "failed"}))
    reply = await transport.get("/a", key=KEY, is_final=lambda _: True, what="status")
    assert (reply.status, len(server.seen)) == (500, 1)


async def test_attempts_end_and_the_last_failure_is_told(
    server: ScriptedServer, transport: HttpTransport
) -> None:
    server.on("/a", answer(502, body=b"<html>bad gateway</html>"))
    with pytest.raises(ServiceUnavailable, match="HTTP 502") as caught:
        await get(transport)
    assert len(server.seen) == Retry().attempts
    assert caught.value.retryable


async def test_retry_after_lengthens_the_pause(
    server: ScriptedServer, transport: HttpTransport, naps: list[float]
) -> None:
    server.on("/a", answer(429, {}, retry_after="7"), answer(200, {}))
    await get(transport)
    assert naps == [7.0]


async def test_a_retry_after_beyond_the_cap_is_raised_and_not_slept(
    server: ScriptedServer, transport: HttpTransport, naps: list[float]
) -> None:
    server.on("/a", answer(429, {}, retry_after="3600"))
    with pytest.raises(RateLimited) as caught:
        await get(transport)
    assert (naps, caught.value.retry_after_s) == ([], 3600.0)


async def test_nothing_listening_is_a_clear_error_that_names_the_host(naps: list[float]) -> None:
    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    async with HttpTransport(
        Origin.parse("http://127.0.0.1:9"),
        retry=Retry(),
        timeouts=Timeouts(),
        clock=Clock(sleep=sleep),
    ) as transport:
        with pytest.raises(ServiceUnavailable, match=r"cannot connect to 127\.0\.0\.1"):
            await get(transport)


async def test_redirects_are_not_followed(server: ScriptedServer, transport: HttpTransport) -> None:
    server.on("/a", answer(302, {}, location=f"{server.url}/b"))
    assert (await get(transport)).status == 302
    assert server.requests("/b") == []


async def test_polls_survive_cancellations_under_contention(
    server: ScriptedServer, transport: HttpTransport
) -> None:
    """httpx 0.28's pool loses slots when waiting requests are cancelled; ours never wait in it."""
    server.on("/a", answer(200, {"ok": 1}))
    tasks = [asyncio.create_task(get(transport)) for _ in range(60)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await get(transport)).payload == {"ok": 1}


# -- downloads -------------------------------------------------------------------------------


async def test_a_download_lands_in_the_file(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 20_000
    server.on("/a", answer(200, body=content))
    reply = await fetch(transport, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content
    assert reply.body == content[: len(reply.body)]
    assert server.seen[0].headers["accept-encoding"] == "identity"


async def test_a_download_that_was_cut_is_fetched_again_whole(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    content = b"0123456789" * 50_000
    server.on("/a", cut_answer(200, content, 3_000), answer(200, body=content))
    await fetch(transport, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content


async def test_an_endless_download_is_stopped(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    server.on("/a", answer(200, body=b"x" * 100_000))
    with pytest.raises(ProtocolError, match="larger than 5000 bytes"):
        await fetch(transport, tmp_path / "x", max_bytes=5000)


async def test_a_compressed_download_is_refused_unread(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    server.on("/a", answer(200, body=b"\x1f\x8b", content_encoding="gzip"))
    with pytest.raises(ProtocolError, match="compressed"):
        await fetch(transport, tmp_path / "x")


# -- uploads ---------------------------------------------------------------------------------


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "big.pdf"
    path.write_bytes(b"%PDF-1.7\n" + b"0123456789abcdef" * 300_000)
    return path


def upload_of(path: Path, **changes: object) -> MultipartUpload:
    facts = {"path": path, "file_name": 'a "name".pdf', "size_bytes": path.stat().st_size}
    file = GatedFile(**{**facts, **changes})  # type: ignore[arg-type]  # for brevity
    return MultipartUpload(fields={"table_mode": "markdown"}, file=file)


async def test_an_upload_arrives_as_multipart_with_a_known_length(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    outcome = await asyncio.to_thread(transport.direct.upload, "/p", upload_of(big_file), key=KEY)
    assert outcome.reply is not None
    assert (outcome.reply.payload, outcome.committed) == ({"task_id": "1"}, True)
    (seen,) = server.seen
    assert seen.complete
    assert "transfer-encoding" not in seen.headers
    assert b'name="table_mode"\r\n\r\nmarkdown\r\n' in seen.body
    assert b'filename="a %22name%22.pdf"' in seen.body
    assert big_file.read_bytes() in seen.body


async def test_an_early_refusal_is_read_although_the_body_was_not(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    server.on("/p", answer_before_the_body(402, {"error_code": "insufficient_points"}))
    for _ in range(5):
        outcome = await asyncio.to_thread(
            transport.direct.upload, "/p", upload_of(big_file), key=KEY
        )
        assert outcome.reply is not None
        assert outcome.reply.status == 402


@pytest.mark.parametrize("count", [0, 1_000_000])
async def test_a_reset_before_the_gate_proves_that_nothing_was_paid(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path, count: int
) -> None:
    path = tmp_path / "huge.pdf"  # larger than what the sockets buffer
    path.write_bytes(b"%PDF-1.7\n" + bytes(24_000_000))
    server.on("/p", reset_after(count))
    outcome = await asyncio.to_thread(transport.direct.upload, "/p", upload_of(path), key=KEY)
    assert not outcome.committed
    assert isinstance(outcome.error, ServiceUnavailable)
    assert outcome.error.retryable


async def test_a_reset_after_the_whole_body_is_ambiguous(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    server.on("/p", reset_after_the_body())
    outcome = await asyncio.to_thread(transport.direct.upload, "/p", upload_of(big_file), key=KEY)
    assert (outcome.reply, outcome.committed) == (None, True)


async def test_the_closing_boundary_waits_for_the_gate(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    at_gate, open_gate = threading.Event(), threading.Event()

    def gate() -> None:
        at_gate.set()
        open_gate.wait(10)

    server.on("/p", answer(200, {"task_id": "1"}))
    body = upload_of(big_file, gate=gate)
    upload = asyncio.create_task(asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY))
    await asyncio.to_thread(at_gate.wait, 10)
    assert not body.file.committed
    assert f"--{body.boundary}--".encode() not in server.seen[0].body
    open_gate.set()
    assert (await upload).committed
    assert server.seen[0].body.endswith(f"--{body.boundary}--\r\n".encode())


async def test_a_gate_that_cannot_be_passed_stops_the_upload_unpaid(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    def gate() -> None:
        raise OSError("disk full")

    server.on("/p", answer(200, {"task_id": "1"}))
    body = upload_of(big_file, gate=gate)
    with pytest.raises(OSError, match="disk full"):
        await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert not body.file.committed
    assert not server.seen[0].complete


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size_bytes": 10}, "grew"),
        ({"size_bytes": 90_000_000}, "shrank"),
        ({"sha256": "0" * 64}, "changed"),
    ],
)
async def test_a_file_that_changed_is_not_paid_for(
    server: ScriptedServer,
    transport: HttpTransport,
    big_file: Path,
    change: dict[str, object],
    words: str,
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    body = upload_of(big_file, **change)
    outcome = await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert not outcome.committed
    assert outcome.error is not None
    assert words in str(outcome.error)
    assert not outcome.error.retryable


async def test_a_cancelled_upload_stops_before_the_gate(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    body = upload_of(big_file)
    body.file.cancelled.set()
    outcome = await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert (outcome.reply, outcome.committed) == (None, False)


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


def slow_uploads(
    server: ScriptedServer, fake_time: FakeTime, *, upload_s: float, bytes_per_s: float
) -> HttpTransport:
    return HttpTransport(
        Origin.parse(server.url),
        retry=Retry(),
        timeouts=Timeouts(upload_s=upload_s, upload_bytes_per_s=bytes_per_s),
        clock=fake_time.clock(),
    )


async def test_an_upload_that_takes_too_long_stops_before_the_gate(
    server: ScriptedServer, fake_time: FakeTime, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    sent, passed = list[int](), threading.Event()

    def on_bytes(count: int) -> None:
        sent.append(count)
        fake_time.advance(10.0)

    body = upload_of(big_file, on_bytes=on_bytes, gate=passed.set)
    async with slow_uploads(server, fake_time, upload_s=45.0, bytes_per_s=1e9) as transport:
        outcome = await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert (outcome.reply, outcome.committed) == (None, False)
    assert isinstance(outcome.error, ServiceUnavailable)
    assert outcome.error.retryable
    assert "within 45 s" in outcome.error.message
    assert len(sent) == 5  # at 0, 10, ... 40 s
    assert not passed.is_set()


async def test_the_last_piece_must_be_in_time_too(
    server: ScriptedServer, fake_time: FakeTime, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    size, passed = big_file.stat().st_size, threading.Event()

    def on_bytes(count: int) -> None:
        fake_time.advance(1000.0 * (count == size))

    body = upload_of(big_file, on_bytes=on_bytes, gate=passed.set)
    async with slow_uploads(server, fake_time, upload_s=45.0, bytes_per_s=1e9) as transport:
        outcome = await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert (outcome.reply, outcome.committed) == (None, False)
    assert not passed.is_set()


async def test_a_larger_file_has_longer(
    server: ScriptedServer, fake_time: FakeTime, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    size = big_file.stat().st_size
    # All but a second of what upload_s and the size allow together.
    seconds_in_all = 45.0 + size / 50_000.0 - 1.0

    def on_bytes(count: int) -> None:
        fake_time.advance(seconds_in_all * (count == size))

    body = upload_of(big_file, on_bytes=on_bytes)
    async with slow_uploads(server, fake_time, upload_s=45.0, bytes_per_s=50_000.0) as transport:
        outcome = await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert outcome.reply is not None
    assert outcome.committed


async def test_an_upload_past_the_gate_is_never_given_up_for_being_slow(
    server: ScriptedServer, fake_time: FakeTime, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    body = upload_of(big_file, gate=lambda: fake_time.advance(1000.0))
    async with slow_uploads(server, fake_time, upload_s=45.0, bytes_per_s=1e9) as transport:
        outcome = await asyncio.to_thread(transport.direct.upload, "/p", body, key=KEY)
    assert outcome.reply is not None
    assert (outcome.reply.payload, outcome.committed) == ({"task_id": "1"}, True)


async def test_every_upload_uses_a_connection_of_its_own(
    server: ScriptedServer, transport: HttpTransport, big_file: Path
) -> None:
    server.on("/p", answer(200, {"task_id": "1"}))
    for _ in range(3):
        await asyncio.to_thread(transport.direct.upload, "/p", upload_of(big_file), key=KEY)
    assert len({seen.peer for seen in server.seen}) == 3


def test_every_transport_error_of_httpx_is_translated() -> None:
    leaves = [
        kind
        for kind in vars(httpx).values()
        if isinstance(kind, type) and issubclass(kind, httpx.TransportError)
    ]
    assert len(leaves) > 10
    for kind in leaves:
        error = translate(kind("x"), what="upload", host="h")
        assert isinstance(error, ServiceUnavailable)
        assert isinstance(error.__cause__, kind)
