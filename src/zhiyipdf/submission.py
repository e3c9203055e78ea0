"""Upload a PDF so that it is paid for once; try again only what was certainly not paid."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from zhiyipdf.clock import Clock
from zhiyipdf.errors import RateLimited, UploadOutcomeUnknown, ZhiyiPDFError
from zhiyipdf.models import ParseOptions, Secret, Source
from zhiyipdf.policy import Retry
from zhiyipdf.providers import Provider, Upload
from zhiyipdf.store import RecordState, Store, TaskRecord
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import MultipartUpload
from zhiyipdf.transport.retry import pause_before_retry

__all__ = ["Submitter"]

log = logging.getLogger(__name__)

# How long a cancelled caller waits for the answer of an upload that may already be paid for. The
# thread goes on after that and still writes the task's name down.
CANCEL_GRACE_S = 15.0
RATE_LIMIT_ATTEMPTS = 10
RATE_LIMIT_PAUSE_S = 3.0
MAX_NAME_BYTES = 100


class Submitter:
    """Uploads; many calls may run at the same time on its event loop.

    Args:
        provider: The service.
        store: Where records are kept.
        retry: How often an upload that was certainly not paid is tried again.
        clock: Time and chance.
        uploads: Bounds the uploads that run at the same moment.
    """

    def __init__(
        self,
        *,
        provider: Provider,
        store: Store,
        retry: Retry,
        clock: Clock,
        uploads: asyncio.Semaphore,
    ) -> None:
        self._provider = provider
        self._store = store
        self._retry = retry
        self._clock = clock
        self._uploads = uploads

    async def submit(
        self,
        source: Source,
        options: ParseOptions,
        record: TaskRecord,
        *,
        key: Secret,
        on_bytes: Callable[[int, int | None], None],
    ) -> TaskRecord:
        """Upload until the service accepts, refuses, or nobody knows.

        Args:
            source: Where the bytes are.
            options: What to ask for.
            record: In state ``sending``.
            key: Pays.
            on_bytes: Told bytes sent and in all; called on the event loop's thread.

        Returns:
            The record in state ``accepted``, with the points the service took.

        Raises:
            UploadOutcomeUnknown: The end of the upload was sent and the answer proves nothing.
            ZhiyiPDFError: The service refused, or could not be reached; nothing was paid.
        """
        attempts = 0
        while True:
            attempts += 1
            await in_thread(partial(self._store.write_record, self._stamped(record)))
            try:
                async with self._uploads:
                    return await self._send(source, options, record, key=key, on_bytes=on_bytes)
            except ZhiyiPDFError as error:
                if error.points_charged is not False or not error.retryable:
                    raise
                wait = self._pause(error, attempts)
                if wait is None:
                    raise
                log.info("upload of %s: %s; again in %.1f s", source.uri, error.message, wait)
                record = dataclasses.replace(record, generation=record.generation + 1)
            await self._clock.sleep(wait)

    def _pause(self, error: ZhiyiPDFError, attempts: int) -> float | None:
        """Seconds before the next attempt; None if there is none."""
        chance = self._clock.random()
        if isinstance(error, RateLimited):
            asked = error.retry_after_s or 0.0
            if attempts >= RATE_LIMIT_ATTEMPTS or asked > self._retry.retry_after_cap_s:
                return None
            return max(asked, RATE_LIMIT_PAUSE_S * (1 + chance) * min(attempts, 5))
        if attempts >= self._retry.upload_attempts:
            return None
        return pause_before_retry(self._retry, attempts, chance)

    async def _send(
        self,
        source: Source,
        options: ParseOptions,
        record: TaskRecord,
        *,
        key: Secret,
        on_bytes: Callable[[int, int | None], None],
    ) -> TaskRecord:
        loop = asyncio.get_running_loop()

        def tell(sent: int) -> None:
            loop.call_soon_threadsafe(on_bytes, sent, source.size_bytes)

        cancelled = threading.Event()
        body = MultipartUpload(
            fields=self._provider.form(options),
            path=Path(source.path),
            file_name=upload_name(source.name),
            size_bytes=source.size_bytes,
            sha256=source.sha256,
            gate=lambda: self._note(record, "committing"),
            on_bytes=tell,
            cancelled=cancelled,
        )
        sending = asyncio.ensure_future(
            in_thread(partial(self._post, body, record, key), name="zhiyipdf-upload")
        )
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            # Before the gate the thread stops at its next piece; after it, the answer holds the
            # name of a task that is paid for, and the thread writes it down.
            cancelled.set()
            await asyncio.wait({sending}, timeout=CANCEL_GRACE_S)
            if sending.done() and not sending.cancelled():
                sending.exception()  # seen, so that asyncio does not complain
            raise

    def _post(self, body: MultipartUpload, record: TaskRecord, key: Secret) -> TaskRecord:
        """Send, read the answer and write down what it means; on the upload's thread."""
        upload = Upload(body=body, idempotency_key=record.idempotency_key)
        outcome = self._provider.submit(upload, key=key)
        try:
            submission = self._provider.read_submission(outcome)
        except ZhiyiPDFError as error:
            if error.points_charged is False:
                code = getattr(error, "code", None)
                self._note(record, "failed", code=code, generation=record.generation + 1)
                raise
            self._note(record, "unknown")
            raise UploadOutcomeUnknown(
                f"the upload was sent whole, but its answer proves nothing: {error.message}",
                cost=record.points,
                record=record.key,
            ) from error
        accepted = dataclasses.replace(
            self._stamped(record),
            state="accepted",
            task_id=submission.task_id,
            points=record.points if submission.points is None else submission.points,
            uploaded_at=self._clock.now(),
        )
        try:
            self._store.write_record(accepted)
        except OSError:
            log.exception("the paid task %s could not be written down", submission.task_id)
        return accepted

    def _note(
        self,
        record: TaskRecord,
        state: RecordState,
        *,
        code: str | None = None,
        generation: int | None = None,
    ) -> None:
        self._store.write_record(
            dataclasses.replace(
                self._stamped(record),
                state=state,
                code=code,
                generation=record.generation if generation is None else generation,
            )
        )

    def _stamped(self, record: TaskRecord) -> TaskRecord:
        return dataclasses.replace(record, updated_at=self._clock.now())


def upload_name(name: str) -> str:
    """The file name the service is told: the source's, short enough for any file system.

    Args:
        name: With or without ``.pdf``; the service wants the suffix (code ``parse_file_not_pdf``).
    """
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    stem = "".join(c for c in stem if c.isprintable() and c not in '/\\"').strip(" .")
    while len(stem.encode()) > MAX_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem or 'document'}.pdf"
