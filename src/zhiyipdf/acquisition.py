"""Obtain one result: from the store, from a running task, or by paying once."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zhiyipdf.budget import Budget
from zhiyipdf.bundle import unpack
from zhiyipdf.clock import Clock
from zhiyipdf.errors import (
    AuthenticationError,
    InsufficientPoints,
    ResultExpired,
    UnsafeArchive,
    UploadOutcomeUnknown,
    ZhiyiPDFError,
)
from zhiyipdf.lanes import KeyLanes
from zhiyipdf.models import Bundle, Progress, Secret, Source, Stage, TaskRef
from zhiyipdf.policy import ArchiveLimits, Limits, Polling, Retry
from zhiyipdf.providers import Provider
from zhiyipdf.store import RecordState, Store, StoredBundle, TaskRecord, Work
from zhiyipdf.submission import Submitter
from zhiyipdf.threads import in_thread
from zhiyipdf.waiting import wait_for_task

__all__ = ["Acquisition", "Obtained", "Surroundings"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything a conversion needs besides its source and options.

    Attributes:
        provider: The service.
        base_url: Where it is; part of what a stored result is known by.
        store: Where results and records are kept.
        keys: At least one.
        limits: Sizes and numbers.
        polling: Intervals and deadlines.
        retry: For uploads; the transport has the same for the rest.
        archive_limits: What an archive may hold.
        budget: Shared by all loops of a converter.
        clock: Time and chance.
        resumable: Whether tasks outlive this process; those of the embedded server do not.
        on_progress: Told of every step; called on the event loop's thread.
    """

    provider: Provider
    base_url: str
    store: Store
    keys: tuple[Secret, ...]
    limits: Limits
    polling: Polling
    retry: Retry
    archive_limits: ArchiveLimits
    budget: Budget
    clock: Clock
    resumable: bool = True
    on_progress: Callable[[Progress], None] | None = None

    def tell(
        self, source: str, stage: Stage, done: int = 0, total: int | None = None, message: str = ""
    ) -> None:
        """Report a step; a callback that fails is logged and does no other harm."""
        if self.on_progress is None:
            return
        step = Progress(source=source, stage=stage, done=done, total=total, message=message)
        try:
            self.on_progress(step)
        except Exception:
            log.exception("the progress callback failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A result and what it cost this time.

    Attributes:
        bundle: The unpacked result.
        task: The task that made it.
        points: Points charged by this call; 0 if it was paid before.
    """

    bundle: Bundle
    task: TaskRef | None
    points: int


class Acquisition:
    """Obtains results; many calls may run at the same time on its event loop.

    Args:
        surroundings: What it works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings
        self._lanes = KeyLanes(surroundings.keys, surroundings.limits.in_flight_per_key)
        uploads = surroundings.limits.uploads_per_key * max(1, len(surroundings.keys))
        self._submitter = Submitter(
            provider=surroundings.provider,
            store=surroundings.store,
            retry=surroundings.retry,
            clock=surroundings.clock,
            uploads=asyncio.Semaphore(uploads),
        )
        # Two sources with the same bytes: the second waits and finds the first one's result.
        self._one_at_a_time: weakref.WeakValueDictionary[str, asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )

    @property
    def width(self) -> int:
        """Tasks that may be in flight together."""
        return self._lanes.width

    def is_paid(self, work: Work) -> bool:
        """Whether the store has the result or a running task; blocking."""
        if self._with.store.read_bundle(work.key) is not None:
            return True
        record = self._with.store.read_record(work.key)
        return record is not None and record.state in ("accepted", "fetched", "unpacked")

    async def obtain(self, source: Source, work: Work, folder: Path) -> Obtained:
        """Get the result of ``work``.

        Args:
            source: The PDF that is sent, if one must be.
            work: What decides the result.
            folder: A temporary folder that outlives the call.

        Raises:
            ZhiyiPDFError: It cannot be had; the record says how far it got.
            OSError: The store cannot be read or written.
        """
        lock = self._one_at_a_time.setdefault(work.key, asyncio.Lock())
        async with lock:
            stored = await in_thread(partial(self._with.store.read_bundle, work.key))
            record = await in_thread(partial(self._with.store.read_record, work.key))
            archive = folder / f"{work.key[:16]}.zip"
            if stored is None and await in_thread(
                partial(self._with.store.fetch_archive, work.key, archive)
            ):
                # A kept archive: unpacked again without paying.
                stored = await self._unpack(source, work, archive, record.task if record else None)
            if stored is not None:
                return Obtained(bundle=stored.bundle, task=stored.task, points=0)
            record, paid_now = await self._fetch_paid(source, work, record, archive)
            stored = await self._unpack(source, work, archive, record.task)
            await self._note(record, "unpacked")
        return Obtained(
            bundle=stored.bundle, task=record.task, points=record.points if paid_now else 0
        )

    async def _fetch_paid(
        self, source: Source, work: Work, record: TaskRecord | None, archive: Path
    ) -> tuple[TaskRecord, bool]:
        """Wait for the running task, or upload and wait, and fetch the archive.

        Returns:
            The record in state ``fetched``, and whether this call paid for it.
        """
        old_key = self._key_to_resume(record)
        while True:
            # The slot is held until the service is done: it counts tasks, not uploads.
            async with self._lanes.slot(old_key) as key:
                if record is None or old_key is None:
                    try:
                        record = await self._submit(source, work, record, key)
                    except (AuthenticationError, InsufficientPoints) as error:
                        if await self._lanes.retire(key, error):
                            log.warning("key %s is not used any more: %s", key, error.message)
                            continue
                        raise
                task = record.task
                if task is None:
                    raise ValueError(f"the record {record.key} is accepted but names no task")
                status = await wait_for_task(
                    self._with.provider,
                    task,
                    key,
                    pages=record.pages,
                    polling=self._with.polling,
                    clock=self._with.clock,
                    tell=partial(self._with.tell, source.uri),
                    on_end=partial(self._note_end, record, refund=old_key is None),
                )
            break
        tell = partial(self._with.tell, source.uri, "download")
        await self._with.provider.fetch(task.id, status, key=key, to=archive, on_bytes=tell)
        await in_thread(partial(self._with.store.keep_archive, work.key, archive))
        return await self._note(record, "fetched"), old_key is None

    async def _submit(
        self, source: Source, work: Work, before: TaskRecord | None, key: Secret
    ) -> TaskRecord:
        points = self._with.provider.cost(work.part.pages, work.options)
        record = TaskRecord(
            key=work.key,
            state="sending",
            sha256=work.sha256,
            provider=work.provider,
            base_url=work.base_url,
            pages=work.part.pages,
            points=points,
            key_fingerprint=key.fingerprint,
            generation=0 if before is None else before.generation,
        )
        self._with.budget.take(points)
        tell = partial(self._with.tell, source.uri, "upload")
        try:
            accepted = await self._submitter.submit(
                source, work.options, record, key=key, on_bytes=tell
            )
        except ZhiyiPDFError as error:
            if error.points_charged is False:
                self._with.budget.give_back(points)
            raise
        self._with.budget.give_back(points - accepted.points)
        return accepted

    async def _unpack(
        self, source: Source, work: Work, archive: Path, task: TaskRef | None
    ) -> StoredBundle:
        self._with.tell(source.uri, "unpack")

        def unpack_and_publish() -> StoredBundle:
            with tempfile.TemporaryDirectory(prefix="zhiyipdf-unpack-") as quarantine:
                unpacked = unpack(
                    archive,
                    Path(quarantine),
                    requested=work.options.service_variants,
                    stem=Path(source.name).stem,
                    limits=self._with.archive_limits,
                )
                return self._with.store.write_bundle(work.key, unpacked, task)

        try:
            return await in_thread(unpack_and_publish)
        except UnsafeArchive as error:
            error.archive = self._with.store.archive_uri(work.key)
            raise error.about(task_id=task.id if task else None)  # noqa: B904 - completed

    def _key_to_resume(self, record: TaskRecord | None) -> Secret | None:
        """The key of the running task that a record names; None if an upload is needed.

        Raises:
            UploadOutcomeUnknown: The record stands for an upload that may have been paid.
            AuthenticationError: The task was paid with a key we do not have.
        """
        if record is None or not self._with.resumable:
            return None
        if record.state in ("committing", "unknown"):
            raise UploadOutcomeUnknown(
                "an earlier upload may have been paid for, and nothing proves it",
                cost=record.points,
                record=record.key,
            )
        if record.task_id is None or record.state in ("sending", "failed", "expired"):
            return None
        age = self._with.clock.now() - (record.uploaded_at or 0.0)
        if age > self._with.provider.capabilities.retention_s:
            log.warning("task %s is older than the service keeps results", record.task_id)
            return None
        key = self._lanes.key(record.key_fingerprint)
        if key is None:
            raise AuthenticationError(
                f"the running task was paid with the key ***{record.key_fingerprint}",
                hint="Pass that key too: only it can ask for the task.",
                task_id=record.task_id,
                points_charged=True,
            )
        return key

    async def _note_end(self, record: TaskRecord, error: ZhiyiPDFError, *, refund: bool) -> None:
        """Write down that a task came to an end without a result."""
        if isinstance(error, ResultExpired):
            await self._note(record, "expired", generation=record.generation + 1)
            return
        if refund:
            self._with.budget.give_back(record.points)
        code = getattr(error, "code", None)
        await self._note(record, "failed", code=code, generation=record.generation + 1)

    async def _note(
        self,
        record: TaskRecord,
        state: RecordState,
        *,
        code: str | None = None,
        generation: int | None = None,
    ) -> TaskRecord:
        changed = dataclasses.replace(
            record,
            state=state,
            code=code,
            generation=record.generation if generation is None else generation,
            updated_at=self._with.clock.now(),
        )
        await in_thread(partial(self._with.store.write_record, changed))
        return changed
