"""When to repeat a call, and how long to wait first: pure decisions."""

from __future__ import annotations

import email.utils
import re

from zhiyipdf.policy import Retry

__all__ = ["pause_before_retry", "retry_after_s"]

_MAX_DIGITS = 9  # '9' * 400 would become infinity as a float (transport study 2.5)


def pause_before_retry(retry: Retry, attempt: int, chance: float) -> float:
    """Draw the pause after a failed attempt: full jitter over a bound that doubles.

    Args:
        retry: The policy.
        attempt: How many attempts have failed, from 1.
        chance: A number in [0, 1).

    Returns:
        Seconds, from 0 to ``retry.cap_s``.
    """
    bound = min(retry.cap_s, retry.base_s * 2 ** min(attempt - 1, 30))
    return float(bound * chance)


def retry_after_s(value: str | None, *, date: str | None, now: float) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110, section 10.2.3).

    Args:
        value: The header: seconds, or a date.
        date: The answer's ``Date`` header; a date in ``value`` is measured from it, so that a
            wrong clock on either side does no harm.
        now: Seconds since 1970, used where ``date`` is missing.

    Returns:
        Seconds to wait, or None where the header is absent, negative, in the past or unreadable.
    """
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        whole = value.partition(".")[0]
        if len(whole) > _MAX_DIGITS:
            return 10.0**_MAX_DIGITS
        return float(value)
    moment = _seconds(value)
    if moment is None:
        return None
    start = _seconds(date) if date else None
    wait = moment - (now if start is None else start)
    return wait if wait > 0 else None


def _seconds(value: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
