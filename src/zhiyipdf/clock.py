"""Time and chance, in one object that tests replace."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

__all__ = ["Clock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where the package takes time and randomness from.

    Attributes:
        now: Seconds since 1970, for records.
        monotonic: Seconds that never go back, for deadlines.
        sleep: Pause the calling task for some seconds.
        pause: Pause the calling thread for some seconds.
        random: A number in [0, 1).
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    pause: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random  # noqa: S311 - jitter, not secrets
