"""The calls of Doc2X's first API as its page has them, each tried three times."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlencode

from zhiyipdf.clock import Clock
from zhiyipdf.doc2x.errors import FileError, KeyRefused, RateLimit, RequestError, StatusError
from zhiyipdf.doc2x.sending import gated_file, send
from zhiyipdf.errors import (
    AuthenticationError,
    ProtocolError,
    RateLimited,
    ServiceUnavailable,
    ZhiyiPDFError,
)
from zhiyipdf.models import Secret
from zhiyipdf.policy import Limits, Retry, Timeouts
from zhiyipdf.providers.doc2x_addresses import V1_BASE_URL, V1_PREFIX, root_of
from zhiyipdf.providers.doc2x_formulas import with_dollars
from zhiyipdf.providers.doc2x_v1_wire import (
    DIRECT,
    THROTTLED,
    V1State,
    code_of,
    message_of,
    namespace,
    read_remaining,
    read_status,
    read_token,
    read_uuid,
)
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import HttpTransport, MultipartUpload, Origin, Reply

__all__ = ["ExportFormat", "V1Session"]

log = logging.getLogger(__name__)

T = TypeVar("T")
ExportFormat = Literal["md", "md_dollar", "latex", "docx"]
SUFFIXES: Mapping[ExportFormat, str] = {
    "md": "zip",
    "md_dollar": "zip",
    "latex": "zip",
    "docx": "docx",
}
WAITS_S = (1.0, 2.0)  # before the second and the third attempt (wire notes 1.5)
ENVIRONMENT = "DOC2X_BASE_URL"

# The words of the page, where the service's own state means them.
_DESCRIPTIONS: Mapping[V1State, str] = {
    "waiting": "Waiting for processing",
    "processing": "Processing file",
    "translating": "Translating file",
    "parsed": "Success",
    "translated": "Translate success",
}


class V1Session:
    """Calls with one key; each opens and closes its own connection.

    The page promises that a call is tried again twice, and so it is, uploads too: an upload whose
    answer was lost may then be charged twice. ``Doc2XLoader`` does not do that.

    Args:
        key: Access token, or a key that begins with ``sk-``.
        base_url: Where the service is; ``DOC2X_BASE_URL`` or the hosted one if omitted.
        clock: Time.

    Raises:
        ValueError: The key holds characters that no key has, or ``base_url`` is no https address.
    """

    def __init__(
        self, key: str, *, base_url: str | None = None, clock: Clock | None = None
    ) -> None:
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("an API key holds characters that no key has")
        url = base_url or os.environ.get(ENVIRONMENT) or V1_BASE_URL
        self._origin = Origin.parse(root_of(url))
        self._key = Secret(key)
        self._namespace = f"{V1_PREFIX}/{namespace(self._key)}"
        self._clock = clock or Clock()

    # -- calls -------------------------------------------------------------------------------------

    async def refresh(self) -> str:
        """POST ``/token/refresh``; gives the access token."""
        if self._key.starts_with(DIRECT):
            return self._key.value  # used as it is (the page, "Request flow")

        async def once(transport: HttpTransport) -> str:
            reply = await transport.post(
                f"{V1_PREFIX}/token/refresh", key=self._key, is_final=_stands, what="refresh_key"
            )
            token = read_token(reply)
            if token is not None:
                return token
            self._check(reply, "refresh_key")
            raise KeyRefused(f"the key could not be validated: {message_of(reply)}")

        return await self._repeated(once)

    async def limit(self) -> int:
        """GET ``/limit``; gives the pages left."""

        async def once(transport: HttpTransport) -> int:
            reply = await transport.get(
                f"{self._namespace}/limit", key=self._key, is_final=_stands, what="get_limit"
            )
            remaining = read_remaining(reply)
            if remaining is not None:
                return remaining
            self._check(reply, "get_limit")
            raise KeyRefused(f"the service does not say what is left: {message_of(reply)}")

        return await self._repeated(once)

    async def upload(
        self, kind: Literal["pdf", "img"], path: Path, fields: Mapping[str, str], *, max_bytes: int
    ) -> str:
        """POST ``/async/pdf`` or ``/async/img``; gives the task's uuid."""

        async def once(transport: HttpTransport) -> str:
            file = await in_thread(partial(gated_file, path, max_bytes=max_bytes))
            upload = partial(
                transport.direct.upload,
                f"{self._namespace}/async/{kind}",
                MultipartUpload(fields=fields, file=file),
                key=self._key,
            )
            outcome = await send(file, upload)
            if outcome.reply is None:
                raise outcome.error or ServiceUnavailable("upload: no answer")
            uuid = read_uuid(outcome.reply)
            if uuid is not None and outcome.reply.status < 400:
                return uuid
            self._check(outcome.reply, f"upload_{kind}")
            raise ProtocolError(f"upload_{kind}: no uuid: {message_of(outcome.reply)}")

        return await self._repeated(once)

    async def status(
        self, uuid: str, *, convert: bool, translate: bool
    ) -> tuple[int, str, list[str]]:
        """GET ``/async/status``; gives progress, description and texts."""
        query = {"uuid": uuid, **({"parse_to": "2"} if translate else {})}

        async def once(transport: HttpTransport) -> tuple[int, str, list[str]]:
            reply = await transport.get(
                f"{self._namespace}/async/status?{urlencode(query)}",
                key=self._key,
                is_final=_stands,
                what="uuid_status",
                max_bytes=Limits().max_answer_bytes,
            )
            status = read_status(reply)
            if status is None:
                self._check(reply, "uuid_status")
                raise ProtocolError(f"uuid_status: no status: {message_of(reply)}")
            if status.state is None:
                raise StatusError(f"unknown state: {status.named[:100]!r}", task_id=uuid)
            if status.state == "failed":
                raise _failed(status.named, uuid)
            texts = [with_dollars(text) if convert else text for text in status.texts]
            return status.progress, _DESCRIPTIONS[status.state], texts

        return await self._repeated(once)

    async def export(self, uuid: str, output_format: ExportFormat, folder: Path) -> str:
        """GET ``/export`` into a file of the folder; gives the file's path."""
        suffix = SUFFIXES.get(output_format)
        if suffix is None:
            raise ValueError(
                f"output_format must be one of {tuple(SUFFIXES)}, not {output_format!r}"
            )
        if await in_thread(lambda: folder.exists() and not folder.is_dir()):
            raise NotADirectoryError(f"Input path is not a directory: {folder}")
        await in_thread(partial(folder.mkdir, parents=True, exist_ok=True))
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in uuid)
        path = folder / f"{name}.{suffix}"
        part = folder / f".{name}.{os.getpid()}.part"
        query = urlencode({"request_id": uuid, "to": output_format})

        async def once(transport: HttpTransport) -> str:
            reply = await transport.download(
                self._origin.url(f"{V1_PREFIX}/export?{query}"),
                key=self._key,
                to=part,
                is_final=_stands,
                max_bytes=Limits().max_download_bytes,
                on_bytes=lambda _done, _total: None,
                what="uuid2file",
            )
            # A ZIP or a .docx never parses as JSON.
            if reply.status != 200 or reply.payload is not None:
                self._check(reply, "uuid2file")
                raise ProtocolError(f"uuid2file: no file: {message_of(reply)}", task_id=uuid)
            await in_thread(partial(part.replace, path))
            return str(path)

        try:
            return await self._repeated(once)
        finally:
            await in_thread(partial(part.unlink, missing_ok=True))

    # -- pieces ------------------------------------------------------------------------------------

    async def _repeated(self, once: Callable[[HttpTransport], Awaitable[T]]) -> T:
        """Call up to three times; what cannot pass is raised at once."""
        async with self._transport() as transport:
            for wait_s in (*WAITS_S, None):
                try:
                    return await once(transport)
                except RateLimited as error:
                    if isinstance(error, RateLimit):
                        raise
                    raise RateLimit(error.message, retry_after_s=error.retry_after_s) from error
                except (FileError, RequestError, StatusError, AuthenticationError):
                    raise
                except (ZhiyiPDFError, OSError) as error:
                    if wait_s is None:
                        raise
                    log.info("%s; again in %.0f s", error, wait_s)
                await self._clock.sleep(wait_s)
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[HttpTransport]:
        transport = HttpTransport(
            self._origin, retry=Retry(attempts=1), timeouts=Timeouts(), clock=self._clock
        )
        async with transport:
            yield transport

    def _check(self, reply: Reply, call: str) -> None:
        """Raise what an answer without a result stands for, where the page has a name for it."""
        words = message_of(reply)
        if reply.status == 429 or code_of(reply) == THROTTLED:
            raise RateLimit(f"{call}: {words}", retry_after_s=reply.retry_after_s)
        if reply.status in (401, 403) or code_of(reply) == "unauthorized":
            raise KeyRefused(f"{call}: the service refused the key {self._key}: {words}")
        if reply.status == 400:
            raise RequestError(f"{call}: {words}", points_charged=False)
        if reply.status >= 500:
            raise ServiceUnavailable(f"{call}: HTTP {reply.status}: {words}")


def _stands(reply: Reply) -> bool:
    """Every answer does: the attempts are counted here, not in the transport."""
    return reply.status != 429


def _failed(named: str, uuid: str) -> StatusError:
    if named == "pages limit exceeded":
        return StatusError(
            "Page limit exceeded",
            task_id=uuid,
            hint="Convert fewer pages, or wait for your quota.",
            points_charged=False,
        )
    return StatusError("the service could not parse the file", task_id=uuid)
