"""What the core asks of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import ParseOptions, Secret, Submission, TaskStatus
from zhiyipdf.transport import BytesSink, MultipartUpload, UploadOutcome

__all__ = ["Capabilities", "Provider", "Upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the core must know of a service; what it accepts is in :class:`~zhiyipdf.policy.Limits`.

    Attributes:
        retention_s: How long it keeps a result.
    """

    retention_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file to be uploaded.

    Attributes:
        body: The multipart body, gate and all.
        idempotency_key: Equal for every attempt of the same paid work.
    """

    body: MultipartUpload
    idempotency_key: str


class Provider(Protocol):
    """One service, spoken to through a transport."""

    name: str
    capabilities: Capabilities

    def cost(self, pages: int, options: ParseOptions) -> int:
        """Points that converting ``pages`` pages takes."""

    def form(self, options: ParseOptions) -> Mapping[str, str]:
        """The text fields of an upload."""

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

    def failure(self, status: TaskStatus, task_id: str) -> ZhiyiPDFError:
        """The error of a failed task."""
