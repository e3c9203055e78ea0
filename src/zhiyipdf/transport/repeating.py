"""The one retry loop: attempts, pauses, deadlines, and the state that a key's calls share."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from zhiyipdf.clock import Clock
from zhiyipdf.errors import RateLimited, ServiceUnavailable, ZhiyiPDFError
from zhiyipdf.models import Secret
from zhiyipdf.policy import Retry
from zhiyipdf.transport.health import Admission, Circuit, Refusals, TokenBucket, Verdict
from zhiyipdf.transport.replies import Reply, translate
from zhiyipdf.transport.retry import pause_before_retry

__all__ = ["Call", "RetryLoop"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the loop must know of a call.

    Attributes:
        key: Whose budget and circuit count.
        what: The call in words, for messages.
        is_final: Whether an answer stands although its HTTP status looks like a passing failure.
        total_s: Deadline over all attempts and pauses.
        attempt_s: Deadline of one attempt.
        is_control: A poll or a balance: it takes part in the circuit. Downloads do not: a result
            that breaks off says little about the rest of the service.
    """

    key: Secret
    what: str
    is_final: Callable[[Reply], bool]
    total_s: float
    attempt_s: float = math.inf
    is_control: bool = True


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failed attempt, and the seconds the service asked to wait."""

    error: ZhiyiPDFError
    asked_s: float | None = None


@dataclass(slots=True)
class _KeyState:
    """What the calls of one key share.

    ``probe_over`` is set while no probe is under way.
    """

    bucket: TokenBucket
    circuit: Circuit
    probe_over: asyncio.Event = field(default_factory=asyncio.Event)


class RetryLoop:
    """Repeats calls that cost nothing; it belongs to one event loop.

    Args:
        retry: The policy.
        clock: Time and chance.
        host: Named in messages.
        refusals: Keys that are not sent any more.
    """

    def __init__(self, retry: Retry, *, clock: Clock, host: str, refusals: Refusals) -> None:
        self._retry = retry
        self._clock = clock
        self._host = host
        self._refusals = refusals
        self._states: dict[Secret, _KeyState] = {}

    def beside(self, host: str) -> RetryLoop:
        """The same policy for calls without a key to another host.

        Whatever that host answers, no key is taken for refused: none was sent.

        Args:
            host: Named in messages.
        """
        return RetryLoop(self._retry, clock=self._clock, host=host, refusals=Refusals())

    async def run(self, attempt: Callable[[], Awaitable[Reply]], call: Call) -> Reply:
        """Call until there is an answer that stands.

        Args:
            attempt: Sends the request once.
            call: What it is.

        Raises:
            AuthenticationError: The key was refused before; nothing is sent.
            RateLimited: 429 until the last attempt, or a longer wait than the policy allows.
            ServiceUnavailable: No answer, or 5xx, until attempts, budget or time ran out.
        """
        state = self._state(call.key)
        deadline = self._clock.monotonic() + call.total_s
        failure: _Failure | None = None
        tries = 0
        while True:
            tries += 1
            admission = await self._admitted(state, call, deadline, failure)
            outcome = await self._attempt(attempt, call, state, admission, deadline)
            if isinstance(outcome, Reply):
                state.bucket.give()
                return outcome
            failure, error = outcome, outcome.error
            wait = self._pause(failure, tries, deadline)
            # The tokens are asked for last: what is not repeated anyway costs none.
            if wait is None or not state.bucket.take():
                raise error
            log.info("%s: %s; attempt %d again in %.1f s", call.what, error.message, tries, wait)
            await self._clock.sleep(wait)

    async def _admitted(
        self, state: _KeyState, call: Call, deadline: float, before: _Failure | None
    ) -> Admission:
        """Wait until the key and the circuit allow an attempt.

        Args:
            state: The key's.
            call: Which call.
            deadline: Its own.
            before: The attempt before; its error is raised where the wait would be too long.
        """
        while True:
            refused = self._refusals.error(call.key)
            if refused is not None:
                raise refused
            if not call.is_control:
                return Admission()
            now = self._clock.monotonic()
            admission = state.circuit.admit(now)
            if admission.wait_s == 0:
                if admission.probe:
                    state.probe_over.clear()
                return admission
            if now >= deadline or deadline <= now + admission.wait_s < math.inf:
                if before is not None:
                    raise before.error
                raise ServiceUnavailable(
                    f"{call.what}: {self._host} is down; it has not answered the last calls"
                )
            if admission.wait_s == math.inf:
                await state.probe_over.wait()
            else:
                await self._clock.sleep(admission.wait_s)

    async def _attempt(
        self,
        attempt: Callable[[], Awaitable[Reply]],
        call: Call,
        state: _KeyState,
        admission: Admission,
        deadline: float,
    ) -> Reply | _Failure:
        """One attempt: the answer that stands, or a failure that may pass."""
        left = min(call.attempt_s, max(0.0, deadline - self._clock.monotonic()))
        verdict: Verdict = "unknown"
        try:
            try:
                async with asyncio.timeout(left):
                    reply = await attempt()
            except TimeoutError as timeout:
                verdict = "failed"
                error = ServiceUnavailable(f"{call.what}: no answer in {left:.3g} s")
                error.__cause__ = timeout
                return _Failure(error)
            except (httpx.HTTPError, httpx.InvalidURL) as failure:
                error = translate(failure, what=call.what, host=self._host)
                # What cannot be repeated (a certificate, a proxy's login) is not an outage.
                verdict = "failed" if error.retryable else "unknown"
                return _Failure(error)
            if reply.status == httpx.codes.UNAUTHORIZED:
                self._refusals.add(call.key)
            passing = _is_passing_failure(reply) and not call.is_final(reply)
            verdict = "failed" if passing and reply.status >= 500 else "answered"
            if not passing:
                return reply
            return _Failure(_error_of(reply, call.what), asked_s=reply.retry_after_s)
        finally:
            if call.is_control:
                state.circuit.leave(admission, verdict, self._clock.monotonic())
                if admission.probe:
                    state.probe_over.set()

    def _pause(self, failure: _Failure, tries: int, deadline: float) -> float | None:
        """Seconds before the next attempt; None if there is none."""
        if tries >= self._retry.attempts or not failure.error.retryable:
            return None
        wait = pause_before_retry(self._retry, tries, self._clock.random())
        if failure.asked_s is not None:
            if failure.asked_s > self._retry.retry_after_cap_s:
                return None
            wait = max(wait, failure.asked_s)
        # Sleeping past the deadline would only delay the bad news.
        return wait if self._clock.monotonic() + wait < deadline else None

    def _state(self, key: Secret) -> _KeyState:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _KeyState(
                TokenBucket(self._retry.budget), Circuit(self._retry.circuit)
            )
        return state


def _is_passing_failure(reply: Reply) -> bool:
    return reply.status in (408, 425, 429) or reply.status >= 500


def _error_of(reply: Reply, what: str) -> ZhiyiPDFError:
    trace = f" (trace-id {reply.trace_id})" if reply.trace_id else ""
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimited(
            f"{what}: the service asks to slow down (HTTP 429){trace}",
            retry_after_s=reply.retry_after_s,
        )
    error = ServiceUnavailable(
        f"{what}: the service answered HTTP {reply.status}: {reply.excerpt}{trace}"
    )
    error.retry_after_s = reply.retry_after_s
    return error
