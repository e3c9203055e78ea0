"""Doc2X through its second API: a ticket, a file on a signed URL, pages in the status."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from zhiyipdf.errors import ProtocolError, ServiceError, ServiceUnavailable, ZhiyiPDFError
from zhiyipdf.models import (
    TASK_ID,
    Bundle,
    Doc2XOptions,
    ParseOptions,
    Secret,
    Submission,
    TaskStatus,
)
from zhiyipdf.policy import Limits, Polling
from zhiyipdf.providers.base import Capabilities, Upload
from zhiyipdf.providers.doc2x_addresses import V2_PREFIX
from zhiyipdf.providers.doc2x_codes import SENT_AGAIN, task_error_for
from zhiyipdf.providers.doc2x_result import fetch_result
from zhiyipdf.providers.doc2x_text import finished
from zhiyipdf.providers.doc2x_wire import (
    is_final,
    is_throttled,
    read_image_uid,
    read_pages,
    read_refusal,
    read_status,
    read_ticket,
    read_zip,
    was_received,
)
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import (
    BytesSink,
    ElsewhereURL,
    HttpTransport,
    RawUpload,
    Reply,
    UploadOutcome,
)

__all__ = ["LIMITS", "POLLING", "Doc2X"]

IMAGE = "img-"
"""Stands before the uid of a picture in its task id: it is asked for at an address of its own."""

PDF = "application/pdf"
MIB = 1024 * 1024
DAY_S = 86_400.0

LIMITS = Limits(
    # Wire notes 2.5 and "evidence conflicts": 1 GB through preupload, 2,000 pages; the vendor's
    # client stops at 1,000 pages. Ours to change: a file over them is sent in parts.
    max_file_bytes=1024 * MIB,
    max_pages=1000,
    max_image_bytes=7 * MIB,  # 2.4
    max_source_bytes=4096 * MIB,
    retention_s=DAY_S,
)
"""What the service accepts, and how long it keeps results (wire notes, section 0, number 4)."""

FETCH_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""Seconds between attempts to fetch a finished task whose status is throttled: 24 in all, within
the 1 to 30 s by which the vendor's other client backs off (notes 2.5, "evidence conflicts")."""

POLLING = Polling(
    # Section 2.2: every 1 to 3 s; 5.2 proposes growth to 5 s, and 20 min for parsing.
    interval_min_s=2.0,
    interval_max_s=5.0,
    processing_s=1200.0,
)

T = TypeVar("T")

_ERROR_CODE = re.compile(rb"<Code>([A-Za-z0-9._-]{1,60})</Code>")
_READ_ON_LOOP_BYTES = 256 * 1024


