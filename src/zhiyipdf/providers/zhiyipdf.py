"""ZhiyiPDF: its four calls, as its API page has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zhiyipdf.errors import ProtocolError, RateLimited, TaskFailed, ZhiyiPDFError
from zhiyipdf.models import TASK_ID, Bundle, ParseOptions, Secret, Submission, TaskStatus
from zhiyipdf.policy import Limits
from zhiyipdf.providers.base import Capabilities, Upload
from zhiyipdf.providers.zhiyipdf_codes import error_for
from zhiyipdf.providers.zhiyipdf_wire import (
    is_final,
    read_balance,
    read_refusal,
    read_status,
    read_submission,
)
from zhiyipdf.transport import BytesSink, HttpTransport, MultipartUpload, UploadOutcome

__all__ = ["BASE_URL", "ZhiyiPDF"]

BASE_URL = "https://www.zhiyipdf.com"  # API page, section "Base URL"
PREFIX = "/api/pdf-to-markdown-proxy"
# API page, section "积分消耗规则".
POINTS_PER_PAGE = 2
POINTS_PER_TRANSLATED_PAGE = 3


class ZhiyiPDF:
    """The service at zhiyipdf.com, or anything that speaks its API.

    Args:
        transport: An open transport to it.
        limits: For the size of files and results.
    """

    name = "zhiyipdf"

    def __init__(self, transport: HttpTransport, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        self.capabilities = Capabilities(retention_s=limits.retention_s)

    def cost(self, pages: int, options: ParseOptions) -> int:
        """2 points a page, 3 with a translation."""
        each = POINTS_PER_PAGE if options.translate_to is None else POINTS_PER_TRANSLATED_PAGE
        return pages * each

    def form(self, options: ParseOptions) -> Mapping[str, str]:
        """The fields of section "1. 文件上传解析"; those for translations only where they count."""
        fields = {
            "table_mode": options.table_mode,
            "enable_translation": "false" if options.translate_to is None else "true",
        }
        if options.translate_to is not None:
            fields["target_language"] = options.translate_to
            fields["output_options"] = ",".join(options.service_variants)
        return fields

    def submit(self, upload: Upload, *, key: Secret) -> UploadOutcome:
        """POST ``/parse``, once."""
        return self._transport.direct.upload(
            f"{PREFIX}/parse",
            MultipartUpload(fields=self.form(upload.options), file=upload.file),
            key=key,
            # The vendor's own clients send it (wire notes 3.2); it can only help.
            headers={"Idempotency-Key": upload.idempotency_key},
        )

    def read_submission(self, outcome: UploadOutcome) -> Submission:
        """Read the answer to an upload; see :class:`~zhiyipdf.providers.base.Provider`."""
        reply = outcome.answer()
        with outcome.judged():
            return read_submission(reply)

    async def poll(self, task_id: str, *, key: Secret) -> TaskStatus:
        """GET ``/status/{task_id}``."""
        reply = await self._transport.get(
            f"{PREFIX}/status/{_checked(task_id)}",
            key=key,
            # Whoever asks for many tasks must learn of it: all of a key's polls rest then.
            is_final=lambda reply: reply.status == 429 or is_final(reply),
            what="status",
        )
        if reply.status == 429:
            raise RateLimited(
                "the service asks to poll less often (HTTP 429)", retry_after_s=reply.retry_after_s
            )
        return read_status(reply, task_id)

    async def fetch(
        self, task_id: str, status: TaskStatus, *, key: Secret, to: Path, on_bytes: BytesSink
    ) -> None:
        """GET the result, from the address the service gave if that is its own."""
        origin, prefix = self._transport.origin, f"{PREFIX}/download/"
        documented = f"{prefix}{_checked(task_id)}"
        reference = status.download_url or documented
        reply = await self._transport.download(
            origin.own_url(reference, prefix=prefix)
            if reference != documented
            else origin.url(documented),
            key=key,
            to=to,
            is_final=is_final,
            max_bytes=self._limits.max_download_bytes,
            on_bytes=on_bytes,
            what="download",
        )
        if reply.status != 200 or reply.payload is not None:
            # An error may come with status 200 and the content type of a ZIP (transport study
            # 8.2, row 27); a ZIP or Markdown never parses as a JSON object.
            raise read_refusal(reply, task_id=task_id)

    async def balance(self, *, key: Secret) -> int:
        """GET ``/balance``."""
        reply = await self._transport.get(
            f"{PREFIX}/balance", key=key, is_final=is_final, what="balance"
        )
        return read_balance(reply)

    def balance_now(self, *, key: Secret) -> int | None:
        """GET ``/balance`` once, on the calling thread."""
        reply = self._transport.direct.get(f"{PREFIX}/balance", key=key)
        try:
            return None if reply is None else read_balance(reply)
        except ZhiyiPDFError:
            return None

    def was_received(self, task_id: str, *, key: Secret) -> bool | None:  # noqa: ARG002 - protocol
        """Nothing can be asked: the service names a task in the answer to its upload."""
        return None

    def failure(self, status: TaskStatus, task_id: str) -> ZhiyiPDFError:
        """The error of a failed task: always :class:`~zhiyipdf.errors.TaskFailed`."""
        code = status.code or "unknown"
        error = error_for(code, status.message, {})
        if not isinstance(error, TaskFailed):
            # A code of the upload stage that turned up late; the task existed, so it failed.
            error = TaskFailed(error.message, code=code, retryable=error.retryable, hint=error.hint)
        return error.about(task_id=task_id)

    def finish(self, bundle: Bundle, options: ParseOptions) -> Bundle:  # noqa: ARG002 - protocol
        """The result as it is: all options are the service's own business."""
        return bundle


def _checked(task_id: str) -> str:
    if not TASK_ID.fullmatch(task_id):
        raise ProtocolError(f"not a task id: {task_id[:80]!r}", points_charged=True)
    return task_id
