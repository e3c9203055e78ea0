"""The remote side: keys, tasks, points."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["TASK_ID", "Balance", "Secret", "Submission", "TaskRef", "TaskState", "TaskStatus"]

TaskState = Literal["waiting", "processing", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class Secret:
    """An API key that does not show itself: not in repr, str, logs or f-strings.

    Attributes:
        value: The key. Only :mod:`zhiyipdf.transport` reads it.
        fingerprint: First 8 hex digits of the key's SHA-256, safe to store and show.
    """

    value: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Name the key without revealing it."""
        import hashlib

        return hashlib.sha256(self.value.encode()).hexdigest()[:8]

    def starts_with(self, prefix: str) -> bool:
        """Whether the key is of the kind that begins so."""
        return self.value.startswith(prefix)

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __str__(self) -> str:
        return f"***{self.fingerprint}"


TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a task id may look like; it becomes part of a URL (transport study, section 7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRef:
    """A remote task.

    Attributes:
        provider: Name of the provider, for example ``zhiyipdf``.
        id: The service's id.
        key_fingerprint: Which key paid for it; only that key can ask for it.
    """

    provider: str
    id: str
    key_fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the service answered to an upload.

    Attributes:
        task_id: The new task.
        state: ``waiting`` if the key already has three tasks in process.
        points: Points taken; None where the service did not say.
        remaining: Points left on the key; None where the service did not say.
    """

    task_id: str
    state: TaskState
    points: int | None = None
    remaining: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """What the service says of a task.

    Attributes:
        state: Where it stands.
        percent: 0 to 100; None where the service does not say.
        ahead: Tasks before it, while waiting.
        message: The service's own words.
        code: The service's error code, if it failed; also if it has not begun for that reason.
        download_url: As the service gave it, if completed; not to be trusted.
    """

    state: TaskState
    percent: int | None = None
    ahead: int | None = None
    message: str = ""
    code: str | None = None
    download_url: str | None = None

    @property
    def is_held_up(self) -> bool:
        """Whether it waits because the service refuses to begin for now, and says why."""
        return self.state == "waiting" and self.code is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Points left.

    Attributes:
        by_key: Points of each key, by the key's fingerprint.
    """

    by_key: Mapping[str, int]

    @property
    def points(self) -> int:
        """Points on all keys together."""
        return sum(self.by_key.values())

    def __int__(self) -> int:
        return self.points
