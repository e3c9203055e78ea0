"""Calls that cost nothing, on the event loop, with the one retry loop of the package."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import httpx

from zhiyipdf.clock import Clock
from zhiyipdf.errors import ProtocolError
from zhiyipdf.models import Secret
from zhiyipdf.policy import Retry, Timeouts
from zhiyipdf.threads import in_thread
from zhiyipdf.transport.direct import DirectCalls
from zhiyipdf.transport.elsewhere import ElsewhereURL
from zhiyipdf.transport.health import Refusals
from zhiyipdf.transport.origin import Origin
from zhiyipdf.transport.repeating import Call, RetryLoop
from zhiyipdf.transport.replies import (
    MAX_CONTROL_BYTES,
    USER_AGENT,
    Bearer,
    InProcess,
    Reply,
    reply_of,
    step_timeouts,
)

__all__ = ["BytesSink", "HttpTransport"]

log = logging.getLogger(__name__)

WRITE_BYTES = 1024 * 1024
BytesSink = Callable[[int, int | None], None]


class HttpTransport:
    """Requests to one service.

    It belongs to the event loop that enters it; enter it with ``async with``.

    Args:
        origin: Where the service is. Keys are sent nowhere else.
        retry: How calls that cost nothing are repeated.
        timeouts: How long each step may take.
        clock: Time and chance.
        proxy: URL of a proxy; the environment's proxies are used without it.
        verify: A TLS context with other certificates than certifi's.
        in_process: Send everything to an application in this process instead.
        refusals: Keys that are not sent any more; shared by the transports of a converter.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        retry: Retry,
        timeouts: Timeouts,
        clock: Clock,
        proxy: str | None = None,
        verify: ssl.SSLContext | None = None,
        in_process: InProcess | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.origin = origin
        self._timeouts = timeouts
        self._clock = clock
        self._proxy = proxy
        self._verify = verify
        self._in_process = in_process
        self._refusals = refusals if refusals is not None else Refusals()
        self._loop = RetryLoop(retry, clock=clock, host=origin.host, refusals=self._refusals)
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        if self._in_process is None and self._verify is None:
            # Loading certifi's bundle takes 0.14 s: once for all clients, off the loop.
            self._verify = await in_thread(httpx.create_ssl_context)
        self._client = httpx.AsyncClient(
            transport=self._in_process.async_transport() if self._in_process else None,
            verify=self._verify if self._verify is not None else True,
            proxy=self._proxy if self._in_process is None else None,
            trust_env=self._in_process is None,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            timeout=step_timeouts(self._timeouts, self._timeouts.read_s),
            # No limit: the callers are bounded, and requests that wait in httpx 0.28's pool lose
            # its slots when they are cancelled (transport study 1.6, encode/httpcore#1093).
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=10),
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    @property
    def clock(self) -> Clock:
        """The time it lives by."""
        return self._clock

    # -- calls that cost nothing -------------------------------------------------------------

    async def get(
        self,
        path: str,
        *,
        key: Secret,
        is_final: Callable[[Reply], bool],
        what: str,
        max_bytes: int = MAX_CONTROL_BYTES,
    ) -> Reply:
        """GET a small answer, with retries.

        Args:
            path: Below the origin.
            key: Sent as ``Authorization: Bearer``.
            is_final: Whether an answer stands although its HTTP status looks like a passing
                failure: the service reports final failures with status 500.
            what: The call in words, for messages.
            max_bytes: The longest answer that is documented.

        Raises:
            AuthenticationError: The key was refused before.
            RateLimited: 429 until the last attempt, or a longer wait than the policy allows.
            ServiceUnavailable: No answer, or 5xx, until attempts, the key's budget or time ran
                out.
        """
        attempt = partial(self._ask, "GET", path, key, max_bytes=max_bytes)
        return await self._loop.run(attempt, self._control_call(key, what, is_final))

    async def post(
        self,
        path: str,
        payload: Mapping[str, object] | None = None,
        *,
        key: Secret,
        is_final: Callable[[Reply], bool],
        what: str,
    ) -> Reply:
        """POST something small that costs nothing, with retries.

        Args:
            path: As for :meth:`get`.
            payload: Sent as JSON; None sends no body.
            key: As for :meth:`get`.
            is_final: As for :meth:`get`.
            what: As for :meth:`get`.

        Raises:
            ZhiyiPDFError: As for :meth:`get`.
        """
        content = None if payload is None else json.dumps(payload).encode()
        attempt = partial(self._ask, "POST", path, key, content=content)
        return await self._loop.run(attempt, self._control_call(key, what, is_final))

    def _control_call(self, key: Secret, what: str, is_final: Callable[[Reply], bool]) -> Call:
        return Call(
            key=key,
            what=what,
            is_final=is_final,
            total_s=self._timeouts.control_s,
            attempt_s=self._timeouts.call_s,
        )

    async def download(
        self,
        url: str,
        *,
        key: Secret,
        to: Path,
        is_final: Callable[[Reply], bool],
        max_bytes: int,
        on_bytes: BytesSink,
        what: str,
    ) -> Reply:
        """GET a large answer into a file, with retries.

        Args:
            url: A full URL of this origin.
            key: As for :meth:`get`.
            to: Overwritten. Holds the body if the reply's status is 200, else nothing of use.
            is_final: As for :meth:`get`.
            max_bytes: Stop above this.
            on_bytes: Told bytes so far and in all (None if unknown).
            what: As for :meth:`get`.

        Returns:
            The answer; with status 200 its body is the first 4 KiB only.

        Raises:
            ProtocolError: The body is longer than ``max_bytes`` or compressed against our wish.
            AuthenticationError: As for :meth:`get`.
            RateLimited: As for :meth:`get`.
            ServiceUnavailable: As for :meth:`get`; also a body that was cut off or crept below
                the slowest speed.
        """
        attempt = partial(
            self._download_once,
            url,
            auth=Bearer(key),
            target=None,
            to=to,
            max_bytes=max_bytes,
            on_bytes=on_bytes,
        )
        return await self._loop.run(attempt, self._download_call(key, what, is_final))

    async def download_elsewhere(
        self,
        url: ElsewhereURL,
        *,
        key: Secret,
        to: Path,
        max_bytes: int,
        on_bytes: BytesSink,
        what: str,
    ) -> Reply:
        """GET what the service keeps on another host into a file, without the key, with retries.

        Args:
            url: Where it is.
            key: Whose budget of repetitions counts; it is not sent.
            to: As for :meth:`download`.
            max_bytes: As for :meth:`download`.
            on_bytes: As for :meth:`download`.
            what: As for :meth:`get`.

        Returns:
            As for :meth:`download`.

        Raises:
            ProtocolError: As for :meth:`download`; also an address in a private network.
            RateLimited: As for :meth:`get`.
            ServiceUnavailable: As for :meth:`download`.
        """
        await in_thread(url.check_addresses)
        attempt = partial(
            self._download_once,
            url.url,
            auth=None,
            target=url.target,
            to=to,
            max_bytes=max_bytes,
            on_bytes=on_bytes,
        )
        call = self._download_call(key, what, lambda _reply: False)
        return await self._loop.beside(url.host).run(attempt, call)

    def _download_call(self, key: Secret, what: str, is_final: Callable[[Reply], bool]) -> Call:
        return Call(
            key=key,
            what=what,
            is_final=is_final,
            total_s=self._timeouts.download_s,
            is_control=False,
        )

    async def _ask(
        self,
        method: str,
        path: str,
        key: Secret,
        *,
        content: bytes | None = None,
        max_bytes: int = MAX_CONTROL_BYTES,
    ) -> Reply:
        async with self._live_client().stream(
            method,
            self.origin.url(path),
            content=content,
            headers={} if content is None else {"Content-Type": "application/json"},
            auth=Bearer(key),
        ) as response:
            return await self._whole(response, max_bytes)

    async def _whole(self, response: httpx.Response, max_bytes: int = MAX_CONTROL_BYTES) -> Reply:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > max_bytes:
                raise ProtocolError("the answer is longer than any that is documented")
        return reply_of(response, bytes(body), self._clock)

    async def _download_once(
        self,
        url: str,
        *,
        auth: httpx.Auth | None,
        target: bytes | None,
        to: Path,
        max_bytes: int,
        on_bytes: BytesSink,
    ) -> Reply:
        extensions = {} if target is None else {"target": target}
        async with self._live_client().stream(
            "GET", url, auth=auth, extensions=extensions
        ) as response:
            if response.status_code != httpx.codes.OK:
                return await self._whole(response)
            if response.headers.get("content-encoding", "identity") not in ("", "identity"):
                # Decoding it could turn 50 kB into 50 MB in one piece (transport study 1.7).
                raise ProtocolError(
                    "the result came compressed although identity was asked for",
                    points_charged=True,
                )
            file: BinaryIO = await in_thread(lambda: to.open("wb"))
            try:
                head = await self._pour(response, file, max_bytes=max_bytes, on_bytes=on_bytes)
            finally:
                await in_thread(file.close)
            return reply_of(response, head, self._clock)

    async def _pour(
        self, response: httpx.Response, file: BinaryIO, *, max_bytes: int, on_bytes: BytesSink
    ) -> bytes:
        """Write the body to ``file`` in large pieces and return its first bytes."""
        declared = response.headers.get("content-length", "")
        total = int(declared) if declared.isdecimal() else None
        head, buffer, done = b"", bytearray(), 0
        window_start, window_bytes = self._clock.monotonic(), 0
        async for piece in response.aiter_raw():
            done += len(piece)
            if done > max_bytes:
                raise ProtocolError(
                    f"the result is larger than {max_bytes} bytes", points_charged=True
                )
            head = head or piece[:4096]
            buffer += piece
            if len(buffer) >= WRITE_BYTES:
                await in_thread(partial(file.write, bytes(buffer)))
                buffer.clear()
                on_bytes(done, total)
            elapsed = self._clock.monotonic() - window_start
            if elapsed > self._timeouts.download_window_s:
                if (done - window_bytes) / elapsed < self._timeouts.download_bytes_per_s:
                    raise httpx.ReadTimeout("the download crept")
                window_start, window_bytes = self._clock.monotonic(), done
        await in_thread(partial(file.write, bytes(buffer)))
        on_bytes(done, total)
        return head

    # -- on worker threads ------------------------------------------------------------------------

    @property
    def direct(self) -> DirectCalls:
        """The calls that are made on worker threads: uploads, and the balance beside them."""
        return DirectCalls(
            self.origin,
            timeouts=self._timeouts,
            clock=self._clock,
            proxy=self._proxy,
            verify=self._verify,
            in_process=self._in_process,
            refusals=self._refusals,
        )

    # -- small pieces ---------------------------------------------------------------------------

    def _live_client(self) -> httpx.AsyncClient:
        if self._client is None:
            raise RuntimeError("the transport is not open; use `async with`")
        return self._client
