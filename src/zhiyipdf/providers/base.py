"""What the core asks of a service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import Bundle, ParseOptions, Secret, Submission, TaskStatus
from zhiyipdf.transport import BytesSink, GatedFile, UploadOutcome

__all__ = ["Capabilities", "Provider", "Upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the core must know of a service; what it accepts is in :class:`~zhiyipdf.policy.Limits`.

    Attributes:
        retention_s: How long it keeps a result.
        sent_again: Codes of failed tasks that cost nothing and may pass: the same upload is sent
            once more before the failure is raised.
    """

    retention_s: float
    sent_again: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file to be uploaded.

    Attributes:
        file: The file, with the gate before its last bytes.
        options: What to ask for.
        idempotency_key: Equal for every attempt of the same paid work.
        named: To be told the task's name where the service gives it before the upload; the gate
            writes it down, so that the task can be asked for whatever becomes of the upload.
    """

    file: GatedFile
    options: ParseOptions
    idempotency_key: str
    named: Callable[[str], None] = lambda _task_id: None


class Provider(Protocol):
    """One service, spoken to through a transport."""

    name: str
    capabilities: Capabilities

    def cost(self, pages: int, options: ParseOptions) -> int:
        """Points that converting ``pages`` pages takes."""

    def submit(self, upload: Upload, *, key: Secret) -> UploadOutcome:
        """Upload once; blocking, for a worker thread. Raises nothing the network does."""

    def read_submission(self, outcome: UploadOutcome) -> Submission:
        """Read the answer to an upload.

        Raises:
            ZhiyiPDFError: What the service refused, or ``UploadOutcomeUnknown``-worthy doubt as
                a :class:`~zhiyipdf.errors.ProtocolError` or
                :class:`~zhiyipdf.errors.ServiceUnavailable` with ``points_charged=None``.
        """

    async def poll(self, task_id: str, *, key: Secret) -> TaskStatus:
        """Ask how a task stands.

        Raises:
            ResultExpired: The service does not know the task.
        """

    async def fetch(
        self, task_id: str, status: TaskStatus, *, key: Secret, to: Path, on_bytes: BytesSink
    ) -> None:
        """Download a finished task's result into a file.

        Raises:
            ResultExpired: The service does not keep it any more.
        """

    async def balance(self, *, key: Secret) -> int:
        """Points left on a key."""

    def balance_now(self, *, key: Secret) -> int | None:
        """Points left on a key, asked for once; blocking; None if there is no clear answer."""

    def was_received(self, task_id: str, *, key: Secret) -> bool | None:
        """Whether the service has the upload of a task that was named before it; blocking.

        Returns:
            True or False only if its answer proves it; None also if it names tasks afterwards.
        """

    def failure(self, status: TaskStatus, task_id: str) -> ZhiyiPDFError:
        """The error of a failed task."""

    def finish(self, bundle: Bundle, options: ParseOptions) -> Bundle:
        """What a stored result reads like with these options. Pure; costs nothing."""
