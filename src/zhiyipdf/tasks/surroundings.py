"""Everything a conversion works with besides its source and options."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from zhiyipdf.clock import Clock
from zhiyipdf.models import Progress, Secret, Stage
from zhiyipdf.policy import ArchiveLimits, Limits, Polling, Retry
from zhiyipdf.providers import Provider
from zhiyipdf.store import Store
from zhiyipdf.tasks.budget import Budget
from zhiyipdf.tasks.evidence import CommitLocks
from zhiyipdf.tasks.submission import OnAmbiguous

__all__ = ["Surroundings"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything a conversion needs besides its source and options.

    Attributes:
        provider: The service.
        base_url: Where it is; part of what a stored result is known by.
        store: Where results and records are kept.
        keys: At least one.
        limits: Sizes and numbers.
        polling: Intervals and deadlines.
        retry: For uploads; the transport has the same for the rest.
        archive_limits: What an archive may hold.
        budget: Shared by all loops of a converter.
        commits: The same.
        on_ambiguous: What to do about an upload nobody can prove paid or unpaid.
        clock: Time and chance.
        resumable: Whether tasks outlive this process; those of the embedded server do not.
        on_progress: Told of every step; called on the event loop's thread.
    """

    provider: Provider
    base_url: str
    store: Store
    keys: tuple[Secret, ...]
    limits: Limits
    polling: Polling
    retry: Retry
    archive_limits: ArchiveLimits
    budget: Budget
    commits: CommitLocks
    clock: Clock
    on_ambiguous: OnAmbiguous = "raise"
    resumable: bool = True
    on_progress: Callable[[Progress], None] | None = None

    def tell(
        self, source: str, stage: Stage, done: int = 0, total: int | None = None, message: str = ""
    ) -> None:
        """Report a step; a callback that fails is logged and does no other harm."""
        if self.on_progress is None:
            return
        step = Progress(source=source, stage=stage, done=done, total=total, message=message)
        try:
            self.on_progress(step)
        except Exception:
            log.exception("the progress callback failed")
