"""Send httpx requests to an ASGI application in this process, without a socket."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, MutableMapping
from typing import Any, TypeVar

import httpx

__all__ = ["AsgiApplication", "AsgiClients"]

T = TypeVar("T")
Message = MutableMapping[str, Any]
AsgiApplication = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
Submit = Callable[[Coroutine[Any, Any, Any]], "concurrent.futures.Future[Any]"]
QUEUED_PIECES = 8  # of 256 KiB at most: bounds memory in both directions


class AsgiClients:
    """Makes transports whose requests are answered by ``app`` on another thread's event loop.

    ``httpx.ASGITransport`` is not used: it is asynchronous only, and it holds whole answers in
    memory before it hands them out.

    Args:
        app: The application; its lifespan is the caller's business.
        submit: Start a coroutine on the application's loop.
    """

    def __init__(self, app: AsgiApplication, submit: Submit) -> None:
        self._app = app
        self._submit = submit

    def sync_transport(self) -> httpx.BaseTransport:
        """See :class:`zhiyipdf.transport.http.InProcess`."""
        return _SyncTransport(self._app, self._submit)

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """See :class:`zhiyipdf.transport.http.InProcess`."""
        return _AsyncTransport(self._app, self._submit)


class _Exchange:
    """One request and its answer, living on the application's loop."""

    def __init__(self, app: AsgiApplication, request: httpx.Request) -> None:
        self._app = app
        self._scope = _scope(request)
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_PIECES)
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_PIECES)
        self._started = asyncio.Event()
        self._gone = asyncio.Event()
        self._status = 500
        self._headers: list[tuple[bytes, bytes]] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def push(self, piece: bytes | None) -> bool:
        """Hand over a piece of the body; False once the answer has begun and it would be lost."""
        put = asyncio.create_task(self._inbox.put(piece))
        answered = asyncio.create_task(self._started.wait())
        await asyncio.wait({put, answered}, return_when=asyncio.FIRST_COMPLETED)
        accepted = put.done()
        put.cancel()
        answered.cancel()
        return accepted

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        await self._started.wait()
        return self._status, self._headers

    async def pull(self) -> bytes | None:
        return await self._outbox.get()

    async def close(self) -> None:
        self._gone.set()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - an application's failure is an HTTP 500, as on a server
            self._started.set()
        self._started.set()
        await self._outbox.put(None)

    async def _receive(self) -> Message:
        if self._gone.is_set():
            return {"type": "http.disconnect"}
        piece = await self._inbox.get()
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(bytes(n), bytes(v)) for n, v in message.get("headers", [])]
            self._started.set()
        elif message["type"] == "http.response.body" and message.get("body"):
            await self._outbox.put(bytes(message["body"]))


class _SyncTransport(httpx.BaseTransport):
    def __init__(self, app: AsgiApplication, submit: Submit) -> None:
        self._app = app
        self._submit = submit

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(self._app, request)
        self._submit(exchange.start()).result()
        try:
            assert isinstance(request.stream, httpx.SyncByteStream)  # noqa: S101 - a sync client's
            pieces: Iterator[bytes] = iter(request.stream)
            if all(self._submit(exchange.push(p)).result() for p in pieces if p):
                self._submit(exchange.push(None)).result()
            status, headers = self._submit(exchange.head()).result()
        except BaseException:
            self._submit(exchange.close())
            raise
        return httpx.Response(status, headers=headers, stream=_SyncBody(exchange, self._submit))


class _SyncBody(httpx.SyncByteStream):
    def __init__(self, exchange: _Exchange, submit: Submit) -> None:
        self._exchange = exchange
        self._submit = submit

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._submit(self._exchange.pull()).result()) is not None:
            yield piece

    def close(self) -> None:
        self._submit(self._exchange.close()).result()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, app: AsgiApplication, submit: Submit) -> None:
        self._app = app
        self._submit = submit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(self._app, request)
        await self._there(exchange.start())
        try:
            assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an async one's
            accepted = True
            async for piece in request.stream:
                accepted = not piece or await self._there(exchange.push(piece))
                if not accepted:
                    break
            if accepted:
                await self._there(exchange.push(None))
            status, headers = await self._there(exchange.head())
        except BaseException:
            self._submit(exchange.close())
            raise
        return httpx.Response(status, headers=headers, stream=_AsyncBody(exchange, self._there))

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        result: T = await asyncio.wrap_future(self._submit(work))
        return result


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(
        self, exchange: _Exchange, there: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]]
    ) -> None:
        self._exchange = exchange
        self._there = there

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._there(self._exchange.pull())) is not None:
            yield piece

    async def aclose(self) -> None:
        await self._there(self._exchange.close())


def _scope(request: httpx.Request) -> Message:
    # As httpcore has it: a target that is sent instead of the URL's own path and query.
    target: bytes = request.extensions.get("target", request.url.raw_path)
    raw_path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (request.url.host, request.url.port or 80),
    }
