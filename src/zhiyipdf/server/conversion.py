"""What becomes of one task: convert in a worker, translate if asked, leave the archive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zhiyipdf.server.archive import write_archive
from zhiyipdf.server.engine import (
    PICTURE_FOLDER,
    EngineFailure,
    FailureKind,
    PageMarkdown,
    read_pages,
)
from zhiyipdf.server.ocr import MISSING
from zhiyipdf.server.tasks import Task
from zhiyipdf.server.translation import TranslationFailed, Translator
from zhiyipdf.server.worker_pool import WorkerCrashed, WorkerPool, WorkerTimedOut

__all__ = [
    "Conversion",
    "Progress",
    "TaskFailure",
    "TaskFolder",
    "failing_as_task",
    "failure_of",
    "fresh",
    "join_pages",
]

logger = logging.getLogger(__name__)

FailureCode = Literal[
    "parse_error", "parse_file_invalid", "parse_timeout", "parse_create_task_error"
]


class TaskFailure(Exception):
    """A task that will have no result.

    Attributes:
        code: The error code of the API document.
        message: The reason, as the status answer shows it.
    """

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(message)
        self.code: FailureCode = code
        self.message = message


# The document's words for each code ("业务错误代码说明"), with the detail behind a colon as in its
# example "解析错误:文件格式不正确".
_FAILURES: dict[FailureKind, tuple[FailureCode, str]] = {
    "encrypted": ("parse_file_invalid", "解析文件错误或不合法:文件需要密码"),
    "invalid": ("parse_file_invalid", "解析文件错误或不合法:文件格式不正确"),
    "failed": ("parse_error", "解析错误:文件格式不正确"),
    "no_ocr": ("parse_create_task_error", f"任务创建失败:{MISSING}"),
}


def failure_of(error: Exception) -> TaskFailure:
    """How the wire names a failure of the engine, the worker or the translation."""
    match error:
        case EngineFailure():
            return TaskFailure(*_FAILURES[error.kind])
        case WorkerTimedOut():
            return TaskFailure("parse_timeout", "处理时间超过限制")
        case WorkerCrashed():
            return TaskFailure("parse_error", "解析错误:解析进程异常退出")
        case TranslationFailed():
            return TaskFailure("parse_error", "解析错误:翻译服务失败")
        case _:
            return TaskFailure("parse_error", "解析错误:服务器内部错误")


@contextlib.contextmanager
def failing_as_task(task: Task) -> Iterator[None]:
    """Whatever goes wrong in the block is the task's failure, and logged.

    Raises:
        TaskFailure: In place of any other exception.
    """
    try:
        yield
    except TaskFailure:
        raise
    except Exception as error:
        failure = failure_of(error)
        logger.warning("task %s: %s (%s)", task.id, failure.code, error, exc_info=True)
        raise failure from error


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task in process is.

    Attributes:
        percent: 0 to 99; 100 is for completed tasks.
        page: The page being converted, from 1; None when that is over or has not begun.
        translating: True from the first block on.
    """

    percent: int = 0
    page: int | None = None
    translating: bool = False


@dataclass(frozen=True, slots=True)
class TaskFolder:
    """Where a task's files are.

    Attributes:
        path: The folder; removing it removes all of them.
    """

    path: Path

    @property
    def upload(self) -> Path:
        """The upload: a PDF, or an image by Doc2X; until the result is there, or longer."""
        return self.path / "input.pdf"

    @property
    def pages(self) -> Path:
        """A Doc2X result: pages and pictures."""
        return self.path / "pages"

    @property
    def drawn(self) -> Path:
        """Parts of pages that somebody asked for."""
        return self.path / "drawn"

    @property
    def exports(self) -> Path:
        """Files made of a Doc2X result."""
        return self.path / "exports"

    @property
    def work(self) -> Path:
        """What a worker writes."""
        return self.path / "work"

    @property
    def result(self) -> Path:
        """The archive."""
        return self.path / "result.zip"


def join_pages(pages: Sequence[PageMarkdown]) -> str:
    """One document without page marks, as the real service's archives have it."""
    return "\n\n".join(page.markdown for page in pages if page.markdown) + "\n"


class Conversion:
    """Carries tasks out.

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
        """Convert one task; its archive is there afterwards, its other files are not.

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
        if await asyncio.to_thread(folder.result.exists):
            return  # the server died between the result and the record of it
        translates = task.options.variants != ("original",)
        share = 60 if translates else 99
        await asyncio.to_thread(fresh, folder.work)

        def on_page(number: int) -> None:
            report(Progress(share * (number - 1) // max(task.pages, 1), number))

        await self._workers.convert(
            folder.upload,
            folder.work,
            table_mode=task.options.table_mode,
            ocr=False,
            timeout_s=self._timeout_s,
            on_page=on_page,
        )
        report(Progress(share))
        markdown = join_pages(await asyncio.to_thread(read_pages, folder.work))
        variants = {"original": markdown}
        if translates:
            report(Progress(share, translating=True))
            variants |= await self._translate(
                task, markdown, lambda done: report(Progress(60 + int(39 * done), translating=True))
            )
        await asyncio.to_thread(
            _deliver, folder, task.stem, {name: variants[name] for name in task.options.variants}
        )

    async def _translate(
        self, task: Task, markdown: str, on_share: Callable[[float], None]
    ) -> dict[str, str]:
        language = task.options.translate_to
        if self._translator is None or language is None:
            # Accepted by a server that had an endpoint, restarted without one.
            raise TranslationFailed("no translation endpoint is configured")
        both = await self._translator.translate(markdown, language, on_share=on_share)
        return {"translated": both.translated, "bilingual": both.bilingual}


def fresh(work: Path) -> None:
    """Make a folder, empty."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)


def _deliver(folder: TaskFolder, stem: str, variants: dict[str, str]) -> None:
    pictures = folder.work / PICTURE_FOLDER
    write_archive(
        folder.result,
        stem=stem,
        variants=variants,
        pictures=pictures if pictures.is_dir() else None,
    )
    shutil.rmtree(folder.work, ignore_errors=True)
    folder.upload.unlink(missing_ok=True)
