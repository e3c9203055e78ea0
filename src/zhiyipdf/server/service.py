"""The conversion service behind every wire protocol: accounts, tasks, queue and workers wired."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from zhiyipdf.server.accounts import Account, account_of_id, find_account
from zhiyipdf.server.conversion import Conversion, Progress, TaskFolder, failure_of
from zhiyipdf.server.database import Database, FolderLock, open_database
from zhiyipdf.server.doc2x.conversion import Doc2XConversion
from zhiyipdf.server.doc2x.uploads import UploadTable
from zhiyipdf.server.engine import Box, EngineFailure
from zhiyipdf.server.pulse import Pulse
from zhiyipdf.server.queue import TaskQueue
from zhiyipdf.server.settings import ServerSettings
from zhiyipdf.server.task_table import TaskTable
from zhiyipdf.server.tasks import Protocol, Receipt, Task, TaskOrder
from zhiyipdf.server.translation import Translator
from zhiyipdf.server.worker_pool import WorkerCrashed, WorkerPool, WorkerTimedOut

__all__ = ["Service", "Upload"]

logger = logging.getLogger(__name__)

# Counting pages and drawing are short and must not wait for conversions: they have their own
# children.
COUNTERS = 2
SWEEP_EVERY_S = 600.0


@dataclass(slots=True)
class Upload:
    """An incoming PDF; its files are removed unless a task comes to own them.

    Attributes:
        task_id: The id of the task it will be.
        folder: Its files.
        owned: Whether a task owns the files.
    """

    task_id: str
    folder: TaskFolder
    owned: bool = False


class Service:
    """One running server, whatever protocol speaks to it.

    Args:
        settings: Folder, limits, engine.
        clock: Seconds since 1970, for what is recorded and for retention.
    """

    def __init__(self, settings: ServerSettings, *, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        self._tasks_folder = settings.folder / "tasks"
        self._running = contextlib.AsyncExitStack()
        self._uploads: set[str] = set()
        self._database: Database | None = None
        self._tasks: TaskTable | None = None
        self._doc2x_uploads: UploadTable | None = None
        self._queue: TaskQueue | None = None
        self._workers: WorkerPool | None = None
        self._counters: WorkerPool | None = None

    async def start(self) -> None:
        """Open the folder, take up what a former server left, and begin.

        Raises:
            FolderInUse: Another server works in the folder.
            sqlite3.Error: The database cannot be used.
        """
        settings = self.settings
        async with contextlib.AsyncExitStack() as stack:
            lock = await asyncio.to_thread(FolderLock, settings.folder)
            stack.callback(lock.close)
            database = await asyncio.to_thread(
                lambda: open_database(settings.folder, clock=self._clock)
            )
            stack.callback(database.close)
            tasks = TaskTable(
                database,
                per_key=settings.in_process_per_key,
                waiting_per_key=settings.waiting_per_key,
            )
            deadly = failure_of(WorkerCrashed("the server ended with it"))
            await asyncio.to_thread(lambda: tasks.recover(code=deadly.code, message=deadly.message))
            self._database, self._tasks = database, tasks
            self._doc2x_uploads = UploadTable(database)
            await self.sweep()
            workers = WorkerPool(settings.engine, size=settings.workers)
            stack.push_async_callback(workers.close)
            self._counters = WorkerPool(settings.engine, size=COUNTERS)
            stack.push_async_callback(self._counters.close)
            translator = Translator(settings.translation) if settings.translation else None
            conversion = Conversion(workers, translator, timeout_s=settings.task_timeout_s)

            doc2x = Doc2XConversion(workers, translator, timeout_s=settings.task_timeout_s)

            async def carry_out(task: Task, report: Callable[[Progress], None]) -> None:
                carries = conversion if task.options.protocol == "zhiyipdf" else doc2x
                await carries(task, self.files(task.id), report)

            self._queue = TaskQueue(tasks, carry_out, slots=settings.workers)
            self._queue.start()
            stack.push_async_callback(self._queue.stop)
            sweeper = asyncio.create_task(self._keep_sweeping(), name="zhiyipdf-sweep")
            stack.push_async_callback(_cancel, sweeper)
            self._workers = workers
            self._running = stack.pop_all()

    async def stop(self) -> None:
        """End the children and close the files; tasks go on at the next start."""
        await self._running.aclose()

    @property
    def database(self) -> Database:
        """The database of a started service."""
        assert self._database is not None, "the service is not started"  # noqa: S101 - wiring
        return self._database

    @property
    def tasks(self) -> TaskTable:
        """The tasks of a started service."""
        assert self._tasks is not None, "the service is not started"  # noqa: S101 - wiring
        return self._tasks

    @property
    def doc2x_uploads(self) -> UploadTable:
        """The Doc2X uploads of a started service."""
        assert self._doc2x_uploads is not None, "the service is not started"  # noqa: S101 - wiring
        return self._doc2x_uploads

    @property
    def ends(self) -> Pulse:
        """Beats when a task has ended."""
        assert self._queue is not None, "the service is not started"  # noqa: S101 - wiring
        return self._queue.ends

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    @property
    def converting_pids(self) -> list[int]:
        """The process ids of the children that convert."""
        return [] if self._workers is None else self._workers.pids

    def files(self, task_id: str) -> TaskFolder:
        """A task's files."""
        return TaskFolder(self._tasks_folder / task_id)

    async def authenticate(self, key: str) -> Account | None:
        """The account of a key in use, else None; identity tokens are no keys."""
        account = await asyncio.to_thread(find_account, self.database, key)
        return None if account is None or account.is_identity else account

    async def identify(self, token: str) -> Account | None:
        """The account of an identity token in use, else None."""
        account = await asyncio.to_thread(find_account, self.database, token)
        return account if account is not None and account.is_identity else None

    async def account(self, number: int) -> Account | None:
        """The account with a number, if its key is in use."""
        return await asyncio.to_thread(account_of_id, self.database, number)

    async def earlier_receipt(self, account: Account, idempotency_key: str) -> Receipt | None:
        """The receipt of the account's first order with this key, if there was one."""
        return await asyncio.to_thread(self.tasks.earlier_receipt, account.id, idempotency_key)

    async def queue_is_full(self, account: Account) -> bool:
        """Whether a further order would be refused for the account's waiting tasks."""
        return await asyncio.to_thread(self.tasks.queue_is_full, account.id)

    def translates(self) -> bool:
        """Whether there is an endpoint to translate with."""
        return self.settings.translation is not None

    @contextlib.asynccontextmanager
    async def receiving(self) -> AsyncIterator[Upload]:
        """Make room for an upload; what was not ordered by the end of the block is removed."""
        task_id = str(uuid.uuid4())
        upload = Upload(task_id, self.files(task_id))
        self._uploads.add(task_id)
        try:
            yield upload
        finally:
            try:
                if not upload.owned:
                    # Shielded: a client that hangs up must not leave its file behind.
                    await asyncio.shield(asyncio.to_thread(_remove, upload.folder.path))
            finally:
                self._uploads.discard(task_id)

    async def count_pages(self, pdf: Path) -> int:
        """Count an upload's pages in a worker process.

        Raises:
            TaskFailure: It cannot be opened, or counting crashed or took too long.
        """
        with _as_task_failure():
            return await self._short_work.count_pages(pdf, timeout_s=self.settings.count_timeout_s)

    async def check_image(self, image: Path) -> None:
        """Look in a worker process whether an image can be read.

        Raises:
            TaskFailure: It cannot be opened, or there is no OCR.
        """
        with _as_task_failure():
            await self._short_work.check_image(image, timeout_s=self.settings.count_timeout_s)

    async def draw(
        self, pdf: Path, target: Path, *, page: int, box: Box | None, scale: float
    ) -> None:
        """Draw a part of a page in a worker process.

        Raises:
            TaskFailure: It cannot be drawn.
        """
        with _as_task_failure():
            await self._short_work.draw(
                pdf,
                target,
                page=page,
                box=box,
                scale=scale,
                timeout_s=self.settings.count_timeout_s,
            )

    @property
    def _short_work(self) -> WorkerPool:
        assert self._counters is not None, "the service is not started"  # noqa: S101 - wiring
        return self._counters

    async def order(self, order: TaskOrder, upload: Upload) -> Receipt:
        """Take the points, make the task and wake the queue.

        Args:
            order: The task.
            upload: Its PDF.

        Raises:
            accounts.InsufficientPoints: And the others of :meth:`TaskTable.create`.
        """

        def create() -> Receipt:
            receipt = self.tasks.create(order)
            upload.owned = receipt.task_id == upload.task_id
            return receipt

        creating = asyncio.ensure_future(asyncio.to_thread(create))
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            # The points may be taken already: whether the files stay depends on how it ends.
            await asyncio.wait([creating])
            raise
        finally:
            if self._queue is not None:
                self._queue.wake()

    def progress(self, task_id: str) -> Progress:
        """How far a task in process is."""
        return Progress() if self._queue is None else self._queue.progress(task_id)

    async def find(self, account: Account, task_id: str) -> Task | None:
        """The account's task, unless it is unknown or no longer kept."""
        task = await asyncio.to_thread(self.tasks.find, account.id, task_id)
        return None if task is None or self._is_past(task) else task

    def _is_past(self, task: Task) -> bool:
        ended = task.finished_at
        return ended is not None and ended <= self._kept_since(task.options.protocol)

    def _kept_since(self, protocol: Protocol) -> float:
        settings = self.settings
        kept_s = settings.retention_s if protocol == "zhiyipdf" else settings.doc2x.retention_s
        return self._clock() - kept_s

    async def sweep(self) -> None:
        """Remove tasks that are no longer kept, with their files, and files without a task."""
        await asyncio.to_thread(self._forget)
        await asyncio.to_thread(self._remove_orphans)

    def _forget(self) -> None:
        for protocol in get_args(Protocol):
            self.tasks.forget_finished(before=self._kept_since(protocol), protocol=protocol)
        self.doc2x_uploads.forget(before=self._kept_since("doc2x"))

    def _remove_orphans(self) -> None:
        if not self._tasks_folder.is_dir():
            return
        # The folders first, the tasks second: a task that is made in between is in both.
        folders = {entry.name for entry in self._tasks_folder.iterdir()}
        for name in folders - self.tasks.ids() - self.doc2x_uploads.ids() - self._uploads:
            _remove(self._tasks_folder / name)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.sweep()
            except Exception:
                logger.exception("the sweep failed")


@contextlib.contextmanager
def _as_task_failure() -> Iterator[None]:
    try:
        yield
    except (EngineFailure, WorkerCrashed, WorkerTimedOut) as error:
        raise failure_of(error) from error


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
