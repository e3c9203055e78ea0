"""Obtain one result: from the store, from a running task, or by paying once."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import tempfile
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zhiyipdf.bundle import unpack
from zhiyipdf.errors import (
    AuthenticationError,
    InsufficientPoints,
    ResultExpired,
    ServiceUnavailable,
    TaskFailed,
    UnsafeArchive,
    UploadOutcomeUnknown,
    ZhiyiPDFError,
)
from zhiyipdf.models import Bundle, Secret, Source, TaskRef, TaskStatus
from zhiyipdf.store import Leases, RecordState, StoredBundle, TaskRecord, Work
from zhiyipdf.tasks.holds import WorkHold
from zhiyipdf.tasks.lanes import KeyLanes
from zhiyipdf.tasks.poller import Pollers
from zhiyipdf.tasks.submission import Submitter
from zhiyipdf.tasks.surroundings import Surroundings
from zhiyipdf.tasks.waiting import wait_for_task
from zhiyipdf.threads import in_thread

__all__ = ["Acquisition", "Obtained"]

log = logging.getLogger(__name__)

FETCH_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A result and what it cost this time.

    Attributes:
        key: What the store knows it by.
        bundle: The unpacked result.
        task: The task that made it.
        points: Points charged by this call; 0 if it was paid before.
    """

    key: str
    bundle: Bundle
    task: TaskRef | None
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """Stands in for a source whose PDF is not at hand."""

    uri: str
    name: str