class Doc2X:
    """The service at v2.doc2x.noedgeai.com, or anything that speaks its API.

    Args:
        transport: An open transport to it.
        limits: For the size of results.
    """

    name = "doc2x"

    def __init__(self, transport: HttpTransport, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        self.capabilities = Capabilities(retention_s=limits.retention_s, sent_again=SENT_AGAIN)

    def cost(self, pages: int, options: ParseOptions) -> int:  # noqa: ARG002 - protocol
        """One page of the quota for each page."""
        return pages

    # -- upload ------------------------------------------------------------------------------------

    def submit(self, upload: Upload, *, key: Secret) -> UploadOutcome:
        """POST ``/parse/preupload``, which costs nothing, then PUT the file where it says.

        A picture is POSTed to the service itself, which names it afterwards.
        """
        options = Doc2XOptions.of(upload.options, "v2")
        body = RawUpload(file=upload.file)
        if upload.file.media_type != PDF:
            path = f"{V2_PREFIX}/async/parse/img/layout"
            return self._transport.direct.upload(path, body, key=key)
        try:
            reply = self._transport.direct.post(
                f"{V2_PREFIX}/parse/preupload", {"model": options.model}, key=key
            )
            ticket = read_ticket(reply)
            url = ElsewhereURL.parse(ticket.url, self._transport.origin)
        except ZhiyiPDFError as error:
            return UploadOutcome(error=error, committed=False)
        upload.named(ticket.uid)
        outcome = self._transport.direct.put(url, body)
        return dataclasses.replace(outcome, task_id=ticket.uid)

    def read_submission(self, outcome: UploadOutcome) -> Submission:
        """Read the answer of the object store, or for a picture that of the service.

        See :class:`~zhiyipdf.providers.base.Provider`.
        """
        reply = outcome.answer()
        if outcome.task_id is None:
            with outcome.judged():
                return Submission(task_id=f"{IMAGE}{read_image_uid(reply)}", state="processing")
        if 200 <= reply.status < 300:
            return Submission(task_id=outcome.task_id, state="processing")
        # A store that answers 4xx has kept nothing; behind a gateway's 5xx it may have.
        unclear = outcome.committed and reply.status >= 500
        code = _ERROR_CODE.search(reply.body)
        shown = f" ({code[1].decode()})" if code is not None else ""
        raise ServiceUnavailable(
            f"the object store answered HTTP {reply.status}{shown}",
            points_charged=None if unclear else False,
        )

    def was_received(self, task_id: str, *, key: Secret) -> bool | None:
        """GET ``/parse/status`` once, on the calling thread."""
        reply = self._transport.direct.get(
            self._status_path(task_id), key=key, max_bytes=self._limits.max_answer_bytes
        )
        return None if reply is None else was_received(reply)

    # -- task --------------------------------------------------------------------------------------

    async def poll(self, task_id: str, *, key: Secret) -> TaskStatus:
        """GET ``/parse/status``."""
        reply = await self._status(task_id, key)
        if reply.status == 429:
            # Whoever asks for many tasks must learn of it: all of a key's polls rest then.
            raise read_refusal(reply, task_id)
        return await _read(partial(read_status, reply, task_id), reply)

    async def fetch(
        self, task_id: str, status: TaskStatus, *, key: Secret, to: Path, on_bytes: BytesSink
    ) -> None:
        """GET the pages, then the pictures they show, and put them together as an archive."""
        del status  # the pages come with the state of the task, now as then
        reply = await self._status(task_id, key)
        for pause_s in FETCH_PAUSES_S:
            if not is_throttled(reply):
                break
            # The limits of a key speak up here too, and the task is paid for: it can wait.
            await self._transport.clock.sleep(pause_s)
            reply = await self._status(task_id, key)
        pages = await _read(partial(read_pages, reply, task_id), reply)
        is_picture = task_id.startswith(IMAGE)
        await fetch_result(
            self._transport,
            pages,
            key=key,
            to=to,
            on_bytes=on_bytes,
            figures=read_zip(reply) if is_picture else None,
            in_points=is_picture,
        )

    async def balance(self, *, key: Secret) -> int:  # noqa: ARG002 - protocol
        """Nobody can be asked.

        Raises:
            ServiceError: Always: this API has no such call (wire notes 2.4).
        """
        raise ServiceError(
            "Doc2X's API does not tell how many pages are left",
            hint="Look at the service's web page; zhiyipdf.doc2x.get_limit asks its first API.",
        )

    def balance_now(self, *, key: Secret) -> int | None:  # noqa: ARG002 - protocol
        """None: an upload in doubt is settled by :meth:`was_received`."""
        return None

    def failure(self, status: TaskStatus, task_id: str) -> ZhiyiPDFError:
        """The error of a failed task, or of one that waited too long to begin."""
        return task_error_for(status.code or "unknown", status.message, task_id=task_id)

    def finish(self, bundle: Bundle, options: ParseOptions) -> Bundle:
        """Formulas and comments as they are asked for."""
        return finished(bundle, Doc2XOptions.of(options, "v2"))

    # -- pieces ------------------------------------------------------------------------------------

    async def _status(self, task_id: str, key: Secret) -> Reply:
        return await self._transport.get(
            self._status_path(task_id),
            key=key,
            is_final=lambda reply: reply.status == 429 or is_final(reply),
            what="status",
            max_bytes=self._limits.max_answer_bytes,
        )

    def _status_path(self, task_id: str) -> str:
        if not TASK_ID.fullmatch(task_id):
            raise ProtocolError(f"not a task id: {task_id[:80]!r}", points_charged=True)
        if task_id.startswith(IMAGE):
            return f"{V2_PREFIX}/parse/img/layout/status?uid={task_id.removeprefix(IMAGE)}"
        return f"{V2_PREFIX}/parse/status?uid={task_id}"


async def _read(read: Callable[[], T], reply: Reply) -> T:
    """Read an answer where it holds up nobody: a result of many pages takes a while."""
    if len(reply.body) <= _READ_ON_LOOP_BYTES:
        return read()
    return await in_thread(read)
