"""What both versions of the wire ask for: announce, store, look up, cut pictures, make files."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from zhiyipdf.server.accounts import Account
from zhiyipdf.server.conversion import TaskFailure
from zhiyipdf.server.doc2x.exports import Export, ExportRequest, ExportState, ExportTable
from zhiyipdf.server.doc2x.intake import Intake
from zhiyipdf.server.doc2x.pages import Crop, PagePixels, pixels_of
from zhiyipdf.server.doc2x.rendering import write_export
from zhiyipdf.server.doc2x.settings import Doc2XSettings
from zhiyipdf.server.doc2x.signing import Signer, load_secret
from zhiyipdf.server.doc2x.uploads import DocumentUpload, Model
from zhiyipdf.server.engine import PageMarkdown, read_pages
from zhiyipdf.server.service import Service
from zhiyipdf.server.tasks import Task, TaskOptions

__all__ = ["Desk", "Found"]

logger = logging.getLogger(__name__)

_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Found:
    """How an upload stands.

    Attributes:
        upload: The upload.
        task: The task it has become, if it has.
    """

    upload: DocumentUpload
    task: Task | None

    @property
    def settled(self) -> bool:
        """Whether nothing will change any more."""
        if self.task is not None:
            return self.task.state in {"completed", "failed"}
        return self.upload.state == "refused"

    @property
    def completed(self) -> bool:
        """Whether there is a result."""
        return self.task is not None and self.task.state == "completed"


class Desk:
    """Doc2X over a service, as long as the service lives.

    Args:
        service: Accounts, tasks, workers; to be started first and stopped last.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.intake = Intake(service)
        self._exports: ExportTable | None = None
        self._signer: Signer | None = None
        self._making: set[asyncio.Task[None]] = set()
        self._drawing: dict[Path, asyncio.Lock] = {}
        self._storing = asyncio.Lock()

    async def start(self) -> None:
        """Take up what a former server left."""
        database = self.service.database
        self._signer = Signer(await asyncio.to_thread(load_secret, database))
        self._exports = ExportTable(database)
        await self.intake.start()
        for uid, export in await asyncio.to_thread(self.exports.unfinished):
            self._make_later(uid, export.number, export.request)

    async def stop(self) -> None:
        """End without ending the work: it goes on when a server starts again."""
        await self.intake.stop()
        making = list(self._making)
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    @property
    def settings(self) -> Doc2XSettings:
        """The limits."""
        return self.service.settings.doc2x

    @property
    def signer(self) -> Signer:
        """Signs URLs and tokens of a started desk."""
        assert self._signer is not None, "the desk is not started"  # noqa: S101 - wiring
        return self._signer

    @property
    def exports(self) -> ExportTable:
        """The export slots of a started desk."""
        assert self._exports is not None, "the desk is not started"  # noqa: S101 - wiring
        return self._exports

    async def announce(self, account: Account, model: Model, options: TaskOptions) -> str:
        """Make room for an upload that comes to a URL.

        Returns:
            Its uid.
        """
        upload = DocumentUpload(
            uid=str(uuid.uuid4()), account_id=account.id, model=model, options=options
        )
        await asyncio.to_thread(self.service.doc2x_uploads.add, upload)
        return upload.uid

    async def add(self, upload: DocumentUpload) -> None:
        """An upload that came with its request is on the disk, ``stored`` or to be ``refused``."""
        await asyncio.to_thread(self.service.doc2x_uploads.add, upload)
        if upload.state == "stored":
            self.intake.take(upload)

    async def is_full(self, account: Account) -> bool:
        """Whether as many tasks of the account are alive as may be."""
        tasks, _ = await asyncio.to_thread(self.service.tasks.live, account.id)
        return tasks >= self.settings.tasks_per_key

    async def store(self, uid: str, part: Path) -> bool:
        """An announced upload has come.

        Args:
            uid: The upload.
            part: Its bytes, on the disk.

        Returns:
            False if it had come before.
        """

        def store() -> bool:
            target = self.service.files(uid).upload
            if target.exists():
                return False
            part.replace(target)
            return self.service.doc2x_uploads.store(uid)

        async with self._storing:  # of two uploads at the same time one is the first
            stored = await asyncio.to_thread(store)
        upload = await asyncio.to_thread(self.service.doc2x_uploads.find, uid)
        if stored and upload is not None:
            self.intake.take(upload)
        return stored

    async def refuse(self, uid: str, code: str, message: str) -> None:
        """An announced upload will never be taken."""
        refuse = self.service.doc2x_uploads.refuse
        await asyncio.to_thread(lambda: refuse(uid, code=code, message=message))
        self.intake.changes.beat()

    async def upload(self, uid: str) -> DocumentUpload | None:
        """An upload, whoever it belongs to."""
        if not _UID.fullmatch(uid):
            return None
        return await asyncio.to_thread(self.service.doc2x_uploads.find, uid)

    async def find(self, account: Account | int, uid: str) -> Found | None:
        """An account's upload; None for unknown, expired and somebody else's ones."""
        number = account if isinstance(account, int) else account.id
        upload = await self.upload(uid)
        if upload is None or upload.account_id != number:
            return None
        owner = await self.service.account(number) if isinstance(account, int) else account
        if owner is None:
            return None
        task = await self.service.find(owner, uid)
        if task is None and upload.state == "ordered":
            return None  # its task is no longer kept
        return Found(upload, task)

    async def settled(self, account: Account, uid: str) -> Found | None:
        """Wait until an upload is settled; None if it is no longer kept."""
        while True:
            changed, ended = self.intake.changes.next(), self.service.ends.next()
            found = await self.find(account, uid)
            if found is None or found.settled:
                return found
            waiters = {asyncio.ensure_future(event.wait()) for event in (changed, ended)}
            try:
                await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiter in waiters:
                    waiter.cancel()

    async def pages(self, found: Found) -> list[PageMarkdown]:
        """The pages of a completed task."""
        return await asyncio.to_thread(read_pages, self.service.files(found.upload.uid).pages)

    def pixels(self, found: Found, page: PageMarkdown) -> PagePixels:
        """A page's measures."""
        return pixels_of(page, image=found.upload.options.source == "image")

    async def picture(self, found: Found, page_idx: int, crop: Crop | None) -> Path | None:
        """A page of a completed PDF, or a part of it, as a PNG file; None if there is no such.

        Args:
            found: The upload.
            page_idx: From 0.
            crop: The part; None for the whole page.
        """
        pages = await self.pages(found)
        if found.upload.options.source == "image" or not 0 <= page_idx < len(pages):
            return None
        pixels = pixels_of(pages[page_idx])
        name = "whole" if crop is None else f"{crop.x}_{crop.y}_{crop.w}_{crop.h}"
        folder = self.service.files(found.upload.uid)
        target = folder.drawn / f"{page_idx}_{name}.png"
        box = None
        if crop is not None:
            corners = (crop.x, crop.y, crop.x + crop.w, crop.y + crop.h)
            x0, y0, x1, y1 = (value / pixels.scale for value in corners)
            box = (x0, y0, x1, y1)
        lock = self._drawing.setdefault(target, asyncio.Lock())
        try:
            async with lock:
                if not await asyncio.to_thread(target.exists):
                    await self._draw(folder.upload, target, page_idx + 1, box, pixels.scale)
        except TaskFailure:
            return None
        finally:
            self._drawing.pop(target, None)
        return target

    async def _draw(
        self,
        pdf: Path,
        target: Path,
        page: int,
        box: tuple[float, float, float, float] | None,
        scale: float,
    ) -> None:
        await asyncio.to_thread(lambda: target.parent.mkdir(exist_ok=True))
        part = target.with_suffix(f".{uuid.uuid4().hex}.part")
        await self.service.draw(pdf, part, page=page, box=box, scale=scale)
        await asyncio.to_thread(part.replace, target)

    async def export(self, found: Found, request: ExportRequest) -> Path:
        """Make a file of a completed task now.

        Raises:
            ImportError: What is needed for this format is not installed.
        """
        folder = self.service.files(found.upload.uid)
        # The file is named after everything that shapes it, so that requests do not mix.
        target = folder.exports / _file_name(request)

        def write() -> None:
            if not target.exists():
                write_export(
                    folder.pages,
                    target,
                    request,
                    image=found.upload.options.source == "image",
                    names_tell_pages=found.upload.model == "v3-2026",
                )

        await asyncio.to_thread(write)
        return target

    async def begin_export(self, found: Found, request: ExportRequest) -> None:
        """Take the upload's export slot over, and make the file in the background."""
        uid = found.upload.uid
        number = await asyncio.to_thread(self.exports.begin, uid, request)
        self._make_later(uid, number, request)

    async def find_export(self, uid: str) -> Export | None:
        """What is in the upload's export slot."""
        return await asyncio.to_thread(self.exports.find, uid)

    def export_file(self, uid: str, export: Export) -> Path:
        """Where the file of a slot is."""
        return self.service.files(uid).exports / _file_name(export.request)

    def _make_later(self, uid: str, number: int, request: ExportRequest) -> None:
        task = asyncio.create_task(self._make(uid, number, request), name=f"doc2x-export-{uid}")
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _make(self, uid: str, number: int, request: ExportRequest) -> None:
        upload = await self.upload(uid)
        found = None if upload is None else await self.find(upload.account_id, uid)
        state: ExportState = "failed"
        if found is not None and found.completed:
            try:
                await self.export(found, request)
            except Exception:
                logger.exception("the export of %s failed", uid)
            else:
                state = "success"
        await asyncio.to_thread(self.exports.end, uid, number, state)


def _file_name(request: ExportRequest) -> str:
    shape = f"{request.formula_mode}-{request.formula_level}-{int(request.merge_tables)}"
    return f"{shape}-{request.file_name}-{request.name}"