class Acquisition:
    """Obtains results; many calls may run at the same time on its event loop.

    Args:
        surroundings: What it works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings
        self._lanes = KeyLanes(surroundings.keys, surroundings.limits, surroundings.clock)
        self._pollers = Pollers(
            surroundings.provider, polling=surroundings.polling, clock=surroundings.clock
        )
        self._submitter = Submitter(
            provider=surroundings.provider,
            store=surroundings.store,
            retry=surroundings.retry,
            clock=surroundings.clock,
            uploads=self._lanes.uploading,
            commits=surroundings.commits,
            on_ambiguous=surroundings.on_ambiguous,
            freed=self._lanes.freed,
        )
        self._leases = Leases(surroundings.store.files, surroundings.clock)
        # Where completed tasks said their archives are, until they are fetched.
        self._download_urls: dict[str, TaskStatus] = {}
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
        if any(self._with.store.read_bundle(key) for key in (work.key, *work.supersets)):
            return True
        record = self._with.store.read_record(work.key)
        if record is None or record.state not in ("accepted", "completed", "fetched", "unpacked"):
            return False
        if self._with.store.has_archive(work.key):
            return True
        return self._with.resumable and self._is_kept(record)

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
            archive = folder / f"{work.key[:16]}.zip"
            stored = await self._stored(work.key, source, archive)
            for key in work.supersets:
                stored = stored or await in_thread(partial(self._with.store.read_bundle, key))
            if stored is not None:
                return Obtained(key=stored.key, bundle=stored.bundle, task=stored.task, points=0)
            record, paid_now = await self._see_through(source, work)
            stored = await self._stored(work.key, source, archive)
            if stored is None:
                stored = await self._fetch(record, source, archive)
            elif record.state != "unpacked":
                await self._note(record, "unpacked")  # another process was faster
        return Obtained(
            key=stored.key,
            bundle=stored.bundle,
            task=record.task,
            points=record.points if paid_now else 0,
        )

    async def finish(self, record: TaskRecord, folder: Path) -> TaskRecord:
        """Fetch and unpack what a record says is paid; the PDF itself is not needed.

        Args:
            record: In a state from ``accepted`` on.
            folder: A temporary folder that outlives the call.

        Returns:
            The record as it stands afterwards.

        Raises:
            ZhiyiPDFError: It cannot be had.
            OSError: The store cannot be read or written.
        """
        source = _Named(uri=record.name or record.key[:12], name=record.name)
        archive = folder / f"{record.key[:16]}.zip"
        if await self._stored(record.key, source, archive) is None:
            key = self._key_to_resume(record)
            if key is None:
                return await self._note(record, "expired", generation=record.generation + 1)
            async with self._lanes.slot(key):
                record = await self._wait(record, key, source, paid_now=False)
            await self._fetch(record, source, archive)
        return await self._note(record, "unpacked")

    async def _stored(
        self, key: str, source: Source | _Named, archive: Path
    ) -> StoredBundle | None:
        """A stored result, rebuilt from its kept archive if need be, without paying."""
        stored = await in_thread(partial(self._with.store.read_bundle, key))
        if stored is None and await in_thread(
            partial(self._with.store.fetch_archive, key, archive)
        ):
            record = await self._record(key)
            if record is not None:
                try:
                    stored = await self._unpack(record, source, archive)
                except UnsafeArchive as error:
                    if self._key_to_resume(record) is None:
                        raise
                    # A damaged download may have been kept; the service still has the result.
                    log.warning("%s: fetched again: %s", source.uri, error.message)
        return stored

    async def _see_through(self, source: Source, work: Work) -> tuple[TaskRecord, bool]:
        """Wait for the task that is running, or upload and wait; once more if that may help.

        Returns:
            The record in state ``completed``, and whether this call paid for it.
        """
        try:
            return await self._submit_and_wait(source, work)
        except TaskFailed as error:
            if error.code not in self._with.provider.capabilities.sent_again:
                raise
            log.warning("%s: sent again: %s", source.uri, error.message)
        return await self._submit_and_wait(source, work)

    async def _submit_and_wait(self, source: Source, work: Work) -> tuple[TaskRecord, bool]:
        while True:
            record = await self._record(work.key)
            old_key = self._key_to_resume(record)
            # The slot is held until the service is done: it counts tasks, not uploads.
            cost = self._with.provider.cost(work.part.pages, work.options)
            async with self._lanes.slot(old_key, priority=work.part.pages, cost=cost) as key:
                if record is not None and old_key is not None:
                    return await self._wait(record, key, source, paid_now=False), False
                try:
                    accepted = await self._submit_alone(source, work, key)
                except InsufficientPoints as error:
                    if not await self._lanes.run_dry(key, error, cost=cost):
                        raise
                    log.warning("key %s cannot pay %d points: %s", key, cost, error.message)
                    continue
                except AuthenticationError as error:
                    if error.task_id is not None or not await self._lanes.retire(key, error):
                        raise
                    log.warning("key %s is not used any more: %s", key, error.message)
                    continue
                if accepted is not None:
                    return await self._wait(accepted, key, source, paid_now=True), True

    async def _submit_alone(self, source: Source, work: Work, key: Secret) -> TaskRecord | None:
        """Upload, unless somebody else has done so meanwhile.

        Returns:
            The record in state ``accepted``; None if the store knows more by now.

        Raises:
            UploadOutcomeUnknown: An earlier upload may have been paid for.
        """
        async with self._leased(work.key) as hold:
            record = await self._record(work.key)
            if self._key_to_resume(record) is not None:
                return None
            # Nobody else holds the lease: whoever left this record is gone.
            in_doubt = record is not None and (
                record.in_doubt or record.state in ("committing", "unknown")
            )
            if record is not None and in_doubt and self._with.resumable:
                record = await self._submitter.settle(
                    record, self._lanes.key(record.key_fingerprint)
                )
                if record.state == "accepted":
                    return None
                in_doubt = record.state != "failed"
            try:
                return await self._submit(source, work, record, key, hold, in_doubt=in_doubt)
            except ServiceUnavailable as error:
                if error.points_charged is not False or await in_thread(hold.is_held):
                    raise
                return None  # this process slept so long that another one took over

    async def _record(self, key: str) -> TaskRecord | None:
        """Read a record.

        Raises:
            UploadOutcomeUnknown: There is one that cannot be read; it may stand for paid work.
        """
        try:
            return await in_thread(partial(self._with.store.read_record, key))
        except ValueError as error:
            raise UploadOutcomeUnknown(
                f"the record of an earlier upload cannot be read ({error})", cost=0, record=key
            ) from error

    @asynccontextmanager
    async def _leased(self, key: str) -> AsyncIterator[WorkHold]:
        """Hold the work's lease over all processes that share the store."""
        hold = WorkHold(self._leases, key)
        try:
            await in_thread(hold.take)
            yield hold
        finally:
            hold.given_up.set()
            await in_thread(hold.release)

    async def _wait(
        self, record: TaskRecord, key: Secret, source: Source | _Named, *, paid_now: bool
    ) -> TaskRecord:
        """Wait until the service is done with a task; the caller holds a slot of ``key``."""
        task = record.task
        if task is None:
            raise ValueError(f"the record {record.key} is accepted but names no task")
        if record.state != "accepted":
            return record
        with _paid(task):
            status = await wait_for_task(
                self._with.provider,
                task,
                self._pollers.of(key),
                pages=record.pages,
                polling=self._with.polling,
                clock=self._with.clock,
                tell=partial(self._with.tell, source.uri),
                on_end=partial(self._note_end, record, refund=paid_now),
                on_parsed=partial(self._note_parse, from_start=paid_now),
            )
        self._download_urls[record.key] = status
        return await self._note(record, "completed")

    def _note_parse(self, seconds: float, *, from_start: bool) -> None:
        if from_start:  # of a task of an earlier run only the end was seen
            self._lanes.note_parse(seconds)

    async def _fetch(
        self, record: TaskRecord, source: Source | _Named, archive: Path
    ) -> StoredBundle:
        """Download a completed task's archive, keep it, unpack it."""
        task = record.task
        key = self._lanes.key(record.key_fingerprint)
        if task is None or key is None:
            raise ValueError(f"the record {record.key} cannot be fetched")
        status = self._download_urls.pop(record.key, None) or TaskStatus(state="completed")
        tell = partial(self._with.tell, source.uri, "download")
        attempts = 0
        while True:
            attempts += 1
            try:
                with _paid(task):
                    await self._with.provider.fetch(
                        task.id, status, key=key, to=archive, on_bytes=tell
                    )
            except ResultExpired as error:
                await self._note_end(record, error, refund=False)
                raise
            await in_thread(partial(self._with.store.keep_archive, record.key, archive))
            record = await self._note(record, "fetched")
            try:
                stored = await self._unpack(record, source, archive)
            except UnsafeArchive as error:
                # A body that ends with its connection may be cut without any error: ask again.
                if attempts >= FETCH_ATTEMPTS:
                    raise
                log.warning("%s: fetched again: %s", source.uri, error.message)
                continue
            await self._note(record, "unpacked")
            return stored

    async def _submit(
        self,
        source: Source,
        work: Work,
        before: TaskRecord | None,
        key: Secret,
        hold: WorkHold,
        *,
        in_doubt: bool,
    ) -> TaskRecord:
        points = self._with.provider.cost(work.part.pages, work.options)
        record = TaskRecord(
            key=work.key,
            state="planned",
            sha256=work.sha256,
            provider=work.provider,
            base_url=work.base_url,
            pages=work.part.pages,
            points=points,
            key_fingerprint=key.fingerprint,
            generation=0 if before is None else before.generation,
            in_doubt=in_doubt,
            name=source.name,
            request=work.request,
        )
        tell = partial(self._with.tell, source.uri, "upload")
        with self._with.budget.reserve(points) as reservation:
            await in_thread(partial(self._with.store.write_record, record))
            accepted = await self._submitter.submit(
                source,
                work.options,
                record,
                key=key,
                reservation=reservation,
                hold=hold,
                on_bytes=tell,
            )
        self._with.budget.give_back(points - accepted.points)
        return accepted

    async def _unpack(
        self, record: TaskRecord, source: Source | _Named, archive: Path
    ) -> StoredBundle:
        self._with.tell(source.uri, "unpack")

        def unpack_and_publish() -> StoredBundle:
            with tempfile.TemporaryDirectory(prefix="zhiyipdf-unpack-") as quarantine:
                unpacked = unpack(
                    archive,
                    Path(quarantine),
                    requested=record.variants,
                    stem=Path(record.name or source.name).stem,
                    limits=self._with.archive_limits,
                )
                return self._with.store.write_bundle(record.key, unpacked, record.task)

        try:
            return await in_thread(unpack_and_publish)
        except UnsafeArchive as error:
            error.archive = self._with.store.archive_uri(record.key)
            error.about(task_id=record.task_id)
            raise

    def _key_to_resume(self, record: TaskRecord | None) -> Secret | None:
        """The key of the running task that a record names; None if it names none.

        Raises:
            AuthenticationError: The task was paid with a key we do not have.
        """
        if record is None or record.task_id is None or not self._with.resumable:
            return None
        if record.state not in ("accepted", "completed", "fetched", "unpacked"):
            return None
        if not self._is_kept(record):
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

    def _is_kept(self, record: TaskRecord) -> bool:
        """Whether the service should still have a task's result."""
        age = self._with.clock.now() - (record.uploaded_at or 0.0)
        return age <= self._with.provider.capabilities.retention_s

    async def _note_end(self, record: TaskRecord, error: ZhiyiPDFError, *, refund: bool) -> None:
        """Write down that a task came to an end without a result."""
        if isinstance(error, ResultExpired):
            await self._note(record, "expired", generation=record.generation + 1)
            return
        self._with.commits.note_refund(record.key_fingerprint)
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


@contextmanager
def _paid(task: TaskRef) -> Iterator[None]:
    """Complete an error that comes after the points were taken: they are gone, or returned."""
    try:
        yield
    except ZhiyiPDFError as error:
        if not isinstance(error, TaskFailed | InsufficientPoints):
            error.points_charged = True
        error.about(task_id=task.id)
        raise
