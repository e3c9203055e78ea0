"""How a key's calls have fared, and what that allows: budget, circuit, refusals; no I/O."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Literal

from zhiyipdf.errors import AuthenticationError
from zhiyipdf.models import Secret
from zhiyipdf.policy import CircuitBreak, RetryBudget

__all__ = ["Admission", "Circuit", "Refusals", "TokenBucket", "Verdict"]

Verdict = Literal["answered", "failed", "unknown"]
"""What a call showed of the service: it answered, whatever it said; it did not, or with 5xx; or the
call was given up before either."""


class TokenBucket:
    """The repetitions left to the calls of one key.

    Args:
        policy: Size and prices.
    """

    def __init__(self, policy: RetryBudget) -> None:
        self._policy = policy
        self.tokens = policy.tokens

    def take(self) -> bool:
        """Pay for one repetition; False if there is too little left."""
        if self.tokens < self._policy.retry_cost:
            return False
        self.tokens -= self._policy.retry_cost
        return True

    def give(self) -> None:
        """Add what a good answer is worth."""
        self.tokens = min(self._policy.tokens, self.tokens + self._policy.success_gain)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may go out now.

    Attributes:
        wait_s: 0 if it may; else seconds until it should ask again, infinite while a probe is
            under way: then its end is what to wait for.
        probe: It is the one call that finds out whether the service is back.
    """

    wait_s: float = 0.0
    probe: bool = False


class Circuit:
    """Stops the polls and balances of a key while the service is down.

    Closed, all calls pass. So many consecutive failures open it for some seconds; then one call
    passes as a probe, and its outcome closes the circuit or opens it again.

    Args:
        policy: Numbers.
    """

    def __init__(self, policy: CircuitBreak) -> None:
        self._policy = policy
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    def admit(self, now: float) -> Admission:
        """Ask to go out.

        Args:
            now: Seconds that never go back.

        Returns:
            Where ``wait_s`` is 0, the call must go out and report to :meth:`leave`.
        """
        if self._open_until is None:
            return Admission()
        if self._probing:
            return Admission(wait_s=math.inf)
        if now < self._open_until:
            # The sum of two large numbers less one of them may round to more than the other.
            return Admission(wait_s=min(self._open_until - now, self._policy.open_s))
        self._probing = True
        return Admission(probe=True)

    def leave(self, admission: Admission, verdict: Verdict, now: float) -> None:
        """Report what a call that went out has shown.

        Args:
            admission: What :meth:`admit` returned for it.
            verdict: Its outcome.
            now: As above.
        """
        if admission.probe:
            self._probing = False
        if verdict == "answered":
            # Also of a call that went out before the circuit opened: the service is back.
            self._failures, self._open_until = 0, None
        elif verdict == "failed":
            self._failures += 1
            tripped = self._open_until is None and self._failures >= self._policy.failures
            if admission.probe or tripped:
                self._open_until = now + self._policy.open_s


class Refusals:
    """Keys the service has refused (401); they are not sent again.

    It may be shared by threads: uploads look at it too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[Secret] = set()

    def add(self, key: Secret) -> None:
        """Remember a key that was refused."""
        with self._lock:
            self._keys.add(key)

    def error(self, key: Secret) -> AuthenticationError | None:
        """What to raise instead of sending ``key``; None if it may be sent."""
        with self._lock:
            if key not in self._keys:
                return None
        return AuthenticationError(
            f"the service has refused the API key {key}",
            hint="Check the key, or ask the service for a new one; then make a new Converter.",
        )
