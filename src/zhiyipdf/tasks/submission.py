"""Upload a PDF so that it is paid for once; try again only what was certainly not paid."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Literal

from zhiyipdf.clock import Clock
from zhiyipdf.errors import RateLimited, ServiceUnavailable, UploadOutcomeUnknown, ZhiyiPDFError
from zhiyipdf.models import SUFFIXES, ParseOptions, Secret, Source
from zhiyipdf.policy import Retry
from zhiyipdf.providers import Provider
from zhiyipdf.store import Store, TaskRecord
from zhiyipdf.tasks.budget import Reservation
from zhiyipdf.tasks.evidence import CommitLocks, Verdict, judge
from zhiyipdf.tasks.posting import Hold, Posting, receipt
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import GatedFile
from zhiyipdf.transport.retry import pause_before_retry

__all__ = ["Hold", "OnAmbiguous", "Submitter", "upload_name"]

log = logging.getLogger(__name__)

OnAmbiguous = Literal["raise", "retry"] | Callable[[UploadOutcomeUnknown], bool | Awaitable[bool]]
"""What to do about an upload that nobody can prove paid or unpaid: ``raise`` the error; ``retry``
with the same idempotency key, which may pay twice; or ask: True is ``retry``."""

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
        uploads: Bounds the uploads of a key that run at the same moment.
        commits: Shared by all who upload with the same keys in this process.
        on_ambiguous: What to do when nobody knows.
        freed: Waits until a task of a key ends, so many seconds at most.
    """

    def __init__(
        self,
        *,
        provider: Provider,
        store: Store,
        retry: Retry,
        clock: Clock,
        uploads: Callable[[Secret], AbstractAsyncContextManager[None]],
        commits: CommitLocks,
        on_ambiguous: OnAmbiguous,
        freed: Callable[[Secret, float], Awaitable[object]],
    ) -> None:
        self._provider = provider
        self._store = store
        self._retry = retry
        self._clock = clock
        self._uploads = uploads
        self._commits = commits
        self._on_ambiguous = on_ambiguous
        self._freed = freed

    async def submit(
        self,
        source: Source,
        options: ParseOptions,
        record: TaskRecord,
        *,
        key: Secret,
        reservation: Reservation,
        hold: Hold,
        on_bytes: Callable[[int, int | None], None],
    ) -> TaskRecord:
        """Upload until the service accepts, refuses, or nobody knows.

        Args:
            source: Where the bytes are.
            options: What to ask for.
            record: In state ``planned``.
            key: Pays.
            reservation: Of the points; committed before the end of the body is let go.
            hold: Of the work; the upload's thread keeps it to its own end.
            on_bytes: Told bytes sent and in all; called on the event loop's thread.

        Returns:
            The record in state ``accepted``, with the points the service took.

        Raises:
            UploadOutcomeUnknown: The end of the upload was sent, and neither the answer nor the
                balance proves what became of it.
            ZhiyiPDFError: The service refused, or could not be reached; nothing was paid.
        """
        source = await in_thread(source.on_disk)
        attempts, limited = 0, 0
        while True:
            attempts += 1
            sending = dataclasses.replace(self._stamped(record), state="sending")
            await in_thread(partial(self._store.write_record, sending))
            try:
                async with self._uploads(key):
                    return await self._send(
                        source,
                        options,
                        sending,
                        key=key,
                        reservation=reservation,
                        hold=hold,
                        on_bytes=on_bytes,
                    )
            except UploadOutcomeUnknown as error:
                if attempts >= self._retry.upload_attempts or not await self.may_retry(error):
                    raise
                reservation.repeat()
                record = dataclasses.replace(record, in_doubt=True)
                log.warning("upload of %s: sent again although it may be paid", source.uri)
                continue
            except ZhiyiPDFError as error:
                if isinstance(error, RateLimited):
                    attempts, limited = attempts - 1, limited + 1
                wait = self._pause(error, limited if isinstance(error, RateLimited) else attempts)
                refusal = error
                if wait is None:
                    if record.in_doubt:
                        error.points_charged = None  # an earlier attempt may be paid
                    raise
                log.info("upload of %s: %s; again in %.1f s", source.uri, error.message, wait)
                if getattr(error, "code", None) is not None:
                    # The service judged this attempt: the next one is another.
                    record = dataclasses.replace(record, generation=record.generation + 1)
            if isinstance(refusal, RateLimited):
                # A task of ours that ends makes room; no need to wait any longer then.
                await self._freed(key, wait)
            else:
                await self._clock.sleep(wait)

    async def settle(self, record: TaskRecord, key: Secret | None) -> TaskRecord:
        """Find out what became of an earlier upload that nobody heard the end of.

        Args:
            record: In doubt.
            key: The one that pays for it; None if we do not have it.

        Returns:
            The record in state ``accepted``, if the task had a name and the service has it;
            in state ``failed``, if the service has not; as it was, if the user wants to try again.

        Raises:
            UploadOutcomeUnknown: Nothing proves anything, and the user does not want that.
        """
        verdict: Verdict | None = None
        task_id = record.task_id
        if task_id is not None and key is not None:
            verdict = await in_thread(partial(receipt, self._provider, task_id, key, self._clock))
        if verdict == "paid":
            record = dataclasses.replace(
                self._stamped(record), state="accepted", uploaded_at=self._clock.now()
            )
        elif verdict == "unpaid" and not record.in_doubt:  # its name is that of the last attempt
            record = dataclasses.replace(self._stamped(record), state="failed", task_id=None)
        else:
            error = _earlier_doubt(record)
            if not await self.may_retry(error):
                raise error
            return record
        await in_thread(partial(self._store.write_record, record))
        return record

    async def may_retry(self, error: UploadOutcomeUnknown) -> bool:
        """Whether the user wants to send again what may already be paid."""
        if callable(self._on_ambiguous):
            answer = await in_thread(partial(self._on_ambiguous, error))
            return bool(await answer) if inspect.isawaitable(answer) else bool(answer)
        return self._on_ambiguous == "retry"

    def _pause(self, error: ZhiyiPDFError, attempts: int) -> float | None:
        """Seconds before the next attempt; None if there is none."""
        if error.points_charged is not False or not error.retryable:
            return None
        chance = self._clock.random()
        if isinstance(error, RateLimited):
            asked = error.retry_after_s or 0.0
            if attempts >= RATE_LIMIT_ATTEMPTS or asked > self._retry.retry_after_cap_s:
                return None
            return max(asked, RATE_LIMIT_PAUSE_S * (1 + chance) * min(attempts, 5))
        asked = (error.retry_after_s if isinstance(error, ServiceUnavailable) else None) or 0.0
        if attempts >= self._retry.upload_attempts or asked > self._retry.retry_after_cap_s:
            return None
        return max(asked, pause_before_retry(self._retry, attempts, chance))

    async def _send(
        self,
        source: Source,
        options: ParseOptions,
        record: TaskRecord,
        *,
        key: Secret,
        reservation: Reservation,
        hold: Hold,
        on_bytes: Callable[[int, int | None], None],
    ) -> TaskRecord:
        loop = asyncio.get_running_loop()

        def tell(sent: int) -> None:
            try:
                loop.call_soon_threadsafe(on_bytes, sent, source.size_bytes)
            except RuntimeError:
                return  # the loop is closed: nobody watches, but the upload matters

        cancelled = threading.Event()
        file = GatedFile(
            path=Path(source.path),
            file_name=upload_name(source.name, source.media_type),
            media_type=source.media_type,
            size_bytes=source.size_bytes,
            sha256=source.sha256,
            on_bytes=tell,
            cancelled=cancelled,
        )

        posting = Posting(
            provider=self._provider,
            store=self._store,
            clock=self._clock,
            commits=self._commits,
            file=file,
            options=options,
            record=record,
            key=key,
            reservation=reservation,
            hold=hold,
        )

        def post() -> TaskRecord:
            try:
                return posting.run()
            finally:
                hold.release()

        hold.retain()
        sending = asyncio.ensure_future(in_thread(post, name="zhiyipdf-upload"))
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

    def _stamped(self, record: TaskRecord) -> TaskRecord:
        return dataclasses.replace(record, updated_at=self._clock.now())


