"""Calls on worker threads, each on a fresh connection: uploads, and the balance beside them."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from zhiyipdf.clock import Clock
from zhiyipdf.errors import InputError, ProtocolError, ServiceUnavailable, ZhiyiPDFError
from zhiyipdf.models import Secret
from zhiyipdf.policy import Timeouts
from zhiyipdf.transport.elsewhere import ElsewhereURL
from zhiyipdf.transport.gated_body import (
    SourceChangedError,
    UploadBody,
    UploadCancelledError,
    UploadTooSlowError,
)
from zhiyipdf.transport.health import Refusals
from zhiyipdf.transport.origin import Origin
from zhiyipdf.transport.replies import (
    MAX_CONTROL_BYTES,
    USER_AGENT,
    Bearer,
    InProcess,
    Reply,
    UploadOutcome,
    reply_of,
    step_timeouts,
    translate,
)

__all__ = ["DirectCalls"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    """Where a request goes, and with which key; ``target`` as for :class:`ElsewhereURL`."""

    method: str
    url: str
    host: str
    key: Secret | None = None
    target: bytes | None = None


class DirectCalls:
    """Blocking calls, each tried once on a connection of its own.

    Args:
        origin: Where the service is.
        timeouts: How long each step may take.
        clock: Time.
        proxy: As for the transport.
        verify: As for the transport.
        in_process: As for the transport.
        refusals: As for the transport.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        timeouts: Timeouts,
        clock: Clock,
        proxy: str | None,
        verify: ssl.SSLContext | None,
        in_process: InProcess | None,
        refusals: Refusals,
    ) -> None:
        self._origin = origin
        self._timeouts = timeouts
        self._clock = clock
        self._proxy = proxy
        self._verify = verify
        self._in_process = in_process
        self._refusals = refusals

    def upload(
        self,
        path: str,
        body: UploadBody,
        *,
        key: Secret,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_CONTROL_BYTES,
    ) -> UploadOutcome:
        """POST an upload.

        Args:
            path: Below the origin.
            body: The body with its gate.
            key: Sent as ``Authorization: Bearer``.
            headers: More headers.
            max_bytes: The longest answer that is documented.

        Returns:
            The outcome; what the network or the service does is no exception. What the gate
            raises is.
        """
        refused = self._refusals.error(key)
        if refused is not None:
            return UploadOutcome(error=refused, committed=False)
        request = _Request("POST", self._origin.url(path), self._origin.host, key=key)
        outcome = self._upload(request, body, headers or {}, max_bytes)
        if outcome.reply is not None and outcome.reply.status == httpx.codes.UNAUTHORIZED:
            self._refusals.add(key)
        return outcome

    def put(self, url: ElsewhereURL, body: UploadBody) -> UploadOutcome:
        """PUT an upload to a signed URL, without a key.

        Args:
            url: Where to.
            body: The body with its gate.

        Returns:
            As for :meth:`upload`.
        """
        try:
            url.check_addresses()
        except ProtocolError as error:
            return UploadOutcome(error=error, committed=False)
        request = _Request("PUT", url.url, url.host, target=url.target)
        return self._upload(request, body, {}, MAX_CONTROL_BYTES)

    def post(self, path: str, payload: Mapping[str, object], *, key: Secret) -> Reply:
        """POST a small JSON object that costs nothing, once.

        Args:
            path: Below the origin.
            payload: The object.
            key: Sent as ``Authorization: Bearer``.

        Raises:
            AuthenticationError: The key was refused before.
            ServiceUnavailable: There was no answer.
            ProtocolError: The answer is too long.
        """
        refused = self._refusals.error(key)
        if refused is not None:
            raise refused
        request = _Request("POST", self._origin.url(path), self._origin.host, key=key)
        content = json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        try:
            reply = self._send(request, headers, iter((content,)), read_s=self._timeouts.read_s)
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = translate(failure, what="upload", host=self._origin.host)
            raise error from error.__cause__
        if reply.status == httpx.codes.UNAUTHORIZED:
            self._refusals.add(key)
        return reply

    def get(self, path: str, *, key: Secret, max_bytes: int = MAX_CONTROL_BYTES) -> Reply | None:
        """GET a small answer.

        Args:
            path: Below the origin.
            key: As for :meth:`upload`.
            max_bytes: The longest answer that is documented.

        Returns:
            The answer, or None if there was none.
        """
        try:
            request = _Request("GET", self._origin.url(path), self._origin.host, key=key)
            return self._send(request, {}, None, read_s=self._timeouts.read_s, max_bytes=max_bytes)
        except (httpx.HTTPError, httpx.InvalidURL, ProtocolError) as failure:
            log.info("%s: no answer (%s)", path.partition("?")[0], type(failure).__name__)
            return None

    def _upload(
        self,
        request: _Request,
        body: UploadBody,
        headers: Mapping[str, str],
        max_bytes: int,
    ) -> UploadOutcome:
        file = body.file
        sent_headers = {
            **headers,
            "Content-Type": body.content_type,
            "Content-Length": str(body.content_length),
        }
        # The service counts the pages of large files after their last byte.
        read_s = self._timeouts.upload_read_s + file.size_bytes / 10_000_000
        within_s = self._timeouts.upload_s + file.size_bytes / self._timeouts.upload_bytes_per_s
        deadline = self._clock.monotonic() + within_s
        pieces = body.pieces(late=lambda: self._clock.monotonic() > deadline)
        error: ZhiyiPDFError
        try:
            reply = self._send(request, sent_headers, pieces, read_s=read_s, max_bytes=max_bytes)
        except UploadCancelledError as stopped:
            error = ServiceUnavailable("the upload was given up", retryable=False)
            error.__cause__ = stopped
        except UploadTooSlowError as stopped:
            error = ServiceUnavailable(
                f"upload: {file.size_bytes} bytes could not be sent within {within_s:.0f} s",
                hint="On a slow link, lower Timeouts.upload_bytes_per_s.",
            )
            error.__cause__ = stopped
        except SourceChangedError as stopped:
            error = InputError(f"{stopped}.", hint="Convert it when nobody writes to it.")
            error.__cause__ = stopped
        except ProtocolError as failure:
            error = failure
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = translate(failure, what="upload", host=request.host)
        else:
            return UploadOutcome(reply=reply, committed=file.committed)
        return UploadOutcome(error=error, committed=file.committed)

    def _send(
        self,
        request: _Request,
        headers: Mapping[str, str],
        content: Iterator[bytes] | None,
        *,
        read_s: float,
        max_bytes: int = MAX_CONTROL_BYTES,
    ) -> Reply:
        """Send, and read a small answer whole, whoever drips it."""
        read = bytearray()
        with (
            self._client(read_s) as client,
            client.stream(
                request.method,
                request.url,
                headers=headers,
                content=content,
                auth=None if request.key is None else Bearer(request.key),
                extensions={} if request.target is None else {"target": request.target},
            ) as response,
        ):
            deadline = self._clock.monotonic() + self._timeouts.call_s
            for piece in response.iter_raw():
                read += piece
                if len(read) > max_bytes:
                    raise ProtocolError("the answer is longer than any that is documented")
                if self._clock.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer dripped")
            return reply_of(response, bytes(read), self._clock)

    def _client(self, read_s: float) -> httpx.Client:
        return httpx.Client(
            transport=self._in_process.sync_transport() if self._in_process else None,
            verify=self._verify if self._verify is not None else True,
            proxy=self._proxy if self._in_process is None else None,
            trust_env=self._in_process is None,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            timeout=step_timeouts(self._timeouts, read_s),
            limits=httpx.Limits(max_keepalive_connections=0),
        )
