"""The application driven as ASGI, without a socket: what base_url="local" does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support import scripted_engine
from support.scripted_engine import make_gate, scripted_pdf
from support.waiting import until
from zhiyipdf.server.accounts import add_key
from zhiyipdf.server.app import create_app
from zhiyipdf.server.database import FolderInUse, FolderLock, open_database
from zhiyipdf.server.settings import ServerSettings

PREFIX = "/api/pdf-to-markdown-proxy"


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncIterator[None]:
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(
        app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put)
    )
    await to_app.put({"type": "lifespan.startup"})
    message = await from_app.get()
    if message["type"] != "lifespan.startup.complete":
        await asyncio.gather(task, return_exceptions=True)
        raise RuntimeError(message["message"])
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
        await task


async def _call(
    app: Any, method: str, path: str, *, key: str, body: bytes = b"", content_type: str = "x/y"
) -> tuple[int, bytes]:
    messages: list[dict[str, Any]] = []
    inbox = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if inbox:
            return inbox.pop()
        await asyncio.Event().wait()  # as long as the client stays, there is nothing more
        raise AssertionError

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("local", 80),
        "client": ("local", 1),
        "headers": [
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
        ],
    }
    await app(scope, receive, send)
    return messages[0]["status"], b"".join(m.get("body", b"") for m in messages[1:])


def _form(content: bytes, **fields: str) -> tuple[bytes, str]:
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        + content
        + b"\r\n--frontier--\r\n"
    )
    return b"".join(parts), "multipart/form-data; boundary=frontier"


def _settings(tmp_path: Path, **settings: Any) -> tuple[ServerSettings, str]:
    made = ServerSettings(folder=tmp_path / "server", engine=scripted_engine.NAME, **settings)
    with open_database(made.folder) as database:
        return made, add_key(database, points=100).key


async def test_a_task_runs_without_a_socket(tmp_path: Path) -> None:
    settings, key = _settings(tmp_path)
    app = create_app(settings)
    body, content_type = _form(scripted_pdf())
    async with _lifespan(app):
        status, answer = await _call(
            app, "POST", f"{PREFIX}/parse", key=key, body=body, content_type=content_type
        )
        assert status == 200, answer
        task_id = answer.decode().split('"task_id":"')[1].split('"')[0]
        path = f"{PREFIX}/status/{task_id}"
        async with asyncio.timeout(60):
            while True:
                _, answer = await _call(app, "GET", path, key=key)
                if b"completed" in answer:
                    break
                await asyncio.sleep(0.01)
        status, archive = await _call(app, "GET", f"{PREFIX}/download/{task_id}", key=key)
        assert (status, archive[:2]) == (200, b"PK")


async def test_a_refusal_after_the_whole_body_does_not_wait_for_more(tmp_path: Path) -> None:
    settings, key = _settings(tmp_path, linger_s=3600)
    app = create_app(settings)
    body, content_type = _form(scripted_pdf(), table_mode="wrong")
    async with _lifespan(app), asyncio.timeout(60):
        status, _ = await _call(
            app, "POST", f"{PREFIX}/parse", key=key, body=body, content_type=content_type
        )
        assert status == 400


async def test_after_the_lifespan_no_worker_and_no_lock_is_left(tmp_path: Path) -> None:
    settings, key = _settings(tmp_path)
    app = create_app(settings)
    gate = make_gate(tmp_path, "gate")
    body, content_type = _form(scripted_pdf(gate=str(gate)))
    async with _lifespan(app):
        service = app.state.service
        await _call(app, "POST", f"{PREFIX}/parse", key=key, body=body, content_type=content_type)
        await until(lambda: service.converting_pids)
        pids = service.converting_pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    FolderLock(settings.folder).close()


async def test_a_second_server_in_the_same_folder_does_not_start(tmp_path: Path) -> None:
    settings, _ = _settings(tmp_path)
    async with _lifespan(create_app(settings)):
        with pytest.raises(RuntimeError, match="another server"):
            async with _lifespan(create_app(settings)):
                pass
        with pytest.raises(FolderInUse):
            FolderLock(settings.folder)


async def test_nothing_is_opened_before_the_lifespan_begins(tmp_path: Path) -> None:
    create_app(ServerSettings(folder=tmp_path / "server"))
    assert not (tmp_path / "server").exists()
