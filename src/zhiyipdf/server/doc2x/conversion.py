"""What becomes of a Doc2X task: pages and pictures in a folder, translated blocks beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from zhiyipdf.server.conversion import Progress, TaskFolder, failing_as_task, fresh
from zhiyipdf.server.doc2x.pages import texts_of
from zhiyipdf.server.engine import read_pages
from zhiyipdf.server.tasks import Task
from zhiyipdf.server.translation import TranslationFailed, Translator
from zhiyipdf.server.worker_pool import WorkerPool

__all__ = ["TRANSLATION_FILE", "Doc2XConversion", "read_translation"]

TRANSLATION_FILE = "translation.json"
# Percent of the progress that parsing takes when a translation follows.
PARSING = 60


class Doc2XConversion:
    """Carries Doc2X tasks out.

    Args:
        workers: Where the engine runs.
        translator: For tasks that ask for a translation.
        timeout_s: Seconds the engine may take.
    """

    def __init__(
        self, workers: WorkerPool, translator: Translator | None, *, timeout_s: float
    ) -> None:
        self._workers = workers
        self._translator = translator
        self._timeout_s = timeout_s

    async def __call__(
        self, task: Task, folder: TaskFolder, report: Callable[[Progress], None]
    ) -> None:
        """Convert one task; the folder ``pages`` is there afterwards, and the upload still is.

        Pictures are cut from the upload whenever somebody asks for one.

        Args:
            task: The task.
            folder: Its files.
            report: Called with its progress, also from other threads.

        Raises:
            TaskFailure: There will be no result.
        """
        with failing_as_task(task):
            await self._convert(task, folder, report)

    async def _convert(
        self, task: Task, folder: TaskFolder, report: Callable[[Progress], None]
    ) -> None:
        if await asyncio.to_thread(folder.pages.exists):
            return  # the server died between the result and the record of it
        await asyncio.to_thread(fresh, folder.work)
        share = 99 if task.options.translate_to is None else PARSING

        def on_page(number: int) -> None:
            report(Progress(share * (number - 1) // max(task.pages, 1), number))

        if task.options.source == "image":
            await self._workers.read_image(
                folder.upload,
                folder.work,
                straighten=task.options.straighten,
                timeout_s=self._timeout_s,
            )
        else:
            await self._workers.convert(
                folder.upload,
                folder.work,
                table_mode="markdown",
                ocr=task.options.ocr,
                timeout_s=self._timeout_s,
                on_page=on_page,
            )
        report(Progress(share))
        if task.options.translate_to is not None:
            await self._translate(folder, task.options.translate_to, report)
        await asyncio.to_thread(folder.work.rename, folder.pages)

    async def _translate(
        self, folder: TaskFolder, language: str, report: Callable[[Progress], None]
    ) -> None:
        if self._translator is None:
            # Accepted by a server that had an endpoint, restarted without one.
            raise TranslationFailed("no translation endpoint is configured")
        report(Progress(PARSING, translating=True))
        pages = await asyncio.to_thread(read_pages, folder.work)
        texts = [block.text for _, block in texts_of(pages)]
        translated = await self._translator.translate_blocks(
            texts,
            language,
            on_share=lambda done: report(
                Progress(PARSING + int((99 - PARSING) * done), translating=True)
            ),
        )
        target = folder.work / TRANSLATION_FILE
        await asyncio.to_thread(target.write_text, json.dumps(translated), encoding="utf-8")


def read_translation(pages: Path) -> list[str] | None:
    """The translated blocks, in the order of :func:`texts_of`; None if there are none."""
    file = pages / TRANSLATION_FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
