"""Doc2X through its first API: a multipart upload, pages in the status (wire notes, 1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from zhiyipdf.errors import (
    AuthenticationError,
    InputError,
    ProtocolError,
    RateLimited,
    ResultExpired,
    ServiceUnavailable,
    TaskFailed,
    ZhiyiPDFError,
)
from zhiyipdf.models import (
    TASK_ID,
    Bundle,
    Doc2XOptions,
    ParseOptions,
    Secret,
    Submission,
    TaskState,
    TaskStatus,
)
from zhiyipdf.policy import Limits
from zhiyipdf.providers.base import Capabilities, Upload
from zhiyipdf.providers.doc2x_addresses import V1_PREFIX
from zhiyipdf.providers.doc2x_result import fetch_result
from zhiyipdf.providers.doc2x_text import finished
from zhiyipdf.providers.doc2x_v1_wire import (
    THROTTLED,
    V1State,
    code_of,
    message_of,
    namespace,
    read_pages,
    read_remaining,
    read_status,
    read_uuid,
)
from zhiyipdf.transport import BytesSink, HttpTransport, MultipartUpload, Reply, UploadOutcome

__all__ = ["V1_LIMITS", "Doc2XV1"]

MIB = 1024 * 1024

V1_LIMITS = Limits(
    max_file_bytes=100 * MIB,  # the vendor's client (1.2)
    max_pages=1000,
    max_image_bytes=10 * MIB,
    retention_s=86_400.0,  # not public for this API; that of the second (section 0, number 4)
)

_STATES: Mapping[V1State, TaskState] = {
    "waiting": "waiting",
    "processing": "processing",
    "translating": "processing",
    "parsed": "completed",
    "translated": "completed",
    "failed": "failed",
}


class Doc2XV1:
    """The service at api.doc2x.noedgeai.com, or anything that speaks its API.

    Keys are access tokens, or begin with ``sk-``; an identity token goes through
    :func:`zhiyipdf.doc2x.refresh_key` first.

    Args:
        transport: An open transport to it.
        limits: For the size of results.
    """

    name = "doc2x-v1"

    def __init__(self, transport: HttpTransport, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        self.capabilities = Capabilities(retention_s=limits.retention_s)

    def cost(self, pages: int, options: ParseOptions) -> int:  # noqa: ARG002 - protocol
        """One page of the quota for each page."""
        return pages

    def submit(self, upload: Upload, *, key: Secret) -> UploadOutcome:
        """POST ``/async/pdf``, or ``/async/img`` for a picture, once."""
        options = Doc2XOptions.of(upload.options, "v1")
        if upload.file.media_type == "application/pdf":
            kind, fields = "pdf", {"ocr": _flag(options.ocr), "parse_to": "1"}
        else:
            kind = "img"
            fields = {
                "equation": _flag(options.formula_only),
                "img_correction": _flag(options.img_correction),
            }
        return self._transport.direct.upload(
            f"{_root(key)}/async/{kind}",
            MultipartUpload(fields=fields, file=upload.file),
            key=key,
        )

    def read_submission(self, outcome: UploadOutcome) -> Submission:
        """Read the answer to an upload; see :class:`~zhiyipdf.providers.base.Provider`."""
        reply = outcome.answer()
        uuid = read_uuid(reply)
        if uuid is not None and TASK_ID.fullmatch(uuid) and reply.status < 300:
            return Submission(task_id=uuid, state="processing")
        with outcome.judged():
            raise _refusal(reply)

    def was_received(self, task_id: str, *, key: Secret) -> bool | None:  # noqa: ARG002 - protocol
        """Nothing can be asked: the service names a task in the answer to its upload."""
        return None

    async def poll(self, task_id: str, *, key: Secret) -> TaskStatus:
        """GET ``/async/status``."""
        reply = await self._status(task_id, key)
        status = read_status(reply)
        if status is None and reply.status in (400, 404, 410):
            # What is said of an unknown task is not public; exports get 400 (5.1, number 6).
            raise ResultExpired("the service does not know this task (any more)", task_id=task_id)
        if status is None:
            raise _refusal(reply).about(task_id=task_id)
        # An unknown state is most likely a new name for "not done yet" (5.1).
        state = "processing" if status.state is None else _STATES[status.state]
        return TaskStatus(
            state=state,
            percent=status.progress,
            code=status.named if state == "failed" else None,
            message=message_of(reply) if state == "failed" else "",
        )

    async def fetch(
        self, task_id: str, status: TaskStatus, *, key: Secret, to: Path, on_bytes: BytesSink
    ) -> None:
        """GET the pages, then the pictures they show, and put them together as an archive."""
        del status  # the pages come with the state of the task, now as then
        pages = read_pages(await self._status(task_id, key))
        if pages is None:
            raise ProtocolError("a finished task has no status", task_id=task_id)
        await fetch_result(self._transport, pages, key=key, to=to, on_bytes=on_bytes)

    async def balance(self, *, key: Secret) -> int:
        """GET ``/limit``: pages left."""
        reply = await self._transport.get(
            f"{_root(key)}/limit", key=key, is_final=lambda _reply: False, what="limit"
        )
        remaining = read_remaining(reply)
        if remaining is None:
            raise _refusal(reply)
        return remaining

    def balance_now(self, *, key: Secret) -> int | None:
        """GET ``/limit`` once, on the calling thread."""
        reply = self._transport.direct.get(f"{_root(key)}/limit", key=key)
        return None if reply is None or reply.status >= 300 else read_remaining(reply)

    def failure(self, status: TaskStatus, task_id: str) -> ZhiyiPDFError:
        """The error of a failed task."""
        code = status.code or "failed"
        limited = code == "pages limit exceeded"
        return TaskFailed(
            "the page limit is exceeded" if limited else "the service could not parse the file",
            code=code,
            task_id=task_id,
            points_charged=False if limited else None,
            hint="Convert fewer pages, or wait for your quota." if limited else "Check the file.",
        )

    def finish(self, bundle: Bundle, options: ParseOptions) -> Bundle:
        """Formulas and comments as they are asked for."""
        return finished(bundle, Doc2XOptions.of(options, "v1"))

    async def _status(self, task_id: str, key: Secret) -> Reply:
        reply = await self._transport.get(
            f"{_root(key)}/async/status?uuid={quote(task_id, safe='')}",
            key=key,
            is_final=lambda reply: reply.status == 429,
            what="status",
            max_bytes=self._limits.max_answer_bytes,
        )
        if reply.status == 429:
            # Whoever asks for many tasks must learn of it: all of a key's polls rest then.
            raise _refusal(reply).about(task_id=task_id)
        return reply


def _root(key: Secret) -> str:
    return f"{V1_PREFIX}/{namespace(key)}"


def _flag(value: bool) -> str:  # noqa: FBT001 - there is nothing else to name
    return "1" if value else "0"


def _refusal(reply: Reply) -> ZhiyiPDFError:
    """Make the error of an answer that is no success (the table of 5.1)."""
    words = message_of(reply) or "nothing"
    error: ZhiyiPDFError
    if reply.status == 429 or code_of(reply) == THROTTLED:
        error = RateLimited(
            f"too many requests or tasks ({words})", retry_after_s=reply.retry_after_s
        )
    elif reply.status in (401, 403) or code_of(reply) == "unauthorized":
        error = AuthenticationError(
            f"the service refused the API key ({words})",
            hint="Pass an access token or a key that begins with sk-; see zhiyipdf.doc2x.",
        )
    elif reply.status == 400:
        refused = InputError(
            f"the service calls the file bad ({words})",
            hint="Check the file; one that failed several times is locked.",
        )
        refused.code = code_of(reply)
        error = refused
    elif reply.status >= 500:
        error = ServiceUnavailable(
            f"the service answered HTTP {reply.status}: {words}", points_charged=None
        )
    else:
        error = ProtocolError(f"HTTP {reply.status} without a result: {words}")
    return error
