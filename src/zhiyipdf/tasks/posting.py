"""One attempt of an upload, on its thread: sent, understood, settled, written down."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from zhiyipdf.clock import Clock
from zhiyipdf.errors import ServiceUnavailable, UploadOutcomeUnknown, ZhiyiPDFError
from zhiyipdf.models import ParseOptions, Secret, Submission
from zhiyipdf.providers import Provider, Upload
from zhiyipdf.store import RecordState, Store, TaskRecord
from zhiyipdf.tasks.budget import Reservation
from zhiyipdf.tasks.evidence import (
    CommitLocks,
    Evidence,
    Verdict,
    gather_evidence,
    gather_receipt,
)
from zhiyipdf.transport import GatedFile, UploadCancelledError, UploadOutcome

__all__ = ["Hold", "Posting", "receipt"]

log = logging.getLogger(__name__)

# How long the end of a body waits for another upload of the same key to be answered. Servers drop
# connections that stay silent for a minute (nginx, client_body_timeout).
COMMIT_WAIT_S = 45.0


class Hold(Protocol):
    """The right to upload a piece of work, kept by all who retain it."""

    def retain(self) -> None:
        """Keep it beyond the end of whoever gave it."""

    def release(self) -> None:
        """Let go of it; the last one gives it back."""

    def is_held(self) -> bool:
        """Whether nobody else has taken over."""


class Posting:
    """Sends a file once, reads the answer, and asks for evidence where it proves nothing.

    Args:
        provider: The service.
        store: Where records are kept.
        clock: Time.
        commits: Shared by all who upload with the same keys in this process.
        file: What is sent.
        options: What to ask for.
        record: In state ``sending``.
        key: Pays.
        reservation: Of the points.
        hold: Of the work.
    """

    def __init__(
        self,
        *,
        provider: Provider,
        store: Store,
        clock: Clock,
        commits: CommitLocks,
        file: GatedFile,
        options: ParseOptions,
        record: TaskRecord,
        key: Secret,
        reservation: Reservation,
        hold: Hold,
    ) -> None:
        self._provider = provider
        self._store = store
        self._clock = clock
        self._commits = commits
        self._file = file
        self._options = options
        self._record = record
        self._key = key
        self._reservation = reservation
        self._hold = hold
        self._take: Callable[[float], bool] = lambda _seconds: False
        self._refunds = 0
        self._before: int | None = None

    def run(self) -> TaskRecord:
        """Do it; blocking.

        Returns:
            The record in state ``accepted``, with the points the service took.

        Raises:
            UploadOutcomeUnknown: The end was sent, and nothing proves what became of it.
            ZhiyiPDFError: The service refused, or could not be reached; nothing was paid.
        """
        with self._commits.section(self._key) as self._take:
            self._refunds = self._commits.refunds(self._key)
            self._file.gate = self._pass_gate
            upload = Upload(
                file=self._file,
                options=self._options,
                idempotency_key=self._record.idempotency_key,
                named=self._name,
            )
            outcome = self._provider.submit(upload, key=self._key)
            try:
                submission = self._provider.read_submission(outcome)
            except ZhiyiPDFError as error:
                submission = self._settled(outcome, error)
        record = self._record
        accepted = dataclasses.replace(
            self._stamped(record),
            state="accepted",
            task_id=submission.task_id,
            points=record.points if submission.points is None else submission.points,
            balance_before=self._before,
            uploaded_at=self._clock.now(),
        )
        self._write_paid(accepted)
        return accepted

    # -- before the last bytes ---------------------------------------------------------------------

    def _name(self, task_id: str) -> None:
        """The service has named the task before it has the file."""
        self._record = dataclasses.replace(self._record, task_id=task_id)

    def _pass_gate(self) -> None:
        # A task that has its name needs no balance for a witness. Without the lock another upload
        # of ours may end in between, and the balance would prove nothing.
        alone = self._record.task_id is None and self._take(COMMIT_WAIT_S)
        self._stop_if_cancelled()
        self._before = self._provider.balance_now(key=self._key) if alone else None
        self._stop_if_cancelled()
        if not self._hold.is_held():
            raise UploadCancelledError  # somebody else took over: it is theirs to pay
        try:
            self._note("committing", balance_before=self._before)
        except BaseException:
            # It may be visible and not durable; nothing was let go, so say so if we can.
            with contextlib.suppress(Exception):
                self._note("sending")
            raise
        self._reservation.commit()

    def _stop_if_cancelled(self) -> None:
        if self._file.cancelled.is_set():
            raise UploadCancelledError

    # -- after them --------------------------------------------------------------------------------

    def _settled(self, outcome: UploadOutcome, error: ZhiyiPDFError) -> Submission:
        """Find out what an answer that is no success means.

        Returns:
            The task, if the service has the upload after all and its name is known.

        Raises:
            ZhiyiPDFError: As for :meth:`run`.
        """
        if error.points_charged is False:
            self._reservation.release()
            self._record = dataclasses.replace(self._record, task_id=None)
            if self._hold.is_held():  # else the record is somebody else's by now
                self._note("failed", code=getattr(error, "code", None))
            raise error
        evidence, task_id = self._evidence(outcome), self._record.task_id
        if evidence.verdict == "unpaid":
            self._reservation.release()
            self._record = dataclasses.replace(self._record, task_id=None)
            self._note("failed")
            raise ServiceUnavailable(
                f"{error.message}; {_witness(task_id)} proves that nothing was paid",
                points_charged=False,
            ) from error
        if evidence.verdict == "paid" and task_id is not None:
            log.info("task %s: the service has it (%s)", task_id, error.message)
            return Submission(task_id=task_id, state="processing")
        raise self._doubt(error, evidence) from error

    def _evidence(self, outcome: UploadOutcome) -> Evidence:
        if self._record.task_id is not None:
            verdict = receipt(self._provider, self._record.task_id, self._key, self._clock)
            return Evidence(verdict, None, None)
        silent = outcome.error is not None and outcome.silent
        gateway_timed_out = outcome.reply is not None and outcome.reply.status == 504
        return gather_evidence(
            before=self._before,
            cost=self._record.points,
            read=partial(self._provider.balance_now, key=self._key),
            pause=self._clock.pause,
            late=silent or gateway_timed_out,
            undisturbed=lambda: self._commits.refunds(self._key) == self._refunds,
        )

    def _doubt(self, error: ZhiyiPDFError, evidence: Evidence) -> UploadOutcomeUnknown:
        """The error of an upload that neither its answer nor anything else explains."""
        before, after = evidence.balance_before, evidence.balance_after
        self._note("unknown", balance_before=before, balance_after=after)
        paid = evidence.verdict == "paid"
        witness = _witness(self._record.task_id)
        proof = f"{witness} shows that it was paid" if paid else f"nor does {witness}"
        return UploadOutcomeUnknown(
            f"the upload was sent whole and its answer proves nothing ({error.message}); {proof}",
            cost=self._record.points,
            record=self._record.key,
            task_id=self._record.task_id,
            balance_before=before,
            balance_after=after,
            points_charged=True if paid else None,
        )

    # -- records -----------------------------------------------------------------------------------

    def _write_paid(self, record: TaskRecord) -> None:
        """Write down the name of a paid task, stubbornly: it is known nowhere else."""
        for pause_s in (0.2, 1.0, 5.0, None):
            try:
                self._store.write_record(record)
            except Exception:  # object stores raise errors of their own
                if pause_s is None:
                    log.exception("the paid task %s could not be written down", record.task_id)
                    return
                self._clock.pause(pause_s)
            else:
                return

    def _note(
        self,
        state: RecordState,
        *,
        code: str | None = None,
        balance_before: int | None = None,
        balance_after: int | None = None,
    ) -> None:
        # The service's verdict on an attempt ends it: the next upload has another idempotency key.
        ended = state == "failed" and code is not None
        self._store.write_record(
            dataclasses.replace(
                self._stamped(self._record),
                state=state,
                code=code,
                balance_before=balance_before,
                balance_after=balance_after,
                generation=self._record.generation + ended,
            )
        )

    def _stamped(self, record: TaskRecord) -> TaskRecord:
        return dataclasses.replace(record, updated_at=self._clock.now())


def receipt(provider: Provider, task_id: str, key: Secret, clock: Clock) -> Verdict:
    """What the service knows of a task that had its name before its upload; blocking."""
    return gather_receipt(read=partial(provider.was_received, task_id, key=key), pause=clock.pause)


def _witness(task_id: str | None) -> str:
    return "the balance" if task_id is None else "what the service says of the task"