def _earlier_doubt(record: TaskRecord) -> UploadOutcomeUnknown:
    before, after = record.balance_before, record.balance_after
    paid = (
        before is not None and after is not None and judge(before, after, record.points) == "paid"
    )
    return UploadOutcomeUnknown(
        "an earlier upload was paid for, but its task is not known"
        if paid
        else "an earlier upload may have been paid for, and nothing proves it",
        cost=record.points,
        record=record.key,
        balance_before=before,
        balance_after=after,
        task_id=record.task_id,
        points_charged=True if paid else None,
    )


def upload_name(name: str, media_type: str = "application/pdf") -> str:
    """The file name the service is told: the source's, short enough for any file system.

    Args:
        name: With or without suffix; the service wants it (code ``parse_file_not_pdf``).
        media_type: Decides the suffix.
    """
    suffix = ".pdf" if media_type == "application/pdf" else SUFFIXES[media_type]
    known = (suffix, ".jpeg") if suffix == ".jpg" else (suffix,)
    ending = next((end for end in known if name.lower().endswith(end)), "")
    stem = name[: len(name) - len(ending)]
    stem = "".join(c for c in stem if c.isprintable() and c not in '/\\"').strip(" .")
    while len(stem.encode()) > MAX_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem or 'document'}{suffix}"
