"""Worker processes seen from the server: kept, killed at the deadline, replaced after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

from zhiyipdf.server.engine import Box, EngineFailure, FailureKind
from zhiyipdf.server.threads import in_daemon_thread

__all__ = ["WorkerCrashed", "WorkerPool", "WorkerProcess", "WorkerTimedOut"]

logger = logging.getLogger(__name__)

Event = dict[str, Any]


class WorkerCrashed(RuntimeError):
    """The process ended before it answered."""


class WorkerTimedOut(TimeoutError):
    """The process was killed because it took too long."""


class WorkerProcess:
    """One child. :meth:`ask` blocks; one thread at a time. :meth:`kill` may come from any thread.

    Args:
        engine: ``module:class`` of its engine.
    """

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._last_words: deque[str] = deque(maxlen=20)

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def ask(self, request: Event, *, timeout_s: float, on_event: Callable[[Event], None]) -> Event:
        """Have a request carried out.

        Args:
            request: See :func:`zhiyipdf.server.worker.answer`.
            timeout_s: Seconds it may take; then the child is killed.
            on_event: Called in this thread with each event but the last.

        Returns:
            The last event.

        Raises:
            WorkerTimedOut: It took too long.
            WorkerCrashed: The child ended, was killed, or could not be started.
        """
        process = self._running()
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        deadline = threading.Timer(timeout_s, expire)
        deadline.daemon = True
        deadline.start()
        try:
            return self._converse(process, {**request, "timeout_s": timeout_s}, on_event)
        except (OSError, ValueError, EOFError) as error:
            self._bury(process)
            if expired.is_set():
                raise WorkerTimedOut(f"no answer within {timeout_s:g} s") from error
            if not self._closed:
                words = " | ".join(self._last_words)
                logger.warning(
                    "worker %s ended with %s: %s", process.pid, process.returncode, words
                )
            raise WorkerCrashed(f"the worker ended with {process.returncode}") from error
        finally:
            deadline.cancel()

    def _converse(
        self, process: subprocess.Popen[bytes], request: Event, on_event: Callable[[Event], None]
    ) -> Event:
        assert process.stdin is not None  # noqa: S101 - it is PIPE
        assert process.stdout is not None  # noqa: S101 - it is PIPE
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        while True:
            line = process.stdout.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            event = cast("Event", json.loads(line))
            if event["event"] in {"done", "failed"}:
                return event
            on_event(event)

    def kill(self) -> None:
        """End the child for good; a blocked :meth:`ask` raises :class:`WorkerCrashed`."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.kill()
            self._bury(process)

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise WorkerCrashed("the worker is closed")
            if self._process is not None:
                if self._process.poll() is None:
                    return self._process
                _close_pipes(self._process)  # it died while it was idle
            try:
                self._process = _start(self._engine)
            except OSError as error:
                raise WorkerCrashed(f"no worker can be started: {error}") from error
            threading.Thread(
                target=self._listen, args=(self._process,), name="worker-stderr", daemon=True
            ).start()
            return self._process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None  # noqa: S101 - it is PIPE
        with process.stderr as stderr:
            for line in stderr:
                text = line.decode(errors="replace").rstrip()
                self._last_words.append(text)
                logger.debug("worker %s: %s", process.pid, text)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        with self._lock:
            if self._process is process:
                self._process = None
        _close_pipes(process)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    # Standard error belongs to the thread that listens to it.
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError, ValueError):
            if pipe is not None:
                pipe.close()


def _start(engine: str) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise OSError("this program has no Python interpreter to start workers with")
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        # -P: the current directory must not decide what is imported.
        [sys.executable, "-P", "-m", "zhiyipdf.server.worker", engine],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    # The child sees the modules its parent sees, but none of its keys.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ZHIYIPDF_", "DOC2X_"))
    }
    paths = [str(Path(entry).resolve()) for entry in sys.path if entry]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


