"""Answers and what carries them: nouns of the transport, and httpx's errors made ours."""

from __future__ import annotations

import json
import ssl
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from zhiyipdf._version import __version__
from zhiyipdf.clock import Clock
from zhiyipdf.errors import ProtocolError, ServiceUnavailable, ZhiyiPDFError
from zhiyipdf.models import Secret
from zhiyipdf.policy import Timeouts
from zhiyipdf.transport.retry import retry_after_s

__all__ = [
    "MAX_CONTROL_BYTES",
    "USER_AGENT",
    "Bearer",
    "InProcess",
    "Reply",
    "UploadOutcome",
    "reply_of",
    "step_timeouts",
    "translate",
]

MAX_CONTROL_BYTES = 4 * 1024 * 1024  # an answer that is not a download; largest documented: < 1 KiB
USER_AGENT = f"zhiyipdf-python/{__version__}"


class InProcess(Protocol):
    """Clients of an application in this process (the embedded server); see ``transport.asgi``."""

    def sync_transport(self) -> httpx.BaseTransport:
        """Make what a synchronous client sends its requests through."""

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """Make what an asynchronous client sends its requests through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, read whole.

    Attributes:
        status: HTTP status.
        headers: Lower-case names.
        body: At most 4 MiB.
        received_at: Seconds since 1970.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    received_at: float = 0.0

    @property
    def payload(self) -> dict[str, Any] | None:
        """The body as a JSON object, whatever status and content type say; None if it is none."""
        try:
            decoded = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return decoded if isinstance(decoded, dict) else None

    @property
    def retry_after_s(self) -> float | None:
        """Seconds the service asks to wait, if it does."""
        return retry_after_s(
            self.headers.get("retry-after"), date=self.headers.get("date"), now=self.received_at
        )

    @property
    def trace_id(self) -> str:
        """What a service's support asks for, from the header ``trace-id``; empty without one."""
        return "".join(c for c in self.headers.get("trace-id", "")[:80] if c.isprintable())

    @property
    def excerpt(self) -> str:
        """The first 200 characters of the body on one line, for error messages."""
        return " ".join(self.body[:800].decode("utf-8", "replace").split())[:200]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOutcome:
    """What one attempt of an upload came to.

    Attributes:
        reply: The answer, if one was read to its end.
        error: What went wrong instead.
        committed: Whether the whole body may have reached the service. False proves that nothing
            was paid.
        task_id: The task's name, where the service gave it before the upload.
    """

    reply: Reply | None = None
    error: ZhiyiPDFError | None = None
    committed: bool
    task_id: str | None = None

    def answer(self) -> Reply:
        """Give the answer.

        Raises:
            ZhiyiPDFError: There is none. ``points_charged`` is False if nothing was committed, else
                None: nobody can tell.
        """
        if self.reply is not None:
            return self.reply
        error = self.error or ProtocolError("the upload has no outcome")
        error.points_charged = None if self.committed else False
        raise error

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Complete an error that comes of reading the answer.

        A service that answered before it had the whole body has charged nothing.
        """
        try:
            yield
        except ZhiyiPDFError as error:
            if not self.committed:
                error.points_charged = False
            raise

    @property
    def silent(self) -> bool:
        """Whether the service took the body and did not answer in time."""
        cause = None if self.error is None else self.error.__cause__
        return isinstance(cause, httpx.TimeoutException)


class Bearer(httpx.Auth):
    """Puts a key into the one header that it travels in, and nowhere a traceback could show it.

    Args:
        key: The key.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"Bearer({self._key})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See :meth:`httpx.Auth.auth_flow`."""
        request.headers["Authorization"] = f"Bearer {self._key.value}"
        yield request


def reply_of(response: httpx.Response, body: bytes, clock: Clock) -> Reply:
    """Make a reply of httpx's response and a body that was read by hand."""
    return Reply(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=body,
        received_at=clock.now(),
    )


def step_timeouts(timeouts: Timeouts, read_s: float) -> httpx.Timeout:
    """How long each step of a call may take; waiting for the pool has no limit of its own."""
    return httpx.Timeout(connect=timeouts.connect_s, write=timeouts.write_s, read=read_s, pool=None)


def translate(failure: Exception, *, what: str, host: str) -> ServiceUnavailable:
    """Turn httpx's exception into ours, keeping it as the cause.

    Args:
        failure: Any ``httpx.HTTPError`` or ``httpx.InvalidURL``.
        what: The call in words.
        host: Named in the message; URLs are not.
    """
    retryable = True
    match failure:
        case httpx.ConnectError() if _is_certificate_failure(failure):
            text, retryable = f"the TLS certificate of {host} cannot be verified", False
        case httpx.ProxyError():
            text = f"the proxy refused to connect to {host}"
            retryable = "407" not in str(failure)
        case httpx.ConnectTimeout() | httpx.ConnectError():
            text = f"cannot connect to {host}"
        case httpx.TimeoutException():
            text = f"{host} did not answer in time"
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.LocalProtocolError():
            text, retryable = f"the request to {host} cannot be made: {failure}", False
        case _:
            text = f"the connection to {host} broke ({type(failure).__name__})"
    error = ServiceUnavailable(f"{what}: {text}", retryable=retryable)
    error.__cause__ = without_frames(failure)
    return error


def without_frames(failure: BaseException) -> BaseException:
    """Drop the tracebacks of an error and its causes.

    Their frames hold the request's headers, and so the key, for everybody who prints tracebacks
    with local variables.
    """
    link: BaseException | None = failure
    while link is not None:
        link.with_traceback(None)
        link = link.__cause__ or link.__context__
    return failure


def _is_certificate_failure(failure: BaseException | None) -> bool:
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return True
        failure = failure.__cause__ or failure.__context__
    return False
