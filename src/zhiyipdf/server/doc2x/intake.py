"""Makes tasks of stored uploads: looks at them, waits for the key's limits, orders or refuses."""

from __future__ import annotations

import asyncio
import hashlib
import logging

from zhiyipdf.server.accounts import InsufficientPoints, UnknownKey
from zhiyipdf.server.conversion import TaskFailure
from zhiyipdf.server.doc2x.admission import Throttle, too_many_pages, wait_for
from zhiyipdf.server.doc2x.uploads import DocumentUpload
from zhiyipdf.server.pulse import Pulse
from zhiyipdf.server.service import Service, Upload
from zhiyipdf.server.task_table import TooManyWaiting
from zhiyipdf.server.tasks import TaskOrder
from zhiyipdf.server.upload import SIGNATURE_WITHIN, looks_like_pdf

__all__ = ["Intake", "Refused"]

logger = logging.getLogger(__name__)

# Seconds until an upload is tried again after the server itself failed at it.
AFTER_A_FAULT_S = 1.0


class Refused(Exception):
    """A file will never become a task.

    Attributes:
        code: The wire's error code.
        message: The reason for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Intake:
    """One asyncio task for each stored upload, until it is ordered or refused.

    What is throttled waits here and starts by itself: nobody has to upload it again.

    Args:
        service: Accounts, tasks, workers.

    Attributes:
        changes: Beats when an upload has changed.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: set[asyncio.Task[None]] = set()
        self._throttled: dict[str, Throttle] = {}
        # Looking at a key's limits and ordering are one step.
        self._admission = asyncio.Lock()
        self.changes = Pulse()

    async def start(self) -> None:
        """Take up what a former server left."""
        for upload in await asyncio.to_thread(self._service.doc2x_uploads.stored):
            self.take(upload)

    async def stop(self) -> None:
        """End without ending the uploads: they go on when a server starts again."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def take(self, upload: DocumentUpload) -> None:
        """An upload is stored."""
        task = asyncio.create_task(self._see_through(upload), name=f"doc2x-{upload.uid}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def throttle(self, uid: str) -> Throttle | None:
        """Which limit a stored upload waits for, if it does."""
        return self._throttled.get(uid)

    async def _see_through(self, upload: DocumentUpload) -> None:
        try:
            while True:
                try:
                    await self._until_settled(upload)
                except Refused as refused:
                    await self._refuse(upload, refused)
                except Exception:
                    # The database may be locked or full for a while.
                    logger.exception("upload %s could not be taken in", upload.uid)
                    await asyncio.sleep(AFTER_A_FAULT_S)
                    continue
                return
        finally:
            self._throttled.pop(upload.uid, None)
            self.changes.beat()

    async def _refuse(self, upload: DocumentUpload, refused: Refused) -> None:
        await asyncio.to_thread(
            lambda: self._service.doc2x_uploads.refuse(
                upload.uid, code=refused.code, message=refused.message
            )
        )

    async def _until_settled(self, upload: DocumentUpload) -> None:
        account = await self._service.account(upload.account_id)
        if account is None:
            raise Refused("unauthorized", "the key was revoked")
        if await self._service.find(account, upload.uid) is not None:
            # The server died between the order and the record of it.
            await asyncio.to_thread(self._service.doc2x_uploads.order, upload.uid)
            return
        pages = await self.look_at(upload)
        while True:
            ended = self._service.ends.next()
            async with self._admission:
                throttle = await self._try_to_order(upload, pages)
            if throttle is None:
                return
            self._throttled[upload.uid] = throttle
            self.changes.beat()
            await ended.wait()

    async def look_at(self, upload: DocumentUpload) -> int:
        """Count an upload's pages, unless they are known.

        Raises:
            Refused: It is not what it should be, or too long.
        """
        if upload.pages is None:
            await self._check_lock(upload)
        if upload.pages is not None:
            pages = upload.pages
        elif upload.options.source == "image":
            await self._check_image(upload)
            pages = 1
        else:
            pages = await self._count(upload)
        if too_many_pages(pages, self._service.settings.doc2x):
            limit = self._service.settings.doc2x.max_pages
            raise Refused("parse_page_limit_exceeded", f"{pages} pages; the limit is {limit}")
        return pages

    async def sha256(self, uid: str) -> str:
        """The fingerprint of an upload's content, in hex."""
        file = self._service.files(uid).upload

        def digest() -> str:
            with file.open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest()

        return await asyncio.to_thread(digest)

    async def _check_lock(self, upload: DocumentUpload) -> None:
        limits, uploads = self._service.settings.doc2x, self._service.doc2x_uploads
        sha256 = upload.sha256
        if sha256 is None:
            sha256 = await self.sha256(upload.uid)
            await asyncio.to_thread(uploads.fingerprint, upload.uid, sha256)
        since = self._service.now - limits.lock_s
        failures = await asyncio.to_thread(
            lambda: uploads.failures(upload.account_id, sha256, since=since)
        )
        if failures >= limits.lock_after:
            message = "the same broken file was sent too often; it is locked for a day"
            raise Refused("parse_file_lock", message)

    async def _count(self, upload: DocumentUpload) -> int:
        pdf = self._service.files(upload.uid).upload

        def head() -> bytes:
            with pdf.open("rb") as file:
                return file.read(SIGNATURE_WITHIN)

        if not looks_like_pdf(await asyncio.to_thread(head)):
            raise Refused("parse_file_not_pdf", "the file is not a PDF")
        try:
            pages = await self._service.count_pages(pdf)
        except TaskFailure as failure:
            raise Refused(failure.code, failure.message) from failure
        await asyncio.to_thread(self._service.doc2x_uploads.count, upload.uid, pages)
        return pages

    async def _check_image(self, upload: DocumentUpload) -> None:
        try:
            await self._service.check_image(self._service.files(upload.uid).upload)
        except TaskFailure as failure:
            invalid = failure.code == "parse_file_invalid"
            code = "parse_file_not_image" if invalid else failure.code
            raise Refused(code, failure.message) from failure

    async def _try_to_order(self, upload: DocumentUpload, pages: int) -> Throttle | None:
        service = self._service
        tasks, live_pages = await asyncio.to_thread(service.tasks.live, upload.account_id)
        throttle = wait_for(
            pages=pages,
            live_tasks=tasks,
            live_pages=live_pages,
            limits=service.settings.doc2x,
        )
        if throttle is not None:
            return throttle
        order = TaskOrder(
            id=upload.uid,
            account_id=upload.account_id,
            stem=upload.stem,
            pages=pages,
            points=pages,  # one page of a PDF, or one image, is one page of quota
            options=upload.options,
        )
        try:
            await service.order(order, Upload(upload.uid, service.files(upload.uid)))
        except InsufficientPoints as error:
            left = f"{error.required} pages needed, {error.available} left"
            raise Refused("parse_quota_limit", left) from error
        except UnknownKey as error:
            raise Refused("unauthorized", "the key was revoked") from error
        except TooManyWaiting:
            return "parse_task_limit_exceeded"
        await asyncio.to_thread(service.doc2x_uploads.order, upload.uid)
        return None
