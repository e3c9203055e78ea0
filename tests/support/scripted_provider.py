"""A service in memory that speaks the core's own protocol: places, a queue, times, and a tally."""

from __future__ import annotations

from pathlib import Path

from support.virtual_time import VirtualTime
from zhiyipdf.errors import ResultExpired, TaskFailed, ZhiyiPDFError
from zhiyipdf.models import Bundle, ParseOptions, Secret, Submission, TaskStatus
from zhiyipdf.providers import Capabilities, Upload
from zhiyipdf.transport import BytesSink, UploadOutcome

PLACES = 3


class ScriptedProvider:
    """Works on three tasks of a key at a time, the others wait in line.

    A task is begun with :meth:`accept`, which stands for an upload. ``answers`` are given to polls,
    one each, before any truth: errors are raised.
    """

    name = "scripted"
    capabilities = Capabilities(retention_s=604800.0)

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.answers: list[ZhiyiPDFError | TaskStatus] = []
        self.polls: list[tuple[float, str, str]] = []
        self._tasks: dict[str, tuple[Secret, float, float]] = {}
        self._free_at: dict[Secret, list[float]] = {}

    def accept(self, task_id: str, key: Secret, *, seconds: float) -> None:
        """Take a task that needs so many seconds of a place."""
        places = self._free_at.setdefault(key, [0.0] * PLACES)
        begin = max(self.time.seconds, min(places))
        places[places.index(min(places))] = begin + seconds
        self._tasks[task_id] = (key, begin, begin + seconds)

    async def poll(self, task_id: str, *, key: Secret) -> TaskStatus:
        self.polls.append((self.time.seconds, task_id, key.fingerprint))
        await self.time.sleep(0.05)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, ZhiyiPDFError):
                raise answer
            return answer
        if task_id not in self._tasks or self._tasks[task_id][0] != key:
            raise ResultExpired("no such task")
        _, begin, end = self._tasks[task_id]
        now = self.time.seconds
        if now >= end:
            return TaskStatus(state="completed", percent=100)
        if now >= begin:
            return TaskStatus(state="processing", percent=50)
        ahead = sum(k == key and e > now and b < begin for k, b, e in self._tasks.values())
        return TaskStatus(state="waiting", ahead=ahead)

    def failure(self, status: TaskStatus, task_id: str) -> ZhiyiPDFError:
        return TaskFailed("failed", code=status.code or "unknown", task_id=task_id)

    def cost(self, pages: int, options: ParseOptions) -> int:
        return 2 * pages

    def submit(self, upload: Upload, *, key: Secret) -> UploadOutcome:
        raise NotImplementedError

    def read_submission(self, outcome: UploadOutcome) -> Submission:
        raise NotImplementedError

    async def fetch(
        self, task_id: str, status: TaskStatus, *, key: Secret, to: Path, on_bytes: BytesSink
    ) -> None:
        raise NotImplementedError

    async def balance(self, *, key: Secret) -> int:
        raise NotImplementedError

    def balance_now(self, *, key: Secret) -> int | None:
        raise NotImplementedError

    def was_received(self, task_id: str, *, key: Secret) -> bool | None:
        raise NotImplementedError

    def finish(self, bundle: Bundle, options: ParseOptions) -> Bundle:
        raise NotImplementedError
