"""The record of one paid task: what it is for, which key paid, and how far it got."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from zhiyipdf.models import VARIANTS, ParseOptions, Part, TaskRef, Variant

__all__ = ["RecordState", "TaskRecord", "Work"]

RecordState = Literal[
    "planned",  # somebody is about to upload
    "sending",  # an upload has begun; nothing can have been paid
    "committing",  # the end of the upload was let go: it may be paid
    "accepted",  # the service named a task: it is paid
    "completed",  # the service is done with it
    "fetched",  # the archive is in the store
    "unpacked",  # the bundle is in the store
    "failed",  # the service gave up and returned the points
    "unknown",  # nobody can prove whether it is paid
    "expired",  # the service does not keep the result any more
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What decides a result; equal work is never paid for twice.

    Attributes:
        sha256: Of the PDF.
        options: What is asked of the service.
        provider: Name of the service.
        base_url: Where it is.
        part: The pages.
    """

    sha256: str
    options: ParseOptions
    provider: str
    base_url: str
    part: Part

    @property
    def request(self) -> dict[str, Any]:
        """What was asked for, so that a task can be finished without its PDF at hand."""
        return {
            "table_mode": self.options.table_mode,
            "translate_to": self.options.translate_to,
            "variants": list(self.options.service_variants),
            "first_page": self.part.first_page,
            "last_page": self.part.last_page,
            "whole": self.part.whole,
            "ranges": [list(pages) for pages in self.part.ranges],
            **self.options.paid,
        }

    @property
    def supersets(self) -> tuple[str, ...]:
        """Keys of work whose result holds this one's and more variants."""
        if self.options.translate_to is None or len(self.options.service_variants) == len(VARIANTS):
            return ()
        everything = dataclasses.replace(self.options, variants=VARIANTS)
        return (dataclasses.replace(self, options=everything).key,)

    @property
    def key(self) -> str:
        """SHA-256 over all of it, 64 hex digits: the name of everything stored for it."""
        ranges = [list(pages) for pages in self.part.ranges]
        pages = None if self.part.whole else ranges[0] if len(ranges) == 1 else ranges
        facts = {
            "pdf": self.sha256,
            "provider": self.provider,
            "base_url": self.base_url,
            "pages": pages,
            "table_mode": self.options.table_mode,
            "translate_to": self.options.translate_to,
            "variants": list(self.options.service_variants),
            **self.options.paid,
        }
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One JSON file under ``claims/``. It never holds a key, only a fingerprint.

    Attributes:
        key: Of the work.
        state: How far it got.
        sha256: Of the PDF, for people who look at the file.
        provider: Name of the service.
        base_url: Where it is.
        pages: How many.
        points: What it costs.
        key_fingerprint: Which key pays.
        generation: Counts uploads after a definite failure; part of the idempotency key.
        task_id: Known from ``accepted`` on.
        code: The service's error code, if it failed.
        balance_before: Points on the key right before the end of the upload was let go.
        balance_after: Points afterwards, where they had to be asked for.
        in_doubt: Whether an earlier attempt may be paid, which the user chose to repeat.
        name: The PDF's name, for people.
        request: What was asked for; see :attr:`Work.request`.
        updated_at: Seconds since 1970.
        uploaded_at: When the service named the task; results are kept for 7 days from then.
    """

    key: str
    state: RecordState
    sha256: str
    provider: str
    base_url: str
    pages: int
    points: int
    key_fingerprint: str
    generation: int = 0
    task_id: str | None = None
    code: str | None = None
    balance_before: int | None = None
    balance_after: int | None = None
    in_doubt: bool = False
    name: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    updated_at: float = 0.0
    uploaded_at: float | None = None

    @property
    def idempotency_key(self) -> str:
        """Equal for repeated attempts of one upload; new after the service returned the points."""
        return f"{self.key[:40]}-{self.generation}"

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What the service was asked to return."""
        asked = self.request.get("variants") or ("original",)
        return tuple(variant for variant in VARIANTS if variant in asked)

    @property
    def task(self) -> TaskRef | None:
        """The remote task, once it has a name."""
        if self.task_id is None:
            return None
        return TaskRef(
            provider=self.provider, id=self.task_id, key_fingerprint=self.key_fingerprint
        )

    def to_json(self) -> bytes:
        """Write it down."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read it back.

        Raises:
            ValueError: It is not a record. A record that cannot be read is not treated as absent:
                it may stand for paid work.
        """
        try:
            facts: dict[str, Any] = json.loads(content)
            known = {field.name for field in dataclasses.fields(cls)}
            record = cls(**{name: value for name, value in facts.items() if name in known})
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a task record: {error}") from error
        if record.state not in get_args(RecordState):
            raise ValueError(f"not a task record: state {record.state!r}")
        return record
