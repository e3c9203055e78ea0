"""Signed URLs and pictures on other hosts: which may be called, and what is sent and logged."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_time import FakeTime
from support.scripted_server import ScriptedServer, answer
from support.waiting import until
from zhiyipdf.errors import ProtocolError
from zhiyipdf.models import Secret
from zhiyipdf.policy import Retry, Timeouts
from zhiyipdf.transport import ElsewhereURL, GatedFile, HttpTransport, Origin, RawUpload

KEY = Secret("sk-0a1b2c3d4e5f")
HOSTED = Origin.parse("https://v2.example.com")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
async def transport(server: ScriptedServer) -> AsyncIterator[HttpTransport]:
    clock = FakeTime().clock()
    origin = Origin.parse(server.url)
    async with HttpTransport(origin, retry=Retry(), timeouts=Timeouts(), clock=clock) as opened:
        yield opened


@pytest.mark.parametrize(
    "address",
    [
        "https://store.example.com/a/b.pdf?X-Amz-Signature=1",
        "https://store.example.com:8443/a",
        "https://8.8.8.8/a",
        "https://v2.example.com/own",
        "/own/path?x=1",
    ],
)
def test_public_https_addresses_and_the_service_s_own_are_taken(address: str) -> None:
    ElsewhereURL.parse(address, HOSTED)


@pytest.mark.parametrize(
    "address",
    [
        "http://store.example.com/a",
        "ftp://store.example.com/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://10.1.2.3/a",
        "https://169.254.169.254/latest",
        "https://[fd00::1]/a",
        "https://localhost/a",
        "https://intranet/a",
        "https://printer.local/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://user:word@store.example.com/a",
        "https://store.example.com:99999/a",
        "https://store.example.com/a b",
        "//store.example.com/a",
        "file:///etc/passwd",
        "",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ProtocolError):
        ElsewhereURL.parse(address, HOSTED)


def test_a_service_on_loopback_may_hand_out_its_own_addresses() -> None:
    origin = Origin.parse("http://127.0.0.1:8765")
    assert ElsewhereURL.parse("http://127.0.0.1:8765/objects/1?s=2", origin).own
    with pytest.raises(ProtocolError):
        ElsewhereURL.parse("http://127.0.0.1:22/objects/1", origin)


def test_a_public_name_that_leads_into_a_private_network_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(_host: str, *_rest: Any, **_options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = ElsewhereURL.parse("https://rebound.example.com/a", HOSTED)
    with pytest.raises(ProtocolError, match="not public"):
        url.check_addresses()


def test_the_ampersand_may_be_spelt_as_json_does() -> None:
    url = ElsewhereURL.parse("https://s.example.com/o?a=1\\u0026b=2", HOSTED)
    assert url.target == b"/o?a=1&b=2"


async def test_the_query_is_sent_and_never_logged_and_no_key_goes_along(
    server: ScriptedServer,
    transport: HttpTransport,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("/o", answer(200, body=b"bytes"))
    url = ElsewhereURL.parse(f"{server.url}/o?Signature=s3cret%2F", transport.origin)
    reply = await transport.download_elsewhere(
        url,
        key=KEY,
        to=tmp_path / "to",
        max_bytes=100,
        on_bytes=lambda _done, _total: None,
        what="picture",
    )
    assert (reply.status, (tmp_path / "to").read_bytes()) == (200, b"bytes")
    (seen,) = server.seen
    assert seen.target == "/o?Signature=s3cret%2F"
    assert "authorization" not in seen.headers
    assert "s3cret" not in caplog.text + repr(url)


async def test_401_of_another_host_says_nothing_about_the_key(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    server.on("/o", answer(401, {}))
    server.on("/api", answer(200, {}))
    url = ElsewhereURL.parse(f"{server.url}/o", transport.origin)
    await transport.download_elsewhere(
        url,
        key=KEY,
        to=tmp_path / "to",
        max_bytes=100,
        on_bytes=lambda _done, _total: None,
        what="picture",
    )
    reply = await transport.get("/api", key=KEY, is_final=lambda _reply: False, what="poll")
    assert reply.status == 200


# -- raw uploads -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 256 * 1024, 5_000_000])
async def test_a_raw_upload_arrives_to_the_letter(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x" * size)
    server.on("/o", answer(200, body=b""))
    body = RawUpload(file=GatedFile(path=path, file_name="a.pdf", size_bytes=size))
    url = ElsewhereURL.parse(f"{server.url}/o?s=1", transport.origin)
    outcome = await asyncio.to_thread(transport.direct.put, url, body)
    assert outcome.committed
    (seen,) = server.seen
    assert (seen.method, seen.body, seen.complete) == ("PUT", path.read_bytes(), True)
    assert "authorization" not in seen.headers
    assert "transfer-encoding" not in seen.headers


async def test_the_end_of_a_raw_upload_waits_for_the_gate(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x" * 1_000_000)
    at_gate, open_gate = threading.Event(), threading.Event()

    def gate() -> None:
        at_gate.set()
        open_gate.wait(10)

    server.on("/o", answer(200, body=b""))
    file = GatedFile(path=path, file_name="a.pdf", size_bytes=1_000_000, gate=gate)
    url = ElsewhereURL.parse(f"{server.url}/o", transport.origin)
    upload = asyncio.create_task(asyncio.to_thread(transport.direct.put, url, RawUpload(file=file)))
    await asyncio.to_thread(at_gate.wait, 10)
    await until(lambda: server.seen)  # its thread may be behind
    assert not file.committed
    assert not server.seen[0].complete
    open_gate.set()
    assert (await upload).committed
    assert server.seen[0].complete


async def test_a_raw_file_that_changed_is_not_sent_whole(
    server: ScriptedServer, transport: HttpTransport, tmp_path: Path
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x" * 1000)
    server.on("/o", answer(200, body=b""))
    file = GatedFile(path=path, file_name="a.pdf", size_bytes=1000, sha256="0" * 64)
    url = ElsewhereURL.parse(f"{server.url}/o", transport.origin)
    outcome = await asyncio.to_thread(transport.direct.put, url, RawUpload(file=file))
    assert (outcome.committed, outcome.reply) == (False, None)
    assert "changed" in str(outcome.error)