class WorkerPool:
    """As many children as there is work for, up to a number; started when first needed.

    Args:
        engine: ``module:class`` of the engine.
        size: The most children.
    """

    def __init__(self, engine: str, *, size: int) -> None:
        self._engine = engine
        self._slots = asyncio.Semaphore(size)
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The process ids of its children."""
        return [worker.pid for worker in self._all if worker.pid is not None]

    async def count_pages(self, pdf: Path, *, timeout_s: float) -> int:
        """Count a PDF's pages in a child.

        Raises:
            EngineFailure: The PDF cannot be opened.
            WorkerTimedOut: Counting took too long.
            WorkerCrashed: The child died of it.
        """
        request = {"do": "count", "pdf": str(pdf)}
        event = await self._ask(request, timeout_s, lambda _: None)
        return int(event["pages"])

    async def convert(
        self,
        pdf: Path,
        folder: Path,
        *,
        table_mode: Literal["markdown", "image"],
        ocr: bool,
        timeout_s: float,
        on_page: Callable[[int], None],
    ) -> None:
        """Convert a PDF in a child; the result is in the folder afterwards.

        Args:
            pdf: The file.
            folder: An empty folder.
            table_mode: As in :meth:`zhiyipdf.server.engine.Engine.convert`.
            ocr: The same.
            timeout_s: Seconds it may take.
            on_page: Called from another thread with the number of each page that is begun.

        Raises:
            EngineFailure: The PDF cannot be converted.
            WorkerTimedOut: It took too long.
            WorkerCrashed: The child died of it.
        """
        request = {
            "do": "convert",
            "pdf": str(pdf),
            "folder": str(folder),
            "table_mode": table_mode,
            "ocr": ocr,
        }
        await self._ask(request, timeout_s, lambda event: on_page(int(event["page"])))

    async def check_image(self, image: Path, *, timeout_s: float) -> None:
        """Look in a child whether a picture can be read; raises as :meth:`convert` does."""
        request = {"do": "check_image", "image": str(image)}
        await self._ask(request, timeout_s, lambda _: None)

    async def read_image(
        self, image: Path, folder: Path, *, straighten: bool, timeout_s: float
    ) -> None:
        """Read a picture in a child; the result is in the folder, raises as :meth:`convert`."""
        request = {
            "do": "read_image",
            "image": str(image),
            "folder": str(folder),
            "straighten": straighten,
        }
        await self._ask(request, timeout_s, lambda _: None)

    async def draw(
        self,
        pdf: Path,
        target: Path,
        *,
        page: int,
        box: Box | None,
        scale: float,
        timeout_s: float,
    ) -> None:
        """Draw a page or a part of it in a child; raises as :meth:`convert` does."""
        request = {
            "do": "draw",
            "pdf": str(pdf),
            "target": str(target),
            "page": page,
            "box": box,
            "scale": scale,
        }
        await self._ask(request, timeout_s, lambda _: None)

    async def _ask(
        self, request: Event, timeout_s: float, on_event: Callable[[Event], None]
    ) -> Event:
        async with self._slots:
            worker = self._take()
            try:
                event = await in_daemon_thread(
                    lambda: worker.ask(request, timeout_s=timeout_s, on_event=on_event),
                    name="zhiyipdf-worker",
                )
            except asyncio.CancelledError:
                self._all.discard(worker)
                worker.kill()
                raise
            except (WorkerCrashed, WorkerTimedOut):
                self._idle.append(worker)  # it starts a new child when it is next asked
                raise
            self._idle.append(worker)
        if event["event"] == "failed":
            raise EngineFailure(cast("FailureKind", event["kind"]), event["message"])
        return event

    def _take(self) -> WorkerProcess:
        if self._closed:
            raise WorkerCrashed("the pool is closed")
        if self._idle:
            return self._idle.pop()
        worker = WorkerProcess(self._engine)
        self._all.add(worker)
        return worker

    async def close(self) -> None:
        """End all children and wait until they are gone; idempotent."""
        self._closed = True
        workers, self._all = list(self._all), set()
        self._idle.clear()
        for worker in workers:
            await in_daemon_thread(worker.kill, name="zhiyipdf-worker-end")
